"""How does an element begin: with which tag, VR and length? PS3.5 7.1.2 and 7.1.3 read literally.

Files of one series begin most elements alike, so what eight bytes say in full is remembered.
"""

from mmap import mmap
from struct import Struct
from typing import NoReturn

from shared.runtime.dicom.errors import UnreadableError

Buffer = bytes | bytearray | mmap
Head = tuple[int, str, int, int]  # tag, VR, length, and how many bytes the head has
Remembered = dict[bytes, Head]

HEAD, _LONG_HEAD = 8, 12  # bytes, PS3.5 tables 7.1-1 to 7.1-3
DELIMITERS = 0xFFFE  # the group of items and their ends
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
TAG_LENGTH = {order: Struct(f"{order}HHI").unpack_from for order in "<>"}
_TAG_VR_LENGTH = {order: Struct(f"{order}HH2sH").unpack_from for order in "<>"}
_LENGTH = {order: Struct(f"{order}I").unpack_from for order in "<>"}
_VRS = {vr: (vr.decode("ascii"), vr in LONG_VRS) for vr in LONG_VRS | SHORT_VRS}
_MOST = 8192  # heads; who sends more different ones is no scanner
_KNOWN: dict[str, Remembered] = {"<": {}, ">": {}}  # of explicit VR, by byte order


def remembered(order: str) -> Remembered:
    """Heads of explicit VR that eight bytes say in full, by those bytes."""
    known = _KNOWN[order]
    if len(known) > _MOST:
        known.clear()
    return known


def explicit(buffer: Buffer, at: int, end: int, order: str) -> Head:
    """The head of an element that names its VR."""
    if end - at < HEAD:
        _cut(at, end)
    group, number, code, length = _TAG_VR_LENGTH[order](buffer, at)
    tag = group << 16 | number
    vr, long = _VRS.get(code, ("", False))
    if group == DELIMITERS:
        return tag, "", _LENGTH[order](buffer, at + 4)[0], HEAD
    if not vr:
        raise UnreadableError("malformed", f"{show(tag)} has no VR of PS3.5 table 6.2-1")
    if not long:
        head = (tag, vr, length, HEAD)
        _KNOWN[order][bytes(buffer[at : at + HEAD])] = head
        return head
    if end - at < _LONG_HEAD:
        raise UnreadableError("truncated", f"{show(tag)} has no length")
    return tag, vr, _LENGTH[order](buffer, at + 8)[0], _LONG_HEAD


def implicit(buffer: Buffer, at: int, end: int, order: str) -> Head:
    """The head of an element that leaves its VR to the dictionary."""
    if end - at < HEAD:
        _cut(at, end)
    group, number, length = TAG_LENGTH[order](buffer, at)
    return group << 16 | number, "", length, HEAD


def _cut(at: int, end: int) -> NoReturn:
    raise UnreadableError("truncated", f"{end - at} bytes where an element begins")


def show(tag: int) -> str:
    """A tag as the standard writes it: (gggg,eeee)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"

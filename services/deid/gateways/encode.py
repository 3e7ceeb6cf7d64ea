"""How is an element written down? PS3.5 section 7.1, in the byte order and VR style of the file."""

from struct import Struct

from shared.runtime.dicom.errors import UnreadableError
from shared.runtime.dicom.heads import LONG_VRS, show
from shared.runtime.dicom.tree import Encoding

UNDEFINED = 0xFFFFFFFF
_LONG = frozenset(vr.decode() for vr in LONG_VRS)
_LONGEST_SHORT = 0xFFFE  # bytes: even, in two bytes
_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_TAG_LENGTH = {order: Struct(f"{order}HHI") for order in "<>"}
_SHORT = {order: Struct(f"{order}HH2sH") for order in "<>"}
_WITH_RESERVE = {order: Struct(f"{order}HH2sHI") for order in "<>"}


def head(encoding: Encoding, tag: int, vr: str, length: int) -> bytes:
    """What stands before a value of `length` bytes."""
    group, number = tag >> 16, tag & 0xFFFF
    if not encoding.explicit:
        return _TAG_LENGTH[encoding.order].pack(group, number, length)
    if vr in _LONG:
        return _WITH_RESERVE[encoding.order].pack(group, number, vr.encode(), 0, length)
    if length > _LONGEST_SHORT:
        raise UnreadableError("too_large", f"{show(tag)} grows beyond what its VR can hold")
    return _SHORT[encoding.order].pack(group, number, vr.encode(), length)


def element(encoding: Encoding, tag: int, vr: str, value: bytes) -> bytes:
    """A whole element; the value has its padding already."""
    return head(encoding, tag, vr, len(value)) + value


def item(encoding: Encoding, content: bytes) -> bytes:
    """An item of a sequence, or a fragment of encapsulated pixels."""
    return _tag(encoding, _ITEM, len(content)) + content


def item_head(encoding: Encoding, length: int) -> bytes:
    return _tag(encoding, _ITEM, length)


def sequence_end(encoding: Encoding) -> bytes:
    return _tag(encoding, _SEQUENCE_END, 0)


def _tag(encoding: Encoding, tag: int, length: int) -> bytes:
    return _TAG_LENGTH[encoding.order].pack(tag >> 16, tag & 0xFFFF, length)

"""Where may a patient hide in a DICOM file? A canary in each place, and the search for survivors.

One in each row of PS3.15 Table E.1-1, at several depths, inside sequences that the table lists,
does not list, or that are private; and one in each place that no row speaks of.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pydicom.datadict import dictionary_VR

from shared.testing.part10 import BIG, DEFLATED, IMPLICIT, JPEG, RLE, SYNTAXES, Writer
from shared.testing.streams import hideouts

DEPTHS = (0, 1, 5, 20)
# A sequence of the table that stays, one the table doesn't list, and a private one.
SEQUENCES = {"listed": 0x00081140, "unlisted": 0x00289145, "private": 0x00111001}
_CREATOR = 0x00110010
_REFERENCES = frozenset((0x00081140, 0x00082112))  # X/Z/U*: stay, with other UIDs
_FIRST_DAY = date(1931, 1, 1)
_DIGITS = frozenset(("DA", "IS"))
_NUMBER = tuple(b"0 1 2 3 4 5 6 7 8 9 .".split())
_PRIVATE_META = 0x00020102


@dataclass(frozen=True, slots=True)
class Canary:
    """What was planted, where, and the bytes that would betray it."""

    place: str
    tag: int
    vr: str
    value: str

    def survives(self, content: bytes) -> bool:
        """In upper or lower case; eight digits only where no longer number runs into them."""
        word, at = self.value.encode().upper(), -1
        while (at := content.find(word, at + 1)) >= 0:
            if self.vr not in _DIGITS or content[max(at - 1, 0) : at] not in _NUMBER:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Planted:
    """A file with its canaries."""

    name: str
    syntax: str
    content: bytes
    canaries: tuple[Canary, ...]

    def survivors(self, clean: bytes) -> list[Canary]:
        """What is left in a clean file, which is inflated if it was written deflated."""
        content = (clean + _inflated(clean)).upper()
        return [one for one in self.canaries if one.survives(content)]


def rows(tags: Iterable[int]) -> list[Canary]:
    """A canary for each row that can stand in a data set; file meta has its own."""
    listed = (tag for tag in sorted(tags) if tag >> 16 > 0x0002)
    return [one for n, tag in enumerate(listed) if (one := _row(n, tag)) is not None]


def planted(tags: Iterable[int]) -> Iterator[Planted]:
    """All files: six syntaxes, and in each the rows at all depths, and the other places.

    Behind them compressed pixels with words in them, in their own syntaxes.
    """
    canaries = rows(tags)
    for syntax in SYNTAXES:
        write = Writer(syntax)
        for depth in DEPTHS:
            for kind in SEQUENCES if depth else ["top"]:
                elements = _nested(write, canaries, depth, kind)
                content = write.file(elements)
                yield Planted(f"{kind} {depth}", syntax, content, tuple(canaries))
        yield _elsewhere(write)
    for one in hideouts():
        words = [Canary(place, 0x7FE00010, "OB", word) for place, word in one.words.items()]
        yield Planted(f"streams {one.name}", one.syntax, one.content(), tuple(words))


def _row(number: int, tag: int) -> Canary | None:
    vr = _vr(tag)
    word = f"2.999.{tag:010d}" if tag in _REFERENCES else f"CNRY{tag:08X}"
    value = {
        "DA": f"{_FIRST_DAY + timedelta(days=number):%Y%m%d}",
        "DT": f"{_FIRST_DAY + timedelta(days=number):%Y%m%d}101500.5",
        "TM": f"{number % 24:02}{number % 60:02}{number % 59:02}.{tag & 0xFFFFF:06d}"[:13],
        "UI": f"2.999.{tag:010d}",
        "DS": f"77{number:05d}.25",
        "IS": f"88{number:06d}",
        "UR": f"urn:{word.lower()}",
        "AS": "",
        "US": "",
    }.get(vr, word)
    return Canary("row", tag, vr, value) if value else None  # no word fits into two bytes


def _vr(tag: int) -> str:
    try:
        return dictionary_VR(tag).split(" or ", maxsplit=1)[0]
    except KeyError:
        return "LO"  # a row newer than the dictionary


def element(write: Writer, one: Canary) -> bytes:
    """A row's element; in a sequence the canary is the text, or the reference, of an item."""
    if one.tag in _REFERENCES:
        return write.sequence(one.tag, write.element(0x00081155, "UI", one.value))
    if one.vr == "SQ":
        return write.sequence(one.tag, write.element(0x00080104, "LO", one.value))
    return write.element(one.tag, one.vr, one.value)


def _nested(
    write: Writer, canaries: list[Canary], depth: int, kind: str
) -> list[tuple[int, bytes]]:
    elements = [(one.tag, element(write, one)) for one in canaries]
    if not depth:
        return elements
    tag, content = SEQUENCES[kind], b"".join(one for _, one in elements)
    creator = write.element(_CREATOR, "LO", "CNRY CREATOR") if kind == "private" else b""
    for level in range(depth):
        content = write.sequence(tag, (creator if level else b"") + content)
    return [(_CREATOR, creator), (tag, content)] if creator else [(tag, content)]


def _elsewhere(write: Writer) -> Planted:
    """A file with a canary in every place that no row speaks of."""
    places = {
        "private": (0x00091001, "LO"), "private UN": (0x00091002, "UN"),
        "unknown": (0x00089999, "LO"), "retired": (0x00084000, "LT"),
        "another VR": (0x00280034, "LO"), "curve": (0x50003000, "OB"),
        "overlay": (0x60003000, "OW"), "overlay comment": (0x60004000, "LT"),
        "trailing padding": (0xFFFCFFFC, "OB"), "ICC profile": (0x00282000, "OB"),
        "PDF or CDA": (0x00420011, "OB"), "SR text": (0x0040A160, "UT"),
        "SR name": (0x0040A123, "PN"), "CS that is none": (0x00180015, "CS"),
        "DS that is none": (0x00181050, "DS"), "TM that is none": (0x00140105, "TM"),
        "unlisted name": (0x00140104, "PN"), "calendar": (0x00100033, "LO"),
    }  # fmt: skip
    canaries = {
        tag: Canary(place, tag, vr, f"cnry.h{n:02d}")
        for n, (place, (tag, vr)) in enumerate(places.items())
    }
    elements = {tag: write.element(tag, one.vr, one.value) for tag, one in canaries.items()}
    icon = Canary("icon", 0x00880200, "OB", "cnry.icon")
    inside = write.element(0x7FE00010, "OB", icon.value)
    elements[icon.tag] = write.sequence(icon.tag, inside)
    elements[0x00090010] = write.element(0x00090010, "LO", "cnry.creator")
    elements[0x00080000] = write.element(0x00080000, "UL", b"CNR0")
    found = [*canaries.values(), icon, *_around(write)]
    content = _with_bytes_behind(write, write.file(elements.items(), b"cnry.preamble"))
    return Planted("elsewhere", write.syntax, content, tuple(found))


def _around(write: Writer) -> Iterator[Canary]:
    """What `Writer` and this module plant outside the data set's own attributes."""
    yield Canary("private creator", 0x00090010, "LO", "cnry.creator")
    yield Canary("group length", 0x00080000, "OB", "CNR0")
    yield Canary("preamble", 0, "OB", "cnry.preamble")
    yield Canary("source AE", 0x00020016, "AE", "HARTIGANAE")
    yield Canary("private meta", _PRIVATE_META, "OB", "HARTIGAN private meta")
    if write.syntax == JPEG:
        yield Canary("JPEG comment", 0x7FE00010, "OB", "HARTIGANXY")
    if write.syntax not in {JPEG, RLE}:
        yield Canary("behind the pixels", 0x7FE00010, "OB", "cnry.behind")


def _with_bytes_behind(write: Writer, content: bytes) -> bytes:
    """Pixel Data longer than its description: what lies behind the last pixel is shown nowhere."""
    if write.syntax in {JPEG, RLE}:
        return content
    body = _inflated(content) if write.syntax == DEFLATED else content
    pixels, secret = write.pixels(), b"cnry.behind "
    head = 8 if write.syntax == IMPLICIT else 12
    at = body.rindex(pixels)
    order = ">" if write.syntax == BIG else "<"
    length = struct.pack(f"{order}I", len(pixels) - head + len(secret))
    longer = body[: at + head - 4] + length + pixels[head:] + secret + body[at + len(pixels) :]
    if write.syntax != DEFLATED:
        return longer
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    meta = content[: _meta_end(content)]
    return meta + deflater.compress(longer) + deflater.flush()


def _inflated(content: bytes) -> bytes:
    """The data set of a deflated file, b"" of any other."""
    if DEFLATED.encode() not in content[:1000]:
        return b""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[_meta_end(content) :])
    except zlib.error:
        return b""


def _meta_end(content: bytes) -> int:
    """Behind group 0002, by its elements: not all writers give its length."""
    at = 132
    while content[at : at + 2] == b"\x02\x00":
        long = content[at + 4 : at + 6] in {b"OB", b"UN"}
        length = content[at + 8 : at + 12] if long else content[at + 6 : at + 8]
        at += (12 if long else 8) + int.from_bytes(length, "little")
    return at

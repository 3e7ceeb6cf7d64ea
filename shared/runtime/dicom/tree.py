"""Which elements does a data set hold, where do they lie, and how deep?

PS3.5 section 7 read literally, over a buffer that may be a memory map: no value is copied here.
The walk asks no dictionary, so an implicit-VR sequence of defined length is recognised by the item
tag its value begins with; a value that merely looks like one is left a plain value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import mmap
from struct import Struct

from shared.runtime.dicom.errors import UnreadableError
from shared.runtime.dicom.limits import Limits

Buffer = bytes | bytearray | mmap

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
_HEAD, _LONG_HEAD, _ITEM_HEAD = 8, 12, 8  # bytes, PS3.5 tables 7.1-1 to 7.1-3 and 7.5-1
_DELIMITERS = 0xFFFE  # the group of items and their ends
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a data set is written: byte order, and whether each element names its VR."""

    little: bool = True
    explicit: bool = True

    @property
    def order(self) -> str:
        return "<" if self.little else ">"


IMPLICIT_LITTLE = Encoding(explicit=False)


@dataclass(slots=True)
class Element:
    """One attribute. `vr` is "" where the encoding does not tell it.

    `at` and `length` delimit the value in the buffer; `items` is None for a plain value, and
    `fragments` holds (offset, length) of encapsulated pixel data, the offset table first.
    """

    tag: int
    vr: str
    at: int
    length: int
    items: "tuple[DataSet, ...] | None" = None
    fragments: tuple[tuple[int, int], ...] | None = None


@dataclass(slots=True)
class DataSet:
    """Elements in the order they lie in the buffer, with the encoding that holds for them."""

    elements: list[Element]
    encoding: Encoding
    by_tag: dict[int, Element] = field(default_factory=dict)

    def get(self, tag: int) -> Element | None:
        return self.by_tag.get(tag)

    def __iter__(self) -> Iterator[Element]:
        return iter(self.elements)


_STRUCTS = {o: (Struct(f"{o}HHI"), Struct(f"{o}H"), Struct(f"{o}I")) for o in ("<", ">")}


class Walk:
    """One bounded pass over a buffer. Raises `UnreadableError` at the first thing out of bounds."""

    def __init__(self, buffer: Buffer, limits: Limits) -> None:
        self.buffer = buffer
        self.limits = limits
        self.seen = 0

    def data_set(
        self, at: int, end: int, encoding: Encoding, depth: int = 0, *, open_ended: bool = False
    ) -> tuple[DataSet, int]:
        """Read elements from `at` up to `end`, or to the item delimiter when `open_ended`."""
        if depth > self.limits.depth:
            raise UnreadableError("nested_too_deep", f"over {self.limits.depth} sequences deep")
        elements: list[Element] = []
        by_tag: dict[int, Element] = {}
        while at < end:
            element, at = self._element(at, end, encoding, depth)
            if element is None:
                if open_ended:
                    return DataSet(elements, encoding, by_tag), at
                raise UnreadableError("malformed", f"a delimiter without its item before byte {at}")
            if element.tag in by_tag:
                raise UnreadableError("duplicate_attribute", f"{show(element.tag)} comes twice")
            by_tag[element.tag] = element
            elements.append(element)
        if open_ended:
            raise UnreadableError("truncated", "an item has no end")
        return DataSet(elements, encoding, by_tag), at

    def _element(
        self, at: int, end: int, encoding: Encoding, depth: int
    ) -> tuple[Element | None, int]:
        """The element at `at` and the offset behind it; None for an item delimiter."""
        self._count()
        tag, vr, length, at = self._head(at, end, encoding)
        if tag == ITEM_END:
            return None, at
        if tag >> 16 == _DELIMITERS:
            raise UnreadableError("malformed", f"{show(tag)} where an attribute belongs")
        if length == UNDEFINED:
            return self._undefined(Element(tag, vr, at, length), end, encoding, depth)
        if length > end - at:
            raise UnreadableError(
                "truncated", f"{show(tag)} claims {length} bytes, {end - at} are there"
            )
        element = Element(tag, vr, at, length)
        if vr == "SQ":
            element.items = self._items(at, at + length, encoding, depth + 1)[0]
        elif vr in {"", "UN"} and length >= _ITEM_HEAD and tag != PIXEL_DATA:
            element.items = self._guess(element, encoding, depth)
        return element, at + length

    def _head(self, at: int, end: int, encoding: Encoding) -> tuple[int, str, int, int]:
        """Tag, VR, length, and where the value begins (PS3.5 7.1.2 and 7.1.3)."""
        if end - at < _HEAD:
            raise UnreadableError("truncated", f"{end - at} bytes where an element begins")
        long, short, four = _STRUCTS[encoding.order]
        group, number, length = long.unpack_from(self.buffer, at)
        tag = group << 16 | number
        if not encoding.explicit or group == _DELIMITERS:
            return tag, "", length, at + 8
        vr = bytes(self.buffer[at + 4 : at + 6])
        if vr in SHORT_VRS:
            return tag, vr.decode("ascii"), short.unpack_from(self.buffer, at + 6)[0], at + 8
        if vr not in LONG_VRS:
            raise UnreadableError("malformed", f"{show(tag)} has no VR of PS3.5 table 6.2-1")
        if end - at < _LONG_HEAD:
            raise UnreadableError("truncated", f"{show(tag)} has no length")
        return tag, vr.decode("ascii"), four.unpack_from(self.buffer, at + 8)[0], at + 12

    def _undefined(
        self, element: Element, end: int, encoding: Encoding, depth: int
    ) -> tuple[Element, int]:
        """Undefined length: encapsulated pixels, a sequence, or UN (PS3.5 6.2.2 note 2)."""
        if element.tag == PIXEL_DATA:
            if depth:
                raise UnreadableError("malformed", "encapsulated pixels inside a sequence")
            element.fragments, after = self._fragments(element.at, end, encoding)
            return element, after
        if element.vr not in {"SQ", "UN", ""}:
            raise UnreadableError("malformed", f"{show(element.tag)} has no length")
        inner = IMPLICIT_LITTLE if element.vr == "UN" else encoding
        element.items, after = self._items(element.at, end, inner, depth + 1, open_ended=True)
        return element, after

    def _guess(
        self, element: Element, encoding: Encoding, depth: int
    ) -> tuple[DataSet, ...] | None:
        """Items of a value of unknown VR, where it begins with one; None for a plain value."""
        inner = IMPLICIT_LITTLE if element.vr == "UN" else encoding
        first = self.buffer[element.at : element.at + 4]
        if first != (b"\xfe\xff\x00\xe0" if inner.little else b"\xff\xfe\xe0\x00"):
            return None
        try:
            return self._items(element.at, element.at + element.length, inner, depth + 1)[0]
        except UnreadableError as error:
            if error.reason in {"too_many_elements", "nested_too_deep"}:
                raise
            return None

    def _items(
        self, at: int, end: int, encoding: Encoding, depth: int, *, open_ended: bool = False
    ) -> tuple[tuple["DataSet", ...], int]:
        items: list[DataSet] = []
        empty = DataSet([], encoding)  # one for all: an attack by empty items gets no memory
        while at < end:
            self._count()
            tag, length, at = self._item_head(at, end, encoding)
            if tag == SEQUENCE_END and open_ended:
                return tuple(items), at
            if tag != ITEM:
                raise UnreadableError("malformed", f"{show(tag)} where an item belongs")
            if length == UNDEFINED:
                item, at = self.data_set(at, end, encoding, depth, open_ended=True)
            elif length == 0:
                item = empty
            else:
                item, at = self.data_set(at, at + self._fits(length, at, end), encoding, depth)
            items.append(item)
        if open_ended:
            raise UnreadableError("truncated", "a sequence has no end")
        return tuple(items), at

    def _fragments(
        self, at: int, end: int, encoding: Encoding
    ) -> tuple[tuple[tuple[int, int], ...], int]:
        """Encapsulated pixel data (PS3.5 A.4), the offset table first."""
        fragments: list[tuple[int, int]] = []
        while True:
            self._count()
            tag, length, at = self._item_head(at, end, encoding)
            if tag == SEQUENCE_END:
                return tuple(fragments), at
            if tag != ITEM or length == UNDEFINED:
                raise UnreadableError("malformed", "encapsulated pixels without fragments")
            fragments.append((at, self._fits(length, at, end)))
            at += length

    def _item_head(self, at: int, end: int, encoding: Encoding) -> tuple[int, int, int]:
        if end - at < _ITEM_HEAD:
            raise UnreadableError("truncated", "an item or its end is missing")
        group, number, length = _STRUCTS[encoding.order][0].unpack_from(self.buffer, at)
        return group << 16 | number, length, at + 8

    @staticmethod
    def _fits(length: int, at: int, end: int) -> int:
        if length > end - at:
            raise UnreadableError(
                "truncated", f"an item claims {length} bytes, {end - at} are there"
            )
        return length

    def _count(self) -> None:
        self.seen += 1
        if self.seen > self.limits.elements:
            raise UnreadableError(
                "too_many_elements", f"over {self.limits.elements} attributes and items"
            )


def show(tag: int) -> str:
    """A tag as the standard writes it: (gggg,eeee)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"

"""Which elements does a data set hold, where do they lie, and how deep?

PS3.5 section 7 read literally, over a buffer that may be a memory map: no value is copied here.
The walk asks no dictionary, so an implicit-VR sequence of defined length is recognised by the item
tag its value begins with; a value that merely looks like one is left a plain value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import mmap
from struct import Struct
from typing import NamedTuple, NoReturn

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


class Element(NamedTuple):
    """One attribute. `vr` is "" where the encoding does not tell it.

    `at` and `length` delimit the value in the buffer, `start` and `end` the whole element; `items`
    is None for a plain value, and `fragments` holds (offset, length) of encapsulated pixel data,
    the offset table first.
    """

    tag: int
    vr: str
    at: int
    length: int
    start: int
    end: int
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


_TAG_LENGTH = {order: Struct(f"{order}HHI").unpack_from for order in "<>"}
_TAG_VR_LENGTH = {order: Struct(f"{order}HH2sH").unpack_from for order in "<>"}
_LENGTH = {order: Struct(f"{order}I").unpack_from for order in "<>"}
_VRS = {vr: (vr.decode("ascii"), vr in LONG_VRS) for vr in LONG_VRS | SHORT_VRS}
_MAY_NEST = frozenset(("SQ", "UN", ""))
_new = tuple.__new__  # a third of the time of Element(...), which is called for each attribute
_Head = tuple[int, str, int, int]  # tag, VR, length, and where the value begins


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
        head = self._explicit if encoding.explicit else self._implicit
        order, most = encoding.order, self.limits.elements
        while at < end:
            self.seen += 1
            if self.seen > most:
                self._too_many()
            tag, vr, length, value = head(at, end, order)
            if tag >> 16 == _DELIMITERS:
                return DataSet(elements, encoding, by_tag), _item_end(tag, value, open_ended)
            element = _new(Element, (tag, vr, value, length, at, value + length, None, None))
            if vr in _MAY_NEST or length == UNDEFINED:
                element = self._nested(element, end, encoding, depth)
            if (at := element.end) > end or tag in by_tag:
                raise _unsound(element, end)
            by_tag[tag] = element
            elements.append(element)
        if open_ended:
            raise UnreadableError("truncated", "an item has no end")
        return DataSet(elements, encoding, by_tag), at

    def _explicit(self, at: int, end: int, order: str) -> _Head:
        """The head of an element that names its VR (PS3.5 7.1.2)."""
        if end - at < _HEAD:
            raise UnreadableError("truncated", f"{end - at} bytes where an element begins")
        group, number, code, length = _TAG_VR_LENGTH[order](self.buffer, at)
        tag = group << 16 | number
        vr, long = _VRS.get(code, ("", False))
        if group == _DELIMITERS:
            return tag, "", _LENGTH[order](self.buffer, at + 4)[0], at + _HEAD
        if not vr:
            raise UnreadableError("malformed", f"{show(tag)} has no VR of PS3.5 table 6.2-1")
        if not long:
            return tag, vr, length, at + _HEAD
        if end - at < _LONG_HEAD:
            raise UnreadableError("truncated", f"{show(tag)} has no length")
        return tag, vr, _LENGTH[order](self.buffer, at + 8)[0], at + _LONG_HEAD

    def _implicit(self, at: int, end: int, order: str) -> _Head:
        """The head of an element that leaves its VR to the dictionary (PS3.5 7.1.3)."""
        if end - at < _HEAD:
            raise UnreadableError("truncated", f"{end - at} bytes where an element begins")
        group, number, length = _TAG_LENGTH[order](self.buffer, at)
        return group << 16 | number, "", length, at + _HEAD

    def _nested(self, element: Element, end: int, encoding: Encoding, depth: int) -> Element:
        """The element with its items, when it is a sequence, and the end that it didn't say."""
        if element.length == UNDEFINED:
            return self._undefined(element, end, encoding, depth)
        if element.end > end:
            return element  # truncated, which the caller says
        if element.vr == "SQ":
            items = self._items(element.at, element.end, encoding, depth + 1)[0]
            return element._replace(items=items)
        if element.length >= _ITEM_HEAD and element.tag != PIXEL_DATA:
            return element._replace(items=self._guess(element, encoding, depth))
        return element

    def _undefined(self, element: Element, end: int, encoding: Encoding, depth: int) -> Element:
        """Undefined length: encapsulated pixels, a sequence, or UN (PS3.5 6.2.2 note 2)."""
        if element.tag == PIXEL_DATA:
            if depth:
                raise UnreadableError("malformed", "encapsulated pixels inside a sequence")
            fragments, after = self._fragments(element.at, end, encoding)
            return element._replace(fragments=fragments, end=after)
        if element.vr not in _MAY_NEST:
            raise UnreadableError("malformed", f"{show(element.tag)} has no length")
        inner = IMPLICIT_LITTLE if element.vr == "UN" else encoding
        items, after = self._items(element.at, end, inner, depth + 1, open_ended=True)
        return element._replace(items=items, end=after)

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
        group, number, length = _TAG_LENGTH[encoding.order](self.buffer, at)
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
            self._too_many()

    def _too_many(self) -> NoReturn:
        raise UnreadableError(
            "too_many_elements", f"over {self.limits.elements} attributes and items"
        )


def _unsound(element: Element, end: int) -> UnreadableError:
    """Why an element can't stand where it stands."""
    tag, there = show(element.tag), end - element.at
    if element.end > end:
        return UnreadableError(
            "truncated", f"{tag} claims {element.length} bytes, {there} are there"
        )
    return UnreadableError("duplicate_attribute", f"{tag} comes twice")


def _item_end(tag: int, after: int, open_ended: bool) -> int:  # noqa: FBT001 - the caller's own
    """Where an item of undefined length ends; any other delimiter is out of place."""
    if tag != ITEM_END:
        raise UnreadableError("malformed", f"{show(tag)} where an attribute belongs")
    if not open_ended:
        raise UnreadableError("malformed", f"a delimiter without its item before byte {after}")
    return after


def show(tag: int) -> str:
    """A tag as the standard writes it: (gggg,eeee)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"

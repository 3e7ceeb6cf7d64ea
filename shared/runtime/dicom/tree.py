"""Which elements does a data set hold, where do they lie, and how deep?

PS3.5 section 7 read literally, over a buffer that may be a memory map: no value is copied here.
The walk asks no dictionary, so an implicit-VR sequence of defined length is recognised by the item
tag its value begins with; a value that merely looks like one is left a plain value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import MADV_DONTNEED, mmap
from typing import NamedTuple, NoReturn

from shared.runtime.dicom.errors import UnreadableError
from shared.runtime.dicom.heads import (
    DELIMITERS,
    HEAD,
    TAG_LENGTH,
    Buffer,
    Remembered,
    explicit,
    implicit,
    remembered,
    show,
)
from shared.runtime.dicom.limits import Limits

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
_ITEM_HEAD = 8  # bytes, PS3.5 table 7.5-1
_FORGOTTEN = 512  # fragments, whose heads bring 64 KiB each into memory when a file is mapped


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


_MAY_NEST = frozenset(("SQ", "UN", ""))
_NONE: Remembered = {}


class _Slice:
    """Slices of a bytearray as one can ask a dictionary for them."""

    def __init__(self, buffer: bytearray) -> None:
        self._buffer = buffer

    def __getitem__(self, part: slice) -> bytes:
        return bytes(self._buffer[part])


_new = tuple.__new__  # a third of the time of Element(...), which is called for each attribute


class Walk:
    """One bounded pass over a buffer. Raises `UnreadableError` at the first thing out of bounds."""

    def __init__(self, buffer: Buffer, limits: Limits) -> None:
        self.limits = limits
        self.seen = 0
        self.turn_to(buffer)

    def turn_to(self, buffer: Buffer) -> None:
        """Go on in other bytes, with what was seen so far."""
        self.buffer = buffer
        self._slice = _Slice(buffer) if isinstance(buffer, bytearray) else buffer

    def data_set(
        self, at: int, end: int, encoding: Encoding, depth: int = 0, *, open_ended: bool = False
    ) -> tuple[DataSet, int]:
        """Read elements from `at` up to `end`, or to the item delimiter when `open_ended`."""
        if depth > self.limits.depth:
            raise UnreadableError("nested_too_deep", f"over {self.limits.depth} sequences deep")
        elements: list[Element] = []
        by_tag: dict[int, Element] = {}
        head, order = (explicit if encoding.explicit else implicit), encoding.order
        known = (remembered(order) if encoding.explicit else _NONE).get
        buffer, sliced, most = self.buffer, self._slice, self.limits.elements
        while at < end:
            self.seen += 1
            if self.seen > most:
                self._too_many()
            tag, vr, length, width = known(sliced[at : at + HEAD]) or head(buffer, at, end, order)
            value = at + width
            if tag >> 16 == DELIMITERS:
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
            if not len(fragments) % _FORGOTTEN and isinstance(self.buffer, mmap):
                self.buffer.madvise(MADV_DONTNEED)  # around each head pages were mapped

    def _item_head(self, at: int, end: int, encoding: Encoding) -> tuple[int, int, int]:
        if end - at < _ITEM_HEAD:
            raise UnreadableError("truncated", "an item or its end is missing")
        group, number, length = TAG_LENGTH[encoding.order](self.buffer, at)
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

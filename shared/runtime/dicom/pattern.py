"""Is this file built like one before? Then its elements lie where that one's lay.

Instances of a series differ in a few values of equal length and in their pixels. Where all other
bytes before and behind these are the same, and with them each tag, VR and length, a walk would find
the same elements at the same places, so it is spared.
"""

from bisect import bisect_right
from collections.abc import Iterator

from shared.runtime.dicom.heads import Buffer
from shared.runtime.dicom.tree import PIXEL_DATA, DataSet

_LONGEST = 16 << 10  # bytes up to the pixels: comparing more costs as much as a walk
_MOST = 1000  # elements, so that many patterns may be kept
_TRANSFER_SYNTAX = 0x00020010
_GUESSED = 4  # bytes of a value of unknown VR that tell whether it is a sequence
_CREATORS = range(0x10, 0x100)  # elements of a private group, PS3.5 7.8.1


class Pattern:
    """The elements of one file, and between which bytes another of the same size may differ."""

    def __init__(self, buffer: Buffer, meta: DataSet, data_set: DataSet, syntax: str) -> None:
        """`data_set` has native pixels, and the buffer ends with it."""
        self.meta, self.data_set, self.syntax = meta, data_set, syntax
        self.pixels = next(n for n, one in enumerate(data_set) if one.tag == PIXEL_DATA)
        pixels = data_set.elements[self.pixels]
        self._from, self._to, self._behind = meta.elements[0].start, pixels.at, pixels.end
        self._bytes = int.from_bytes(buffer[self._from : self._to], "little")
        self._tail = bytes(buffer[self._behind :])
        free = sorted([(0, 0), *_free(meta), *_free(data_set)])  # where `at` lies before all
        self._free = [one for one in free if one[0] < self._to]
        self._starts = [one.start for one in data_set.elements]
        self.settled: dict[object, object] = {}  # what was made of values, by what made it

    @classmethod
    def of(cls, buffer: Buffer, meta: DataSet, data_set: DataSet, syntax: str) -> "Pattern | None":
        """The pattern of a file; None where native pixels do not come soon, or end late."""
        pixels = data_set.get(PIXEL_DATA)
        if pixels is None or pixels.fragments is not None or len(data_set.elements) > _MOST:
            return None
        if pixels.at > _LONGEST or len(buffer) - pixels.end > _LONGEST:
            return None
        if data_set.elements[-1].end != len(buffer):
            return None
        return cls(buffer, meta, data_set, syntax)

    def changed(self, buffer: Buffer) -> tuple[int, ...] | None:
        """Which elements of the data set have other values; None for a file of another pattern.

        `buffer` is as long as the one that the pattern is of.
        """
        if buffer[self._behind :] != self._tail:
            return None
        head = int.from_bytes(buffer[self._from : self._to], "little")
        different, passed = head ^ self._bytes, self._from
        found: list[int] = []
        while different:
            at = passed + ((different & -different).bit_length() - 1) // 8
            begin, end = self._free[bisect_right(self._free, (at, _LONGEST << 1)) - 1]
            if not begin <= at < end:
                return None
            different >>= (end - passed) * 8
            passed = end
            number = bisect_right(self._starts, at) - 1
            if number >= 0 and found[-1:] != [number]:
                found.append(number)
        return tuple(found)


def _free(elements: DataSet) -> Iterator[tuple[int, int]]:
    """From where to where bytes mean nothing to a walk: the values that hold no elements."""
    for one in elements:
        for item in one.items or ():
            yield from _free(item)
        if one.items is not None or one.tag in {PIXEL_DATA, _TRANSFER_SYNTAX}:
            continue
        if one.tag >> 16 & 1 and one.tag & 0xFFFF in _CREATORS:
            continue  # says what other elements are
        guessed = one.vr in {"", "UN"} and one.length >= 2 * _GUESSED
        yield one.at + (_GUESSED if guessed else 0), one.at + one.length

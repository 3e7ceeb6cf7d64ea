"""Is this file built like one before? Then its elements lie where that one's lay.

Instances of a series differ in a few values of equal length and in their pixels. Where all other
bytes up to the pixels are the same, and with them each tag, VR and length, a walk would find the
same elements at the same places, so it is spared.
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
        """`data_set` ends with native pixels, and the buffer with these."""
        self.meta, self.data_set, self.syntax = meta, data_set, syntax
        self._from, self._to = meta.elements[0].start, data_set.elements[-1].at
        self._bytes = int.from_bytes(buffer[self._from : self._to], "little")
        self._free = sorted([(0, 0), *_free(meta), *_free(data_set)])  # where `at` lies before all
        self._starts = [one.start for one in data_set.elements]

    @classmethod
    def of(cls, buffer: Buffer, meta: DataSet, data_set: DataSet, syntax: str) -> "Pattern | None":
        """The pattern of a file; None where its elements do not end with native pixels, soon."""
        last = data_set.elements[-1] if data_set.elements else None
        if last is None or last.tag != PIXEL_DATA or last.fragments is not None:
            return None
        if last.end != len(buffer) or last.at > _LONGEST or len(data_set.elements) > _MOST:
            return None
        return cls(buffer, meta, data_set, syntax)

    def changed(self, buffer: Buffer) -> tuple[int, ...] | None:
        """Which elements of the data set have other values; None for a file of another pattern.

        `buffer` is as long as the one that the pattern is of.
        """
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

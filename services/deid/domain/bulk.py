"""How much of a bulk value is what its description gives? What lies behind that is nothing of it.

A value that is shorter than it is described is none at all: None.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import unpack

_DESCRIPTOR = 6  # bytes: three unsigned shorts
_BYTE = 8
_BITS = range(_BYTE, 17)
_MOST = 1 << 16  # entries, which a descriptor writes as 0
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2  # PS3.3 C.7.9.2
_OFFSET = 4  # bytes
_UNITS = 6  # at most, of a segment that makes one entry: code, length and an offset in bytes


@dataclass(frozen=True, slots=True)
class Lookup:
    """A table by its descriptor (PS3.3 C.7.6.3.1.5, C.11.1.1): entries, and bits of each."""

    entries: int
    bits: int
    little: bool

    @classmethod
    def of(cls, raw: bytes, *, little: bool) -> "Lookup | None":
        if len(raw) != _DESCRIPTOR:
            return None
        entries, _, bits = unpack("<3H" if little else ">3H", raw)
        return cls(entries or _MOST, bits, little) if bits in _BITS else None

    def plain(self, raw: bytes) -> bytes | None:
        """The entries as they stand: in words, those of 8 bits in bytes or, by old writers, words.

        Of a longer value those are words of which one half is empty, or repeats the other.
        """
        words = self.entries * 2
        if self.bits > _BYTE or len(raw) == words:
            return cut(raw, words)
        first, second = raw[:words:2], raw[1:words:2]
        idle = not any(first) or not any(second) or first == second
        return cut(raw, words if len(raw) > words and idle else self.entries)

    def segmented(self, raw: bytes) -> bytes | None:
        """The segments that make up the entries, no fewer and no more."""
        width = 1 if self.bits == _BYTE else 2
        count = min(len(raw) // width, self.entries * _UNITS)
        code = f"{'<' if self.little else '>'}{count}{'B' if width == 1 else 'H'}"
        units = unpack(code, raw[: count * width])
        made, end = 0, 0
        for entries, behind in _segments(units, width):
            made, end = made + entries, behind
            if made >= self.entries:
                break
        return cut(raw, end * width) if made == self.entries else None


def _segments(units: Sequence[int], width: int) -> Iterator[tuple[int, int]]:
    """How many entries each segment makes, and where it ends; until one makes no sense."""
    at, numbers, sums = 0, dict[int, int](), [0]  # of segments that are no copies, by their begin
    while at + 2 < len(units):
        code, length = units[at], units[at + 1]
        entries = length
        if code == _INDIRECT:
            end = at + 2 + _OFFSET // width
            first = numbers.get(_number(units[at + 2 : end], width), len(sums))
            last = first + length
            entries = sums[last] - sums[first] if last < len(sums) else 0
        else:
            end = at + 2 + (length if code == _DISCRETE else 1)
        known = code in {_DISCRETE, _INDIRECT} or (code == _LINEAR and at > 0)
        if not known or not entries or end > len(units):
            return
        if code != _INDIRECT:
            numbers[at * width] = len(numbers)
            sums.append(sums[-1] + entries)
        at = end
        yield entries, at


def _number(units: Sequence[int], width: int) -> int:
    """The lower parts come first."""
    return sum(unit << 8 * width * place for place, unit in enumerate(units))


def cut(raw: bytes, length: int) -> bytes | None:
    """As many bytes, made even; None when there are fewer."""
    if len(raw) < length or not length:
        return None
    return raw[:length] + b"\0" * (length % 2)


def lists_frames(offsets: bytes, lengths: bytes, fragments: Sequence[int]) -> bool:
    """Whether an Extended Offset Table and its lengths are those of the fragments (PS3.3 C.7.6.3).

    Each fragment is a frame; the one byte that makes it even may count or not.
    """
    if not len(offsets) == len(lengths) == 8 * len(fragments):
        return False
    begin = 0
    pairs = zip(_numbers(offsets), _numbers(lengths), fragments, strict=True)
    for offset, length, fragment in pairs:
        if offset != begin or length not in {fragment, fragment - 1}:
            return False
        begin += 8 + fragment
    return True


def _numbers(raw: bytes) -> tuple[int, ...]:
    return unpack(f"<{len(raw) // 8}Q", raw)

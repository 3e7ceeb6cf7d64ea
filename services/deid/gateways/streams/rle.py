"""Which bytes of an RLE frame are no image? (PS3.5 annex G)"""

from itertools import pairwise

from rle.rle import decode_segment

from services.deid.gateways.streams.walked import (
    Edit,
    UnwalkableError,
    Walked,
    changed,
    is_empty,
)
from shared.runtime.decoding import decoding
from shared.runtime.dicom.heads import Buffer

_HEADER, _OFFSET, _MOST_SEGMENTS = 64, 4, 15
_AT_ONCE = 32 << 20  # bytes of a decoded segment; a larger one is walked slowly, in no memory
_NOTHING = 0x80  # a header byte that stands for no byte (G.3.1)


def walk(stream: Buffer, start: int, end: int, segments: int, size: int) -> Walked:
    """One frame of so many segments, of `size` bytes each. Raises UnwalkableError."""
    offsets = [
        int.from_bytes(stream[at : at + _OFFSET], "little")
        for at in range(start, start + _HEADER, _OFFSET)
    ]
    count, used = offsets[0], offsets[1 : segments + 1]
    borders = [*used, end - start]
    rising = all(one < other for one, other in pairwise(borders))
    if count != segments or segments > _MOST_SEGMENTS or borders[0] != _HEADER or not rising:
        raise UnwalkableError("an RLE frame whose segments are not where its header says")
    unused = start + _OFFSET * (segments + 1)
    edits: list[Edit] = changed(stream, unused, start + _HEADER)
    for one, other in pairwise(borders):
        last = _end(stream, start + one, start + other, size)
        if not is_empty(stream, last, start + other):
            if start + other == end:
                return Walked(start, last, tuple(edits))
            raise UnwalkableError("bytes between the segments of an RLE frame")
    return Walked(start, end, tuple(edits))


def _end(stream: Buffer, start: int, end: int, size: int) -> int:
    """Where the segment has given all its bytes."""
    if size <= _AT_ONCE and _gives(bytes(stream[start:end]), size):
        return end
    out, at = 0, start
    while out < size and at < end:
        head = stream[at]
        if head < _NOTHING:
            out, at = out + head + 1, at + head + 2
        elif head == _NOTHING:
            at += 1
        else:
            out, at = out + 257 - head, at + 2
    if not size <= out <= size + 1 or at > end:  # some writers code a byte of padding
        raise UnwalkableError("an RLE segment that is not as long as the image")
    return at


def _gives(segment: bytes, size: int) -> bool:
    """Whether that comes out of it, and no more; a last byte that gives none is padding."""
    try:
        with decoding(ValueError):
            return len(decode_segment(segment)) == size
    except ValueError:
        return False

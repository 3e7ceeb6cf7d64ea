"""How do compressed pixels leave that are not blanked? Planned in full before a byte is written.

So the offset tables can stand before the frames, a stream that can't be walked is known in time,
and no frame is kept in memory. Where nothing has to change, no byte does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from mmap import MADV_DONTNEED, mmap

import numpy as np

from services.deid.gateways.streams import frames as tables
from services.deid.gateways.streams import jpeg, jpeg2000, rle
from services.deid.gateways.streams.frames import Fragment
from services.deid.gateways.streams.walked import Edit, UnwalkableError, Walked, is_empty
from shared.runtime.dicom import Element, Part10
from shared.runtime.dicom.file import RLE
from shared.runtime.dicom.heads import Buffer

_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
_SAMPLES, _ALLOCATED, _FRAMES = 0x00280002, 0x00280100, 0x00280008
_JOINED = 96 << 20  # bytes of a frame in several fragments, which are put together to be walked
_RESIDENT = 64 << 20  # bytes of a mapped file that may stay in memory
Walk = Callable[[Buffer, int, int], Walked]


@dataclass(frozen=True, slots=True)
class Frame:
    """The parts of the file that one frame keeps, a fragment each, and what changes in them."""

    fragments: tuple[Fragment, ...]
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`table`: the Basic Offset Table. `extended`: offsets and lengths of the other, or none."""

    frames: tuple[Frame, ...]
    table: bytes
    extended: tuple[bytes, bytes] | None


def plan(file: Part10, pixels: Element) -> Plan:
    """Walk all frames. Raises UnwalkableError."""
    before = tables.groups(file, pixels)
    frames = tuple(_planned(file, before))
    after = [one.fragments for one in frames]
    table = tables.table(after) if tables.has_table(file, pixels, before) else b""
    extended = None
    if tables.has_extended(file, before):
        said = tables.said_lengths(file)
        kept = [
            old if left == first else left[0][1]
            for old, left, first in zip(said, after, before, strict=True)
        ]
        extended = table_of(tables.offsets(after)), table_of(kept)
    return Plan(frames, table, extended)


def table_of(numbers: Sequence[int]) -> bytes:
    return np.asarray(numbers, "<u8").tobytes()


def cleaned_frame(file: Part10, frame: bytes) -> bytes:
    """One frame's fragments together, without what is no image. Raises UnwalkableError."""
    walked = _ending(frame, _walk_of(file, frame[:4])(frame, 0, len(frame)), 0, len(frame))
    out = bytearray(frame)
    for one in walked.edits:
        out[one.start : one.end] = one.content()
    return bytes(out[walked.begin : walked.end])


def _planned(file: Part10, groups: Sequence[tuple[Fragment, ...]]) -> Iterator[Frame]:
    seen = 0
    for group in groups:
        yield _frame(file, group)
        seen += sum(length for _, length in group)
        if seen >= _RESIDENT and isinstance(file.buffer, mmap):
            file.buffer.madvise(MADV_DONTNEED)
            seen = 0


def _frame(file: Part10, group: tuple[Fragment, ...]) -> Frame:
    if len(group) == 1:
        ((at, length),) = group
        stream, start, end = file.buffer, at, at + length
    else:
        stream, start = _joined(file, group), 0
        end = len(stream)
    walked = _walk_of(file, bytes(stream[start : start + 4]))(stream, start, end)
    walked = _ending(stream, walked, start, end)
    if walked == Walked(start, end):
        return Frame(group)
    if len(group) == 1:
        return Frame(((walked.begin, walked.end - walked.begin),), walked.edits)
    return _parted(group, walked)


def _ending(stream: Buffer, walked: Walked, start: int, end: int) -> Walked:
    """Padding stays, be it long; anything else behind the image does not."""
    if walked.begin == start and is_empty(stream, walked.end, end):
        return Walked(start, end, walked.edits)
    return walked


def _joined(file: Part10, group: tuple[Fragment, ...]) -> bytearray:
    """Each part once in memory: a frame may have as many bytes as a process has left."""
    size = sum(length for _, length in group)
    if size > _JOINED:
        raise UnwalkableError("a frame in several fragments that is too large to be walked")
    if any(length % 2 for _, length in group[:-1]):
        raise UnwalkableError("a fragment of odd length inside a frame")
    out, end = bytearray(size), 0
    with memoryview(file.buffer) as whole:
        for at, length in group:
            with whole[at : at + length] as part:
                out[end : end + length] = part
            end += length
    return out


def _parted(group: tuple[Fragment, ...], walked: Walked) -> Frame:
    """The same fragments, as far as the image goes; edits where they lie in the file."""
    left: list[Fragment] = []
    edits: list[Edit] = []
    ends = np.cumsum([0, *(length for _, length in group)]).tolist()
    for (at, _), (first, last) in zip(group, pairwise(ends), strict=True):
        begin, end = max(walked.begin, first), min(walked.end, last)
        if begin >= end:
            continue
        left.append((at + begin - first, end - begin))
        for one in walked.edits:
            low, high = max(one.start, begin), min(one.end, end)
            if low < high:
                head = one.content()[low - one.start : high - one.start].rstrip(b"\0")
                edits.append(Edit(at + low - first, at + high - first, head))
    return Frame(tuple(left), tuple(edits))


def _walk_of(file: Part10, head: bytes) -> Walk:
    """By the transfer syntax, and where that says JPEG, by what the stream says."""
    if file.transfer_syntax == RLE:
        return _rle(file)
    if file.transfer_syntax == _UNCOMPRESSED:
        return lambda _, start, end: _uncompressed(file, start, end)
    if head.startswith(jpeg.START):
        return jpeg.walk
    if head in {jpeg2000.START, jpeg2000.JP2[:4]}:
        return jpeg2000.walk
    raise UnwalkableError("a video, or a stream of no kind that is known")


def _rle(file: Part10) -> Walk:
    size = _frame_bytes(file)
    segments = (file.number(_SAMPLES) or 1) * ((file.number(_ALLOCATED) or 0) // 8)
    if not size or not segments:
        raise UnwalkableError("an RLE frame without a description")
    return lambda stream, start, end: rle.walk(stream, start, end, segments, size // segments)


def _uncompressed(file: Part10, start: int, end: int) -> Walked:
    size = _frame_bytes(file)
    if not 0 < size <= end - start:
        raise UnwalkableError("an uncompressed frame that is not as long as its description")
    return Walked(start, start + size)


def _frame_bytes(file: Part10) -> int:
    return (file.native_pixel_bytes() or 0) // (file.number(_FRAMES) or 1)

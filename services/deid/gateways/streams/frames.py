"""Which fragments belong to a frame? (PS3.5 A.4)"""

from collections.abc import Sequence

import numpy as np

from services.deid.gateways.streams.walked import UnwalkableError
from shared.runtime.dicom import Element, Part10
from shared.runtime.dicom.tree import PIXEL_DATA

Fragment = tuple[int, int]  # offset and length in the buffer
_FRAMES = 0x00280008
EXTENDED_OFFSETS, EXTENDED_LENGTHS, TOTAL_LENGTH = 0x7FE00001, 0x7FE00002, 0x7FE00003
# What is written together, so that offsets are those of what is written; a total is not.
WITH_PIXELS = frozenset((EXTENDED_OFFSETS, EXTENDED_LENGTHS, TOTAL_LENGTH, PIXEL_DATA))
_ITEM_HEAD = 8
# How a frame of JPEG, JPEG-LS or JPEG 2000 begins; no fragment of another frame does.
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")


def groups(file: Part10, pixels: Element) -> list[tuple[Fragment, ...]]:
    """The fragments of each frame. Raises UnwalkableError where that is unclear."""
    table, *fragments = pixels.fragments or ((0, 0),)
    count = file.number(_FRAMES) or 1
    if count == 1:
        return [tuple(fragments)]
    if len(fragments) == count:
        return [(one,) for one in fragments]
    found = _grouped(fragments, _by_offsets(file, table, fragments))
    if len(found) != count:
        found = _grouped(fragments, [at for at, one in enumerate(fragments) if _starts(file, one)])
    if len(found) != count:
        raise UnwalkableError("it is unclear which fragments belong to a frame")
    return found


def offsets(frames: Sequence[Sequence[Fragment]]) -> list[int]:
    """Of each frame's first fragment from the first of all, by what the items take."""
    found, at = [], 0
    for frame in frames:
        found.append(at)
        at += sum(_ITEM_HEAD + length + length % 2 for _, length in frame)
    return found


def has_table(file: Part10, pixels: Element, frames: Sequence[Sequence[Fragment]]) -> bool:
    """Whether the Basic Offset Table says where the frames begin, and nothing else."""
    at, length = (pixels.fragments or ((0, 0),))[0]
    return bool(length) and bytes(file.buffer[at : at + length]) == table(frames)


def table(frames: Sequence[Sequence[Fragment]]) -> bytes:
    return np.asarray(offsets(frames), "<u4").tobytes()


def has_extended(file: Part10, frames: Sequence[Sequence[Fragment]]) -> bool:
    """Whether an Extended Offset Table says where the frames are, each in one fragment."""
    starts, lengths = (_numbers(file, tag) for tag in (EXTENDED_OFFSETS, EXTENDED_LENGTHS))
    if any(len(one) != 1 for one in frames) or starts != offsets(frames):
        return False
    there = [length for ((_, length),) in frames]
    return len(lengths) == len(there) and all(
        0 <= one - said <= 1 for one, said in zip(there, lengths, strict=True)
    )


def said_lengths(file: Part10) -> list[int]:
    return _numbers(file, EXTENDED_LENGTHS)


def _numbers(file: Part10, tag: int) -> list[int]:
    raw = file.raw(tag)
    return [] if len(raw) % 8 else np.frombuffer(raw, "<u8").tolist()


def _starts(file: Part10, fragment: Fragment) -> bool:
    head = bytes(file.buffer[fragment[0] : fragment[0] + min(fragment[1], 4)])
    return head.startswith(_STARTS)


def _by_offsets(file: Part10, table: Fragment, fragments: Sequence[Fragment]) -> list[int]:
    """By the Basic Offset Table: which fragments are the first of a frame."""
    at, length = table
    starts = set(np.frombuffer(bytes(file.buffer[at : at + length - length % 4]), "<u4").tolist())
    return [n for n, one in enumerate(fragments) if one[0] - fragments[0][0] in starts]


def _grouped(fragments: Sequence[Fragment], firsts: list[int]) -> list[tuple[Fragment, ...]]:
    if firsts[:1] != [0]:
        return []
    ends = [*firsts[1:], len(fragments)]
    return [tuple(fragments[one:end]) for one, end in zip(firsts, ends, strict=True)]

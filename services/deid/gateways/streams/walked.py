"""What did a walk along a compressed frame find?"""

from dataclasses import dataclass
from typing import NamedTuple

from shared.runtime.dicom import UnreadableError
from shared.runtime.dicom.heads import Buffer


class UnwalkableError(UnreadableError):
    """What a stream holds beside the image can't be told, so nobody may have it."""

    def __init__(self, detail: str) -> None:
        super().__init__("malformed", detail)


class Edit(NamedTuple):
    """Bytes from `start` to `end` become `head`, and zeros behind it."""

    start: int
    end: int
    head: bytes = b""

    def content(self) -> bytes:
        return self.head.ljust(self.end - self.start, b"\0")


@dataclass(frozen=True, slots=True)
class Walked:
    """Where the image lies, and what in it is none. All offsets are those of the bytes walked."""

    begin: int
    end: int
    edits: tuple[Edit, ...] = ()


def changed(stream: Buffer, start: int, end: int, head: bytes = b"") -> list[Edit]:
    """The edit after which `head` and zeros stand there; none where they do already."""
    edit = Edit(start, end, head)
    return [] if stream[start:end] == edit.content() else [edit]


def is_empty(stream: Buffer, start: int, end: int) -> bool:
    """Whether nothing but zeros stands there."""
    return all(
        not stream[at : min(at + _STEP, end)].strip(b"\0") for at in range(start, end, _STEP)
    )


def word(stream: Buffer, at: int, width: int = 2) -> int:
    return int.from_bytes(stream[at : at + width], "big")


_STEP = 1 << 20

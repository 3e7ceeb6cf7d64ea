"""How is a multipart/related body of gigabytes read? Part by part, each to a file of its own.

Never more than a piece of the body is in memory. Part 10 files come in parts as RFC 2387 and
PS3.18 section 8.6.1.2 say; a part over the limit is read to its end and thrown away.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from shared.runtime.errors import Problem

PIECE: Final = 1 << 18  # bytes per turn of a thread
MEDIA_TYPE: Final = "application/dicom"
LONGEST_BOUNDARY: Final = 70  # RFC 2046 section 5.1.1


@dataclass(frozen=True, slots=True)
class Part:
    """A part that came to its end, or not (`whole`). The reader of `path` removes the file."""

    path: Path
    media_type: str
    whole: bool = True
    too_large: bool = False


def boundary_of(content_type: str) -> str:
    """Give the boundary of a multipart/related body of DICOM files, or refuse the media type."""
    header = Message()
    header["content-type"] = content_type
    kind = header.get_param("type", MEDIA_TYPE)
    boundary = header.get_boundary()
    wrong = header.get_content_type() != "multipart/related" or kind != MEDIA_TYPE
    if wrong or not boundary or len(boundary) > LONGEST_BOUNDARY:
        raise Problem(
            415,
            "unsupported-media-type",
            f'Send multipart/related; type="{MEDIA_TYPE}"; boundary=..., one Part 10 file a part.',
        )
    return boundary


async def parts(
    body: AsyncIterable[bytes], boundary: str, folder: Path, most_bytes: int
) -> AsyncIterator[Part]:
    """Give each part as soon as it ended; the last one, if it was cut off, as not whole."""
    reader = _Reader(boundary, folder, most_bytes)
    waiting = bytearray()
    try:
        async for chunk in body:
            waiting += chunk
            if len(waiting) >= PIECE:
                for part in await asyncio.to_thread(reader.feed, bytes(waiting)):
                    yield part
                waiting.clear()
        for part in await asyncio.to_thread(reader.finish, bytes(waiting)):
            yield part
    except FormParserError:
        raise Problem(
            400, "malformed-multipart", "The body is no well-formed multipart: check its boundary."
        ) from None
    finally:
        reader.close()


class _Reader:
    """Turns the parser's callbacks into files."""

    def __init__(self, boundary: str, folder: Path, most_bytes: int) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._number, self._size = 0, 0
        self._file: IO[bytes] | None = None
        self._field, self._value, self._media_type = b"", b"", ""
        self._ended: list[Part] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_field,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_part_data": self._take,
                "on_part_end": self._end,
            },
        )

    def feed(self, piece: bytes) -> list[Part]:
        self._parser.write(piece)
        ended, self._ended = self._ended, []
        return ended

    def finish(self, piece: bytes) -> list[Part]:
        ended = self.feed(piece)
        if self._file is None:
            return ended
        return [*ended, self._part(whole=False)]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        self._number += 1
        self._size, self._media_type = 0, ""
        self._file = self._path.open("wb")

    @property
    def _path(self) -> Path:
        return self._folder / str(self._number)

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        if self._field.lower() == b"content-type":
            self._media_type = self._value.decode("latin-1").split(";")[0].strip().lower()
        self._field = self._value = b""

    def _take(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._file is not None and self._size <= self._most_bytes:
            self._file.write(memoryview(data)[start:end])

    def _end(self) -> None:
        self._ended.append(self._part(whole=True))

    def _part(self, *, whole: bool) -> Part:
        if self._file is not None:
            self._file.close()
        self._file = None
        return Part(self._path, self._media_type, whole, self._size > self._most_bytes)

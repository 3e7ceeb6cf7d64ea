"""Frames of a few bytes in every coding, for tests that change them."""

import struct

from shared.testing.part10 import JPEG, JPEG_FRAME, RLE, RLE_FRAME, Writer
from shared.testing.streams import FRAME_2000, JPEG_2000, JPEG_LS, LS_FRAME

PLAIN = {JPEG: JPEG_FRAME, JPEG_LS: LS_FRAME, JPEG_2000: FRAME_2000, RLE: RLE_FRAME}
TILE = FRAME_2000.index(b"\xff\x90")
SECRET = b"HARTIGAN MARY ANNE 4711 "


def padded(frame: bytes) -> bytes:
    return frame + b"\0" * (len(frame) % 2)


def file_of(syntax: str, *fragments: bytes, table: bytes = b"", frames: int = 1) -> bytes:
    write = Writer(syntax)
    number = write.element(0x00280008, "IS", str(frames))
    pixels = write.encapsulated(table, *(padded(one) for one in fragments))
    return write.file([(0x00280008, number)], pixels=pixels)


def with_length(frame: bytes, at: int, more: int) -> bytes:
    """The number of four bytes there, raised."""
    (size,) = struct.unpack_from(">I", frame, at)
    return frame[:at] + struct.pack(">I", size + more) + frame[at + 4 :]

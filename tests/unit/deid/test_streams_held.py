"""Compressed pixels that can't be walked to their end are held, and soon."""

import struct
import time
from pathlib import Path

import pytest

from services.deid.domain.pixels import RELEASABLE
from services.deid.domain.policy import BASIC
from services.deid.gateways.streams import UnwalkableError, jpeg, jpeg2000
from shared.testing.part10 import JPEG, JPEG_FRAME, RLE, RLE_FRAME, segment
from shared.testing.streams import FRAME_2000, JPEG_2000, JPEG_LS, LS_FRAME, box
from tests.unit.deid.files import cleaned, task
from tests.unit.deid.streams import SECRET, TILE, file_of, with_length


def jp2(*inside: bytes) -> bytes:
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return start + box(b"jp2h", b"".join(inside)) + box(b"jp2c", FRAME_2000)


SCAN = JPEG_FRAME.index(b"\xff\xda")
GAP = struct.pack("<16I", 2, 64, 66 + len(SECRET), *[0] * 13)
UNSOUND = {
    "JPEG without an end": (JPEG, JPEG_FRAME[:-2] + SECRET),
    "JPEG with bytes between segments": (JPEG, JPEG_FRAME[:2] + SECRET + JPEG_FRAME[2:]),
    "JPEG with a long table": (JPEG, JPEG_FRAME[:2] + segment(0xC4, SECRET) + JPEG_FRAME[2:]),
    "JPEG with long steps": (JPEG, JPEG_FRAME[:2] + segment(0xDB, SECRET) + JPEG_FRAME[2:]),
    "JPEG with a reserved segment": (JPEG, JPEG_FRAME[:2] + segment(0xF0, SECRET) + JPEG_FRAME[2:]),
    "JPEG with a long scan header": (
        JPEG,
        JPEG_FRAME[:SCAN] + segment(0xDA, b"\1\1\0\1\0\0" + SECRET) + JPEG_FRAME[-4:],
    ),
    "JPEG in a JPEG": (JPEG, JPEG_FRAME[:2] + JPEG_FRAME),
    "JPEG with two frame headers": (JPEG, JPEG_FRAME[:-2] + JPEG_FRAME[2:]),
    "JPEG-LS with a palette": (
        JPEG_LS, LS_FRAME[:2] + segment(0xF8, b"\2\1\1" + SECRET) + LS_FRAME[2:]
    ),
    "JPEG-LS without an end": (JPEG_LS, LS_FRAME[:-2] + SECRET),
    "JPEG 2000 with a wrong length": (JPEG_2000, with_length(FRAME_2000, TILE + 6, 5)),
    "JPEG 2000 with a tile too many": (
        JPEG_2000,
        FRAME_2000[:-2] + b"\xff\x90\0\x0a\0\1" + struct.pack(">I", 14 + len(SECRET))
        + b"\0\1\xff\x93" + SECRET + b"\xff\xd9",
    ),
    "JPEG 2000 with a false table of lengths": (
        JPEG_2000, FRAME_2000[:TILE] + segment(0x55, b"\0\x40" + SECRET) + FRAME_2000[TILE:]
    ),
    "JPEG 2000 with packed headers": (
        JPEG_2000, FRAME_2000[:TILE] + segment(0x60, b"\0" + SECRET) + FRAME_2000[TILE:]
    ),
    "JPEG 2000 with a long style": (
        JPEG_2000, FRAME_2000[:TILE] + segment(0x5C, b"\x40" + SECRET + b"\0") + FRAME_2000[TILE:]
    ),
    "JPEG 2000 with bytes in the place of its end": (JPEG_2000, FRAME_2000[:-2] + SECRET),
    "JP2 with a palette": (JPEG_2000, jp2(box(b"pclr", SECRET))),
    "JP2 without a stream": (JPEG_2000, jp2()[:40] + box(b"xml ", SECRET)),
    "RLE with a gap": (RLE, GAP + b"\xf1\0" + SECRET + b"\xf1\7"),
    "uncompressed and too short": ("1.2.840.10008.1.2.1.98", SECRET),
    "RLE with an early end": (RLE, RLE_FRAME[:-2] + b"\xf2\7"),
    "RLE with another number of segments": (RLE, b"\3" + RLE_FRAME[1:]),
    "video": ("1.2.840.10008.1.2.4.102", b"\0\0\0\x18ftypmp42" + SECRET),
    "nothing": (JPEG, b"\0\0" + SECRET),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSOUND)
def test_what_can_not_be_walked_is_held(name: str, tmp_path: Path) -> None:
    syntax, frame = UNSOUND[name]

    clean, receipt = cleaned(file_of(syntax, frame), tmp_path, task(BASIC))

    assert [one.code for one in receipt.doubts] == ["stream_not_understood"]
    assert "stream_not_understood" not in RELEASABLE
    assert b"HARTIGAN" not in clean


@pytest.mark.parametrize("fragments", [1, 2, 4])
def test_fragments_of_no_frame_in_particular_are_held(fragments: int, tmp_path: Path) -> None:
    frames = [SECRET, *[JPEG_FRAME] * 2, SECRET][:fragments]

    _, receipt = cleaned(file_of(JPEG, *frames, frames=3), tmp_path, task(BASIC))

    assert [one.code for one in receipt.doubts] == ["stream_not_understood"]


@pytest.mark.parametrize("frame", [JPEG_FRAME, LS_FRAME, FRAME_2000])
def test_a_stream_cut_anywhere_is_never_walked_past_its_end(frame: bytes) -> None:
    walk = jpeg2000.walk if frame is FRAME_2000 else jpeg.walk
    for end in range(len(frame) - 2):
        with pytest.raises(UnwalkableError):
            walk(frame[:end], 0, end)


@pytest.mark.parametrize(
    ("syntax", "frame"),
    [
        (JPEG, JPEG_FRAME[:2] + b"\xff\xfe\0\3A" * 100_000 + JPEG_FRAME[2:]),
        (JPEG, JPEG_FRAME[:-2] + b"\xff\xff\0" * 100_000 + b"\xff\xd9"),
        (JPEG_2000, FRAME_2000[:TILE] + b"\xff\x64\0\2" * 300_000 + FRAME_2000[TILE:]),
    ],
)
def test_what_would_take_long_is_held_soon(syntax: str, frame: bytes, tmp_path: Path) -> None:
    began = time.process_time()

    _, receipt = cleaned(file_of(syntax, frame), tmp_path, task(BASIC))

    assert [one.code for one in receipt.doubts] == ["stream_not_understood"]
    assert time.process_time() - began < 2

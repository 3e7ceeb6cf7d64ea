"""Compressed pixels leave without what hides beside the image, and the image leaves as it came."""

import struct
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from services.deid.domain.policy import BASIC
from services.deid.gateways.streams import jpeg, jpeg2000
from services.deid.gateways.streams.plan import plan
from shared.runtime.dicom import read_part10
from shared.testing.part10 import JPEG, JPEG_FRAME, RLE, RLE_FRAME, Writer, segment
from shared.testing.streams import (
    FRAME_2000,
    JPEG_LS,
    LS_FRAME,
    Hideouts,
    hideouts,
)
from tests.unit.deid.coded import blanked, image, noise, pixels_of, with_uids
from tests.unit.deid.files import cleaned, task
from tests.unit.deid.streams import PLAIN, SECRET, TILE, file_of, padded, with_length

SAMPLES = (
    "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "JPEG2000.dcm", "JPEGLSNearLossless_16.dcm",
    "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm", "SC_rgb_gdcm_KY.dcm", "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle_32bit_2frame.dcm", "SC_rgb_small_odd_jpeg.dcm",
    "examples_jpeg2k.dcm", "examples_ybr_color.dcm", "rtdose_rle.dcm",
)  # fmt: skip


def clean_fragments(content: bytes, folder: Path) -> list[bytes]:
    """The offset table, then the fragments."""
    clean, receipt = cleaned(content, folder, task(BASIC))
    assert not receipt.doubts
    again, _ = cleaned(clean, folder, task(BASIC))
    assert again == clean
    file = read_part10(clean)
    return [clean[at : at + n] for at, n in file.data_set.by_tag[0x7FE00010].fragments or ()]


@pytest.mark.parametrize("name", SAMPLES)
def test_scanners_frames_keep_their_bytes_but_for_comments(name: str) -> None:
    content = Path(str(get_testdata_file(name))).read_bytes()
    file = read_part10(content)
    pixels = file.data_set.by_tag[0x7FE00010]

    planned = plan(file, pixels)

    after = bytearray(content)
    for frame in planned.frames:
        for one in frame.edits:
            assert b"\xff\x64" in content[one.start - 6 : one.start]
            after[one.start : one.end] = one.content()
    left = [one for frame in planned.frames for one in frame.fragments]
    for (at, kept), (before, length) in zip(left, (pixels.fragments or ())[1:], strict=True):
        assert at == before
        assert content[at + kept : at + length] in {b"", b"\xff"}  # a byte of padding
    assert (pixels_of(bytes(after)) == pixels_of(content)).all()


@pytest.mark.parametrize("name", [*SAMPLES, "GDCMJ2K_TextGBR.dcm"])
def test_scanners_images_are_decoded_to_the_same(name: str) -> None:
    content = with_uids(Path(str(get_testdata_file(name))).read_bytes())

    assert (pixels_of(blanked(content)) == pixels_of(content)).all()


@pytest.mark.parametrize("one", list(hideouts()), ids=lambda one: one.name)
def test_the_image_is_what_it_was(one: Hideouts, tmp_path: Path) -> None:
    clean, receipt = cleaned(one.content(), tmp_path, task(BASIC))
    twice, _ = cleaned(clean, tmp_path, task(BASIC))

    assert not receipt.doubts
    assert twice == clean
    if one.name != "jpeg":  # of two components, which its header doesn't say
        dataset = dcmread(BytesIO(clean))
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 15, 0
        before = dcmread(BytesIO(file_of(one.syntax, PLAIN[one.syntax])))
        before.BitsStored, before.HighBit, before.PixelRepresentation = 16, 15, 0
        assert (dataset.pixel_array == before.pixel_array).all()


@pytest.mark.parametrize(
    ("syntax", "frame"),
    [
        (JPEG, JPEG_FRAME[:2] + segment(0xFE, SECRET) + JPEG_FRAME[2:] + SECRET),
        (JPEG_LS, LS_FRAME[:2] + b"\xff" + segment(0xE3, SECRET) + LS_FRAME[2:] + SECRET),
        (RLE, RLE_FRAME + SECRET),
    ],
    ids=["JPEG", "JPEG-LS", "RLE"],
)
def test_wherever_a_frame_is_cut_into_fragments_nothing_is_left(
    syntax: str, frame: bytes, tmp_path: Path
) -> None:
    whole = b"".join(clean_fragments(file_of(syntax, frame), tmp_path))
    for at in range(2, len(frame) - 1, 2):
        left = clean_fragments(file_of(syntax, frame[:at], frame[at:]), tmp_path)

        assert b"".join(left) == whole
    assert b"HARTIGAN" not in whole
    assert len(whole) < len(frame)


def frames_of(syntax: str, tail: bytes) -> list[bytes]:
    return [padded(PLAIN[syntax] + (tail if number == 1 else b"")) for number in range(3)]


def offsets(frames: list[bytes]) -> list[int]:
    return [sum(len(one) + 8 for one in frames[:number]) for number in range(len(frames))]


@pytest.mark.parametrize("syntax", PLAIN)
def test_offsets_are_those_of_what_is_left(syntax: str, tmp_path: Path) -> None:
    frames = frames_of(syntax, SECRET)
    table = struct.pack("<3I", *offsets(frames))

    after, *left = clean_fragments(file_of(syntax, *frames, table=table, frames=3), tmp_path)

    assert left == [padded(PLAIN[syntax])] * 3
    assert after == struct.pack("<3I", *offsets(left))


@pytest.mark.parametrize("table", [b"", SECRET[:12], struct.pack("<3I", 0, 9, 99)])
def test_a_table_of_no_offsets_becomes_empty(table: bytes, tmp_path: Path) -> None:
    frames = frames_of(JPEG, b"")

    assert clean_fragments(file_of(JPEG, *frames, table=table, frames=3), tmp_path) == [
        b"",
        *frames,
    ]


def test_frames_in_several_fragments_are_found_without_a_table(tmp_path: Path) -> None:
    frames = [JPEG_FRAME[:10], JPEG_FRAME[10:], JPEG_FRAME, SECRET]

    left = clean_fragments(file_of(JPEG, *frames, frames=2), tmp_path)

    assert left == [b"", padded(JPEG_FRAME[:10]), padded(JPEG_FRAME[10:]), padded(JPEG_FRAME)]


@pytest.mark.parametrize("tail", [b"", SECRET])
def test_an_extended_offset_table_says_where_frames_are(tail: bytes, tmp_path: Path) -> None:
    frames = frames_of(JPEG_LS, tail)
    write = Writer(JPEG_LS)
    lengths = [len(LS_FRAME) + (len(tail) if number == 1 else 0) for number in range(3)]
    content = write.file(
        [
            (0x00280008, write.element(0x00280008, "IS", "3")),
            (0x7FE00001, write.element(0x7FE00001, "OV", struct.pack("<3Q", *offsets(frames)))),
            (0x7FE00002, write.element(0x7FE00002, "OV", struct.pack("<3Q", *lengths))),
        ],
        pixels=write.encapsulated(b"", *frames),
    )

    clean, receipt = cleaned(content, tmp_path, task(BASIC))

    file = read_part10(clean)
    left = clean_fragments(content, tmp_path)[1:]
    assert not receipt.doubts
    assert file.raw(0x7FE00001) == struct.pack("<3Q", *offsets(left))
    assert file.raw(0x7FE00002) == struct.pack("<3Q", *[len(LS_FRAME)] * 3)
    assert left == [padded(LS_FRAME)] * 3


def test_a_fragment_of_any_size_is_walked(tmp_path: Path) -> None:
    scan = b"\x12" * (65 << 20)
    frame = JPEG_FRAME[:-4] + scan + segment(0xFE, SECRET) + JPEG_FRAME[-2:] + SECRET

    clean, receipt = cleaned(file_of(JPEG, frame), tmp_path, task(BASIC))

    assert not receipt.doubts
    assert b"HARTIGAN" not in clean[len(clean) - 1000 :]
    assert scan in clean


def test_uncompressed_frames_in_fragments_end_where_their_image_does(tmp_path: Path) -> None:
    left = clean_fragments(file_of("1.2.840.10008.1.2.1.98", bytes(range(32)) + SECRET), tmp_path)

    assert left == [b"", bytes(range(32))]


def test_a_large_frame_may_have_several_fragments_up_to_a_bound(tmp_path: Path) -> None:
    def parts(size: int) -> list[bytes]:
        return [JPEG_FRAME[:-4], bytes(size >> 1), bytes(size >> 1), JPEG_FRAME[-2:] + SECRET]

    kept, nothing = cleaned(file_of(JPEG, *parts(70 << 20)), tmp_path, task(BASIC))
    _, held = cleaned(file_of(JPEG, *parts(128 << 20)), tmp_path, task(BASIC))

    assert not nothing.doubts
    assert kept.endswith(b"\xff\xd9\xfe\xff\xdd\xe0\0\0\0\0")
    assert [one.code for one in held.doubts] == ["stream_not_understood"]


HEADS = [
    (0xE0, b"JFIF\0\1\2\1\0\x48\0\x48\0\0", b""),
    (0xE0, b"JFIF\0SMITHMARY", b"JFIF\0\1\1\0\0\1\0\1\0\0"),
    (0xEE, b"Adobe\0\x64\0\0\0\0\1", b""),
    (0xEE, b"AdobeSMITHY\2", b"Adobe\0\x64\0\0\0\0\2"),
    (0xE8, b"mrfx\1", b""),
    (0xE8, b"\0\0\0\1\xff\xd8", b""),
    (0xE8, b"SPIFF\0\2\0\0\1\0\0\0\4\0\0\0\4\x08\x10\0\0\0\0\0\1\0\0\0\1", b""),
    (
        0xE8,
        b"SPIFF\0\2\0\0\1\0\0\0\4\0\0\0\4\x08\x10\0\0SMITHANN",
        b"SPIFF\0\2\0\0\1\0\0\0\4\0\0\0\4\x08\x10\0\0\0\0\0\1\0\0\0\1",
    ),
    (0xE2, b"ICC_PROFILE\0SMITH", bytes(17)),
]


@pytest.mark.parametrize(("marker", "content", "kept"), HEADS)
def test_what_says_how_to_decode_stays_where_it_says_that(
    marker: int, content: bytes, kept: bytes
) -> None:
    frame = JPEG_FRAME[:2] + segment(marker, content) + JPEG_FRAME[2:]

    walked = jpeg.walk(frame, 0, len(frame))

    assert (walked.begin, walked.end) == (0, len(frame))
    assert [one.content() for one in walked.edits] == ([kept] if kept else [])


def tables() -> Iterator[tuple[str, bytes]]:
    """The sound tables that may stand in the headers of JPEG 2000."""
    size = len(FRAME_2000) - 2 - TILE
    for kind, entry in ((0x40, struct.pack(">I", size)), (0x50, struct.pack(">BI", 0, size))):
        lengths = segment(0x55, bytes([0, kind]) + entry)
        yield f"TLM {kind:x}", FRAME_2000[:TILE] + lengths + FRAME_2000[TILE:]
    packets = segment(0x58, bytes([0, size - 14]))
    tile = with_length(FRAME_2000, TILE + 6, len(packets))
    yield "PLT", tile[: TILE + 12] + packets + tile[TILE + 12 :]
    yield "no end", FRAME_2000[:-2]
    yield "the last length left out", with_length(FRAME_2000, TILE + 6, -size)
    yield "CAP", FRAME_2000[:TILE] + segment(0x50, b"\0\2\0\0\0\0") + FRAME_2000[TILE:]


@pytest.mark.parametrize("frame", [pytest.param(one, id=name) for name, one in tables()])
def test_sound_tables_of_jpeg_2000_stay(frame: bytes) -> None:
    walked = jpeg2000.walk(frame, 0, len(frame))

    assert (walked.begin, walked.end, walked.edits) == (0, len(frame), ())


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless, RLELossless])
def test_frames_of_noise_are_bit_identical(syntax: str, tmp_path: Path) -> None:
    """Coded noise has every pair of bytes that a scan may have."""
    raw = image(noise(3, 90, 110, dtype="u2", high=60000), "MONOCHROME2", syntax)
    file = read_part10(raw)
    pixels = file.data_set.by_tag[0x7FE00010]

    planned = plan(file, pixels)

    left = [one for frame in planned.frames for one in frame.fragments]
    assert left == list(pixels.fragments or ())[1:]
    assert planned.table == raw[(pixels.fragments or ())[0][0] :][: len(planned.table)]
    assert len(planned.table) == 12
    assert all(syntax == JPEG2000Lossless for frame in planned.frames if frame.edits)


def test_no_fragment_is_read_beyond_its_own() -> None:
    """Scanners' frames again, each with another's bytes behind it."""
    content = with_uids(Path(str(get_testdata_file("examples_ybr_color.dcm"))).read_bytes())
    file = read_part10(content)
    fragments = (file.data_set.by_tag[0x7FE00010].fragments or ())[1:]

    for (at, length), (after, _) in pairwise(fragments):
        assert jpeg.walk(content, at, after + 50).end <= at + length

"""The walker: what it refuses, how soon, and that honest files pass."""

import contextlib
import struct
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from shared.runtime.dicom import LIMITS, Limits, UnreadableError, inspect, read_part10

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
OPEN_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)


def short(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def part10(syntax: str, body: bytes) -> bytes:
    return b"\0" * 128 + b"DICM" + short(2, 0x10, b"UI", syntax.encode()) + body


def sequence(length: int) -> bytes:
    return struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, length)


def bomb() -> bytes:
    """1 GiB of zeros in 1 MB: one flushed block, a thousand times."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return block * 1024 + deflater.flush()


ATTACKS = {
    "deflate bomb": (part10(EXPLICIT + ".99", bomb()), "inflates_too_far"),
    "8 MB of empty items": (
        part10(EXPLICIT, sequence(8 << 20) + ITEM * (1 << 20)),
        "too_many_elements",
    ),
    "8 MB of empty items, implicit": (
        part10(IMPLICIT, struct.pack("<HHI", 8, 0x1140, 8 << 20) + ITEM * (1 << 20)),
        "too_many_elements",
    ),
    "500 deep": (
        part10(EXPLICIT, (sequence(0xFFFFFFFF) + OPEN_ITEM) * 500),
        "nested_too_deep",
    ),
    "length of 4 GiB": (
        part10(EXPLICIT, struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 0xFFFFFFF0) + b"\0" * 16),
        "truncated",
    ),
    "an attribute twice": (
        part10(EXPLICIT, short(8, 0x60, b"CS", b"CT") * 2),
        "duplicate_attribute",
    ),
    "no transfer syntax": (
        b"\0" * 128 + b"DICM" + short(8, 0x60, b"CS", b"CT"),
        "missing_attribute",
    ),
    "a transfer syntax of nobody": (part10("1.2.3", b""), "unsupported_transfer_syntax"),
    "no DICOM": (b"GIF89a" * 100, "not_dicom"),
    "empty": (b"", "not_dicom"),
    "an end without a beginning": (
        part10(EXPLICIT, struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)),
        "malformed",
    ),
    "no VR": (part10(EXPLICIT, b"\x08\x00\x60\x00\x00\x00\x00\x00"), "malformed"),
    "without UIDs": (part10(EXPLICIT, short(8, 0x60, b"CS", b"CT")), "missing_attribute"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_its_reason_within_two_cpu_seconds(name: str) -> None:
    content, reason = ATTACKS[name]
    started = time.process_time()

    with pytest.raises(UnreadableError) as refusal:
        inspect(content)

    assert refusal.value.reason == reason
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        ("CT_small.dcm", EXPLICIT),
        ("MR_small_implicit.dcm", IMPLICIT),
        ("MR_small_bigendian.dcm", "1.2.840.10008.1.2.2"),
        ("image_dfl.dcm", "1.2.840.10008.1.2.1.99"),
        ("JPEG2000.dcm", "1.2.840.10008.1.2.4.91"),
        ("MR_small_RLE.dcm", "1.2.840.10008.1.2.5"),
    ],
)
def test_an_honest_file_passes_in_every_kind_of_syntax(name: str, syntax: str) -> None:
    header = inspect(Path(str(get_testdata_file(name))))

    assert header.transfer_syntax == syntax
    assert header.has_pixels
    assert (header.number(0x00280010) or 0) > 0


def test_a_name_is_read_in_its_character_set() -> None:
    folder = Path(str(get_testdata_file("CT_small.dcm"))).parent.parent / "charset_files"

    korean = inspect(folder / "chrKoreanMulti.dcm")
    russian = inspect(folder / "chrRuss.dcm")

    assert "김희중" in korean.text(0x00100010).replace("\u2028", "")
    assert russian.text(0x00100010).isalpha()
    assert russian.text(0x00100010)[0] == "\N{CYRILLIC CAPITAL LETTER EL}"


@pytest.mark.parametrize("name", ["CT_small.dcm", "JPEG2000.dcm", "image_dfl.dcm"])
def test_a_cut_anywhere_is_refused_or_leaves_no_pixels(name: str) -> None:
    whole = Path(str(get_testdata_file(name))).read_bytes()
    padding = 200  # Data Set Trailing Padding, and a deflated stream's last byte, may go

    for cut in range(0, len(whole) - padding, 97):
        try:
            header = inspect(whole[:cut])
        except UnreadableError:
            continue
        assert not header.has_pixels


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_bytes_crash_the_walker(data: st.DataObject) -> None:
    whole = bytearray(Path(str(get_testdata_file("MR_small_implicit.dcm"))).read_bytes()[:3000])
    for _ in range(data.draw(st.integers(1, 20))):
        whole[data.draw(st.integers(132, 2999))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(UnreadableError):
        inspect(bytes(whole), Limits(elements=10_000))


def test_a_value_that_only_looks_like_items_is_left_a_value() -> None:
    looks = ITEM[:4] + b"\xff\xff\xff\x00" + b"pixels"
    body = struct.pack("<HHI", 0x0009, 0x1010, len(looks)) + looks

    file = read_part10(part10(IMPLICIT, body), LIMITS)

    assert file.raw(0x00091010) == looks

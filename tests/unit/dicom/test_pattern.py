"""What is known of files before never changes what is found in this one."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from shared.runtime.dicom import DataSet, Part10, UnreadableError, file, read_part10
from shared.runtime.dicom.tree import PIXEL_DATA
from tests.unit.dicom.test_walk import EXPLICIT, part10, sequence, short

NAMES = ("CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm")
WHOLE = {name: Path(str(get_testdata_file(name))).read_bytes() for name in NAMES}
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 20)
UIDS = b"".join(short(*one, b"UI", b"1.2.3\0") for one in ((8, 0x16), (8, 0x18)))
NESTED = part10(
    EXPLICIT,
    UIDS
    + sequence(28)
    + ITEM
    + short(8, 0x1155, b"UI", b"1.2.3.4.5.6\0")
    + short(9, 0x10, b"LO", b"MAKER 1 ")
    + short(9, 0x1001, b"LO", b"ABCD")
    + b"".join(short(0x28, one, b"US", b"\4\0") for one in (0x10, 0x11))
    + short(0x28, 0x100, b"US", b"\x10\0")
    + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 32)
    + bytes(32),
)
WHOLE["nested"] = NESTED


def seen(content: bytes) -> object:
    """All that a reader is told."""
    try:
        one = read_part10(content)
    except UnreadableError as error:
        return error.reason
    return one.transfer_syntax, _plain(one.meta), _plain(one.data_set)


def _plain(data_set: DataSet) -> object:
    return [
        (*element[:6], element.fragments, [_plain(one) for one in element.items or ()])
        for element in data_set
    ]


def taught(content: bytes) -> Part10:
    file._PATTERNS.clear()
    return read_part10(content)


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_file_is_found_as_if_none_had_come_before(name: str, data: st.DataObject) -> None:
    whole = WHOLE[name]
    head = min(taught(whole).data_set.elements[-1].at + 8, len(whole))
    other = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        other[data.draw(st.integers(128, head - 1))] = data.draw(st.integers(0, 255))

    taught(whole)
    after = seen(bytes(other))
    file._PATTERNS.clear()

    assert after == seen(bytes(other))


def test_other_values_are_noticed_and_the_walk_is_spared() -> None:
    before = taught(NESTED)
    other = NESTED.replace(b"1.2.3.4.5.6", b"1.2.3.4.5.7").replace(b"ABCD", b"ABCE")

    after = read_part10(other)

    assert after.pattern is before.pattern
    tags = [after.data_set.elements[number].tag for number in after.changed]
    assert tags == [0x00081140, 0x00091001]
    assert after.raw(0x00091001) == b"ABCE"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"MAKER 1 ", b"MAKER 2 "),  # the creator says what the other elements are
        (b"\x09\x00\x01\x10LO\x04\x00", b"\x09\x00\x01\x10SH\x04\x00"),
        (EXPLICIT.encode() + b"\0", b"1.2.840.10008.1.2.2\0"),
    ],
)
def test_what_gives_other_bytes_their_meaning_makes_another_pattern(old: bytes, new: bytes) -> None:
    before = taught(NESTED)
    assert old in NESTED

    try:
        after = read_part10(NESTED.replace(old, new))
    except UnreadableError:
        return

    assert after.pattern is not before.pattern


def test_pixels_are_measured_by_each_files_own_description() -> None:
    taught(NESTED)
    rows = struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 4)

    with pytest.raises(UnreadableError, match="pixels_too_short"):
        read_part10(NESTED.replace(rows, rows[:-2] + b"\x40\0"))


def test_what_stands_behind_the_pixels_has_to_be_the_same() -> None:
    padded = NESTED + struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, 4) + b"\0\0\0\0"
    before = taught(padded)

    assert before.pattern is not None
    assert before.data_set.elements[before.pattern.pixels].tag == PIXEL_DATA
    assert read_part10(padded.replace(b"ABCD", b"ABCE")).pattern is before.pattern
    assert read_part10(padded[:-1] + b"\1").pattern is not before.pattern


def test_compressed_pixels_and_long_headers_are_walked_each_time() -> None:
    assert taught(WHOLE["JPEG2000.dcm"]).pattern is None
    long = NESTED.replace(
        UIDS, UIDS + struct.pack("<HH2sHI", 8, 0x19, b"UT", 0, 20_000) + b" " * 20_000
    )
    assert taught(long).pattern is None
    assert taught(long).data_set.elements[-1].tag == PIXEL_DATA

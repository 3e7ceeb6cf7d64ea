"""Bulk data goes as far as the file itself describes it, and where it belongs."""

import struct
import time
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom._dicom_dict import DicomDictionary
from pydicom.data import get_testdata_file

from services.deid.domain.actions import Action, Rulebook
from services.deid.domain.bulk import Lookup, cut, lists_frames
from services.deid.domain.policy import BASIC, OPTION_CODES, SECOND_OPINION, Policy
from services.deid.gateways import instance
from services.deid.gateways.instance import Receipt, table
from shared.runtime.dicom import file
from tests.unit.deid.files import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    RLE,
    Writer,
    cleaned,
    voi_lut,
)

TEXT = b"QUIBBLETON LIVES HERE "  # nobody whom a header knows
BULK = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
ECG, CT = "1.2.840.10008.5.1.4.1.1.9.1.1", "1.2.840.10008.5.1.4.1.1.2"
DESCRIPTORS = range(0x00281101, 0x00281104)
PALETTES = range(0x00281201, 0x00281204)
PALETTE_FILES = (Path(pydicom.__file__).parent / "data" / "palettes").glob("*.dcm")


def words(write: Writer, *numbers: int) -> bytes:
    return struct.pack(f"{write.order}{len(numbers)}H", *numbers)


def palette(
    write: Writer, data: bytes, entries: int = 16, bits: int = 16
) -> list[tuple[int, bytes]]:
    """Three palettes of the same content."""
    descriptor = words(write, entries, 0, bits)
    return [
        *((tag, write.element(tag, "US", descriptor)) for tag in DESCRIPTORS),
        *((tag, write.element(tag, "OW", data)) for tag in PALETTES),
    ]


def said(write: Writer, tag: int, value: str) -> tuple[int, bytes]:
    return tag, write.element(tag, "UI" if tag == 0x00080016 else "CS", value)


def clean(
    elements: Iterable[tuple[int, bytes]], folder: Path, write: Writer | None = None
) -> tuple[Dataset, bytes, Receipt]:
    content, receipt = cleaned((write or Writer()).file(elements), folder)
    return dcmread(BytesIO(content)), content, receipt


def test_whatever_is_bulk_by_its_vr_has_a_rule_of_its_own() -> None:
    """Kept is only what bulk.py judges, and the pixels."""
    policies = (BASIC, SECOND_OPINION)
    books = [Rulebook(table(), policy) for policy in policies]
    allowed = {Action.REMOVE, Action.BULK, Action.DUMMY, Action.EMPTY, Action.PIXELS}

    passed = {
        (tag, vr)
        for tag, entry in DicomDictionary.items()
        for vr in BULK.intersection(entry[0].split(" or "))
        for book in books
        for declared in ("", vr)
        if book.rule(tag, declared).action not in allowed
    }

    assert passed == set()


def test_no_date_or_time_stays_where_dates_are_removed() -> None:
    policy = Policy("undated-1", frozenset(OPTION_CODES) - {"retain_modified_dates"})
    book = Rulebook(table(), policy)
    times = {tag: one[0] for tag, one in DicomDictionary.items() if one[0] in {"DA", "DT", "TM"}}

    left = {
        tag for tag, vr in times.items() if book.rule(tag, vr).action in {Action.SHIFT, Action.KEEP}
    }

    assert left == set()
    assert book.rule(0x40101025, "DT").action is Action.DUMMY
    assert Rulebook(table(), SECOND_OPINION).rule(0x40101025, "DT").action is Action.SHIFT


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, JPEG, RLE])
def test_a_palette_on_a_grey_image_goes(tmp_path: Path, syntax: str) -> None:
    write = Writer(syntax)

    dataset, content, receipt = clean(palette(write, TEXT.ljust(32)), tmp_path, write)

    assert TEXT.strip() not in content
    assert [tag for tag in PALETTES if tag in dataset] == []
    assert dict(receipt.actions)["cut or removed, not as described"] == 3


@pytest.mark.parametrize(
    ("tag", "value"), [(0x00280004, "PALETTE COLOR"), (0x00089205, "COLOR"), (0x00089205, "MIXED")]
)
def test_a_palette_stays_where_it_colours_and_as_long_as_its_descriptor_says(
    tmp_path: Path, tag: int, value: str
) -> None:
    write, ramp = Writer(), bytes(range(32))
    elements = [said(write, tag, value), *palette(write, ramp + TEXT)]

    dataset, content, _ = clean(elements, tmp_path)

    assert [dataset[one].value for one in PALETTES] == [ramp] * 3
    assert TEXT.strip() not in content
    assert cleaned(content, tmp_path)[0] == content


def test_what_is_shorter_than_its_descriptor_or_has_none_is_no_palette(tmp_path: Path) -> None:
    write = Writer()
    colour = said(write, 0x00280004, "PALETTE COLOR")
    short = [colour, *palette(write, TEXT.ljust(32), entries=17)]
    bare = [colour, *palette(write, TEXT.ljust(32))[3:]]

    for elements in (short, bare):
        dataset, content, _ = clean(elements, tmp_path)
        assert [tag for tag in PALETTES if tag in dataset] == []
        assert TEXT.strip() not in content


def test_the_palettes_of_a_scanner_stay(tmp_path: Path) -> None:
    raw = Path(str(get_testdata_file("examples_palette.dcm"))).read_bytes()

    content, _ = cleaned(raw, tmp_path)

    before, after = (dcmread(BytesIO(one)) for one in (raw, content))
    assert [after[tag].value for tag in PALETTES] == [before[tag].value for tag in PALETTES]


@pytest.mark.parametrize("path", sorted(PALETTE_FILES), ids=lambda path: path.stem)
def test_the_standards_own_palettes_fit_their_descriptors(path: Path) -> None:
    """Half of them in segments (PS3.6 annex B)."""
    dataset = dcmread(path, force=True)
    for place in range(3):
        lookup = Lookup.of(struct.pack("<3H", *dataset[0x00281101 + place].value), little=True)
        assert lookup is not None
        for first, taken in ((0x00281201, lookup.plain), (0x00281221, lookup.segmented)):
            if first + place in dataset:
                raw = dataset[first + place].value
                assert taken(raw + TEXT) == raw


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
def test_a_lookup_table_stays_in_its_item_as_long_as_it_is_described(
    tmp_path: Path, syntax: str
) -> None:
    write, ramp = Writer(syntax), bytes(range(32))

    dataset, content, _ = clean([voi_lut(write, ramp + TEXT, 16)], tmp_path, write)

    kept = dataset.VOILUTSequence[0][0x00283006].value
    order = "<" if syntax != BIG else ">"
    stays = kept if isinstance(kept, bytes) else struct.pack(f"{order}16H", *kept)
    assert stays == ramp
    assert TEXT.strip() not in content


def test_a_lookup_table_outside_an_item_goes(tmp_path: Path) -> None:
    write = Writer()
    elements = [
        (0x00283002, write.element(0x00283002, "US", words(write, 16, 0, 16))),
        (0x00283006, write.element(0x00283006, "OW", TEXT.ljust(32))),
    ]

    assert 0x00283006 not in clean(elements, tmp_path)[0]


def waveform(write: Writer, data: bytes, samples: int) -> tuple[int, bytes]:
    item = b"".join((
        write.element(0x003A0005, "US", 2),
        write.element(0x003A0010, "UL", struct.pack(f"{write.order}I", samples)),
        write.element(0x54001004, "US", 16),
        write.element(0x54001010, "OW", data),
    ))  # fmt: skip
    return 0x54000100, write.sequence(0x54000100, item)


def test_a_waveform_stays_in_an_object_of_waveforms_alone(tmp_path: Path) -> None:
    write, curve = Writer(), bytes(range(32))
    sequence = waveform(write, curve + TEXT, 8)

    on_ct, content, _ = clean([sequence], tmp_path)
    on_ecg, longer, _ = clean([sequence, said(write, 0x00080016, ECG)], tmp_path)

    assert 0x54001010 not in on_ct.WaveformSequence[0]
    assert on_ecg.WaveformSequence[0].WaveformData == curve
    assert TEXT.strip() not in content + longer


def test_offsets_stay_when_they_are_those_of_the_frames(tmp_path: Path) -> None:
    write = Writer(RLE)
    length = 68  # of the one frame
    good = {0x7FE00001: struct.pack("<Q", 0), 0x7FE00002: struct.pack("<Q", length)}
    bad = {
        "text": good | {0x7FE00001: TEXT[:8]},
        "more": good | {0x7FE00001: struct.pack("<2Q", 0, 76)},
        "alone": {0x7FE00001: good[0x7FE00001]},
        "wrong": good | {0x7FE00002: struct.pack("<Q", length + 2)},
    }

    def offsets(values: dict[int, bytes], by: Writer) -> list[int]:
        elements = [(tag, by.element(tag, "OV", value)) for tag, value in values.items()]
        dataset, content, _ = clean(elements, tmp_path, by)
        assert TEXT[:8] not in content
        return [tag for tag in good if tag in dataset]

    assert offsets(good, write) == list(good)
    assert [name for name, values in bad.items() if offsets(values, write)] == []
    assert offsets(good, Writer()) == []  # native pixels


@pytest.mark.parametrize("word", [b"LEE", b"4711"])
def test_a_short_identifier_in_bulk_data_holds_the_file(tmp_path: Path, word: bytes) -> None:
    write = Writer()
    people = [
        (0x00100010, write.element(0x00100010, "PN", "LEE^AN")),
        (0x00380010, write.element(0x00380010, "LO", "4711")),
    ]
    lut = voi_lut(write, b"\x01\x02" + word.lower() + b"\x03" * (16 - len(word)))

    _, _, receipt = clean([*people, lut], tmp_path)
    _, _, without = clean([*people, voi_lut(write, bytes(range(16)))], tmp_path)

    assert {doubt.code for doubt in receipt.doubts} == {"identifier_survived"}
    assert "(0028,3006)" in receipt.doubts[0].detail
    assert without.doubts == ()


@pytest.mark.parametrize("first", ["PALETTE COLOR", "MONOCHROME2  "])
def test_files_of_one_pattern_that_differ_in_what_describes_them(
    tmp_path: Path, first: str
) -> None:
    """The palette's own bytes are the same; the answer to them is not."""
    write, colours = Writer(), ("PALETTE COLOR", "MONOCHROME2  ")
    order = sorted(colours, key=lambda one: one != first)
    elements = palette(write, bytes(range(32)))
    sizes = (16, 12)
    file._PATTERNS.clear()
    instance._memory.cache_clear()

    kept = {}
    for colour in (*order, *order):
        for entries in sizes:
            described = palette(write, b"", entries)[:3]
            one = [said(write, 0x00280004, colour), *elements, *described]
            dataset, content, receipt = clean(one, tmp_path)
            kept[colour.strip(), entries] = [
                len(dataset[t].value) for t in PALETTES if t in dataset
            ]
            assert cleaned(content, tmp_path)[0] == content
            assert "identifier_survived" not in {doubt.code for doubt in receipt.doubts}

    assert kept == {
        ("PALETTE COLOR", 16): [32] * 3,
        ("PALETTE COLOR", 12): [24] * 3,
        ("MONOCHROME2", 16): [],
        ("MONOCHROME2", 12): [],
    }


def test_waveforms_of_one_pattern_in_different_objects(tmp_path: Path) -> None:
    write = Writer()
    sequence = waveform(write, bytes(range(32)), 8)
    classes = (ECG, CT + ".5.5", ECG)
    assert len({len(one) for one in classes}) == 1

    kept = [
        0x54001010
        in clean([sequence, said(write, 0x00080016, one)], tmp_path)[0].WaveformSequence[0]
        for one in classes
    ]

    assert kept == [True, False, True]


@given(st.integers(1, 300), st.sampled_from([8, 12, 16]), st.binary(max_size=700), st.booleans())
def test_what_stays_of_a_table_is_its_beginning_and_stays_again(
    entries: int, bits: int, raw: bytes, little: bool
) -> None:
    lookup = Lookup(entries, bits, little)
    for taken in (lookup.plain, lookup.segmented):
        kept = taken(raw)
        if kept is not None:
            assert taken(kept) == kept
            assert len(kept) <= max(entries * 2, len(raw)) + 1
            assert raw.startswith((kept, kept[:-1]))


@pytest.mark.parametrize(
    ("raw", "stays"),
    [
        (bytes(range(4)), bytes(range(4))),
        (bytes(range(4)) + TEXT, bytes(range(4))),  # a byte an entry
        (b"\1\0\2\0\3\0\4\0", b"\1\0\2\0\3\0\4\0"),  # a word an entry, the upper half idle
        (b"\1\0\2\0\3\0\4\0" + TEXT, b"\1\0\2\0\3\0\4\0"),
        (b"\1\1\2\2\3\3\4\4" + TEXT, b"\1\1\2\2\3\3\4\4"),
        (b"\1\2\3", None),
    ],
)
def test_entries_of_eight_bits_come_in_bytes_or_words(raw: bytes, stays: bytes | None) -> None:
    assert Lookup(4, 8, little=True).plain(raw) == stays


@pytest.mark.parametrize(
    ("units", "entries", "used"),
    [
        ([0, 2, 10, 20, 1, 3, 50], 5, 7),
        ([0, 2, 10, 20, 1, 3, 50, 2, 2, 0, 0], 10, 11),  # both again, from the first byte on
        ([0, 2, 10, 20, 1, 3, 50], 6, None),
        ([0, 2, 10, 20, 1, 3, 50], 4, None),
        ([1, 3, 50], 3, None),  # from where?
        ([0, 2, 10, 20, 2, 9, 0, 0], 5, None),
        ([0, 2, 10, 20, 7, 3, 50], 5, None),
        ([0, 2, 10], 2, None),
        ([0, 0, 0, 2, 10, 20], 2, None),  # a segment of nothing
        ([0, 1, 10, 2, 1, 0, 0, 2, 1, 6, 0], 3, None),  # a copy of a copy
    ],
)
def test_segments_make_as_many_entries_as_the_descriptor_says(
    units: list[int], entries: int, used: int | None
) -> None:
    raw = struct.pack(f"<{len(units)}H", *units)
    behind = TEXT if used else b""

    kept = Lookup(entries, 16, little=True).segmented(raw + behind)

    assert kept == (None if used is None else raw[: 2 * used])


def test_segments_without_end_take_no_time() -> None:
    """A table that repeats itself as often as its bytes allow."""
    lookup = Lookup(1 << 16, 16, little=True)
    copies = struct.pack("<4H", 2, 1, 0, 0) * (1 << 16)
    start = time.process_time()

    assert lookup.segmented(struct.pack("<3H", 0, 1, 7) + copies + bytes(1 << 24)) is not None
    assert lookup.segmented(struct.pack("<2H", 0, 0) * (1 << 22)) is None
    assert time.process_time() - start < 2


def test_a_descriptor_is_three_numbers_and_no_entries_are_all() -> None:
    assert Lookup.of(struct.pack("<3H", 0, 0, 16), little=True) == Lookup(1 << 16, 16, little=True)
    assert Lookup.of(struct.pack(">3H", 9, 0, 8), little=False) == Lookup(9, 8, little=False)
    assert Lookup.of(struct.pack("<3H", 9, 0, 0x4141), little=True) is None
    assert Lookup.of(b"text", little=True) is None


@given(st.lists(st.integers(1, 1 << 20).map(lambda n: 2 * n), min_size=1, max_size=9))
def test_offsets_are_the_sums_of_what_comes_before(fragments: list[int]) -> None:
    count = len(fragments)
    starts = [sum(fragments[:n]) + 8 * n for n in range(count)]
    right, lengths = struct.pack(f"<{count}Q", *starts), struct.pack(f"<{count}Q", *fragments)

    assert lists_frames(right, lengths, fragments)
    assert not lists_frames(right, lengths[:-1], fragments)
    assert not lists_frames(right[:-1] + b"\1", lengths, fragments)


def test_nothing_is_cut_to_nothing() -> None:
    assert cut(b"abc", 0) is None
    assert cut(b"abc", 3) == b"abc\0"

"""The pure rules of de-identification, as tables and laws."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deid.domain.actions import Action, Rulebook
from services.deid.domain.dates import band_age, shift_date, shift_datetime
from services.deid.domain.identifiers import gathered
from services.deid.domain.identity import Identity, Key
from services.deid.domain.pixels import judged
from services.deid.domain.policy import BASIC, SECOND_OPINION, Option
from services.deid.domain.values import dummy, is_valid
from services.deid.gateways.instance import table
from tests.unit.deid.files import CT, KEY, PARTNER

IDENTITY = Identity(KEY, PARTNER)
MR = "1.2.840.10008.5.1.4.1.1.4"
CRANIOFACIAL = "1.2.840.10008.5.1.4.1.1.13.1.2"
FACES: Option = "clean_recognizable_visual_features"
FACE = "recognisable_face_possible"
SCOUT = ("ORIGINAL", "PRIMARY", "LOCALIZER")
DX = "1.2.840.10008.5.1.4.1.1.1.1"
NM = "1.2.840.10008.5.1.4.1.1.20"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"modality": "MR", "sop_class": "1.2.840.10008.5.1.4.1.1.4"}, None),
        ({"modality": "PT", "sop_class": "1.2.840.10008.5.1.4.1.1.128"}, None),
        ({"modality": "NM", "sop_class": "1.2.840.10008.5.1.4.1.1.20"}, None),
        ({"modality": "DX", "sop_class": DX}, "burned_in_text_possible"),
        ({"modality": "DX", "sop_class": DX, "burned_in": "NO"}, "burned_in_text_possible"),
        ({"modality": "CT", "sop_class": DX}, "burned_in_text_possible"),
        ({"modality": ""}, "burned_in_text_possible"),
        *(
            ({"modality": modality, "sop_class": "1.2.3"}, "burned_in_text_possible")
            for modality in ("US", "XA", "RF", "ES", "XC", "IO", "GM", "SM", "PX", "CR", "MG")
        ),
        ({"modality": "OT", "sop_class": "1.2.840.10008.5.1.4.1.1.7"}, "screen_capture"),
        ({"modality": "CT", "sop_class": "1.2.840.10008.5.1.4.1.1.7.2"}, "screen_capture"),
        ({"image_type": ("DERIVED", "SECONDARY")}, "derived_image"),
        ({"image_type": ("ORIGINAL",)}, "derived_image"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "SCREEN SAVE")}, "screen_capture"),
        ({"photometric": "RGB"}, "colour_image"),
        ({"burned_in": "YES"}, "burned_in_text_flagged"),
        ({"burned_in": "maybe"}, "burned_in_text_flagged"),
        ({"recognisable": "YES"}, "recognisable_face_flagged"),
        ({"overlay_in_pixels": True}, "overlay_in_pixels"),
        ({"has_pixels": False}, "pixels_missing"),
        ({"has_pixels": False, "has_rows": False}, "not_an_image"),
    ],
)
def test_only_a_scanners_own_cross_section_passes(
    change: dict[str, object], code: str | None
) -> None:
    unseen = judged(replace(CT, **change), BASIC)  # type: ignore[arg-type]

    assert [doubt.code for doubt in unseen.doubts] == ([code] if code else [])
    assert not unseen.look


@pytest.mark.parametrize(
    ("change", "look", "code"),
    [
        ({}, False, None),
        ({"modality": "DX", "sop_class": DX}, True, None),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.7"}, True, None),
        ({"photometric": "RGB"}, True, None),
        ({"image_type": ("DERIVED", "SECONDARY")}, True, None),
        ({"burned_in": "YES"}, True, "burned_in_text_flagged"),
        ({"has_pixels": False}, False, "pixels_missing"),
        ({"overlay_in_pixels": True}, False, "overlay_in_pixels"),
    ],
)
def test_what_may_carry_text_is_looked_at_and_a_flag_or_a_face_waits(
    change: dict[str, object], look: bool, code: str | None
) -> None:
    verdict = judged(replace(CT, **change), SECOND_OPINION)  # type: ignore[arg-type]

    assert verdict.look == look
    assert [doubt.code for doubt in verdict.doubts] == ([code] if code else [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"region": "head", "slice_mm": 1.0}, FACE),
        ({"region": "head"}, FACE),
        ({"region": "head", "slice_mm": 8.0}, None),
        ({"region": "head", "recognisable": "NO"}, FACE),  # a default of scanners
        ({"region": "head", "recognisable": "NO", "cleaned": True}, None),
        ({"region": "head", "cleaned": True}, None),
        ({"region": "head", "recognisable": "YES", "cleaned": True}, "recognisable_face_flagged"),
        ({"region": "head", "modality": "NM", "sop_class": NM}, None),
        ({"region": "head", "modality": "MR", "sop_class": MR, "slice_mm": 1.0}, FACE),
        ({"region": "head", "image_type": SCOUT, "slice_mm": 1.0}, None),
        ({"region": "head", "modality": "MR", "sop_class": MR, "image_type": SCOUT,
          "slice_mm": 1.6}, FACE),
        ({"region": "head", "modality": "MR", "sop_class": MR, "image_type": SCOUT,
          "slice_mm": 5.0}, None),
        ({"region": "unknown", "slice_mm": 1.0}, FACE),
        ({"region": "unknown"}, FACE),
        ({"region": "unknown", "slice_mm": 8.0}, None),
        ({"region": "unknown", "image_type": SCOUT}, None),
        ({"region": "unknown", "sop_class": "1.2.840.10008.5.1.4.1.1.7"}, None),  # a dose sheet
        ({"region": "unknown", "modality": "NM", "sop_class": NM}, None),
        ({"region": "unknown", "modality": "DX", "sop_class": CRANIOFACIAL}, FACE),
        ({"region": "elsewhere", "slice_mm": 1.0}, None),
    ],
)  # fmt: skip
def test_thin_slices_of_a_head_or_of_nobody_knows_what_wait(
    change: dict[str, object], code: str | None
) -> None:
    found = judged(replace(CT, **change), SECOND_OPINION).doubts  # type: ignore[arg-type]
    off = replace(SECOND_OPINION, options=SECOND_OPINION.options - {FACES})

    assert [doubt.code for doubt in found] == ([code] if code else [])
    assert FACE not in [one.code for one in judged(replace(CT, **change), off).doubts]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tag", "vr", "basic", "second_opinion"),
    [
        (0x00100010, "PN", Action.NAME, Action.NAME),
        (0x00100030, "DA", Action.EMPTY, Action.EMPTY),
        (0x00100040, "CS", Action.EMPTY, Action.SEX),
        (0x00101010, "AS", Action.REMOVE, Action.AGE),
        (0x00102160, "SH", Action.REMOVE, Action.REMOVE),  # ethnicity: no reader asks
        (0x00080020, "DA", Action.EMPTY, Action.SHIFT),
        (0x00080030, "TM", Action.EMPTY, Action.KEEP),
        (0x00081010, "SH", Action.DUMMY, Action.DUMMY),  # a station names the hospital
        (0x00181000, "LO", Action.DUMMY, Action.SCREEN),
        (0x00081030, "LO", Action.REMOVE, Action.DESCRIPTOR),
        (0x00102180, "SH", Action.REMOVE, Action.REMOVE),  # occupation: the patient's life
        (0x00400555, "SQ", Action.EMPTY, Action.CLEAN_ITEMS),
        (0x0020000D, "UI", Action.UID, Action.UID),
        (0x00081140, "SQ", Action.ITEMS, Action.ITEMS),
        (0x0040A730, "SQ", Action.DUMMY_ITEMS, Action.CLEAN_ITEMS),
        (0x00700001, "SQ", Action.DUMMY_ITEMS, Action.CLEAN_ITEMS),
        (0x00400275, "SQ", Action.REMOVE, Action.REMOVE),
        (0x00280010, "US", Action.KEEP, Action.KEEP),
        (0x00280010, "LO", Action.REMOVE, Action.REMOVE),  # wrong VR
        (0x00090010, "LO", Action.REMOVE, Action.REMOVE),
        (0x60003000, "OW", Action.REMOVE, Action.REMOVE),
        (0x00089999, "LO", Action.REMOVE, Action.REMOVE),
        (0x00102162, "LO", Action.REMOVE, Action.REMOVE),  # newer than pydicom's dictionary
    ],
)
def test_a_tag_gets_its_action(tag: int, vr: str, basic: Action, second_opinion: Action) -> None:
    assert Rulebook(table(), BASIC).rule(tag, vr).action is basic
    assert Rulebook(table(), SECOND_OPINION).rule(tag, vr).action is second_opinion


def test_every_row_of_the_table_is_acted_on() -> None:
    book = Rulebook(table(), BASIC)
    harmless = {Action.KEEP, Action.SCREEN}

    kept = [row for row in table().rows.values() if book.rule(row.tag, "").action in harmless]

    assert len(table().rows) == 652
    assert kept == []


@pytest.mark.parametrize(
    ("text", "days", "moved"),
    [
        ("20240301", -1, "20240229"),
        ("20230301", -1, "20230228"),
        ("2024.03.01", -1, "20240229"),
        ("20240101-20240105", -1, "20231231-20240104"),
        ("20240101-", 1, "20240102-"),
        ("00010101", -1, None),
        ("CANARY", -1, None),
        ("20241301", -1, None),
    ],
)
def test_a_date_moves_by_whole_days(text: str, days: int, moved: str | None) -> None:
    assert shift_date(text, days) == moved


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("20240301142233.123456+0100", "20240229142233.123456+0100"),
        ("20240301", "20240229"),
        ("202403", "202402"),
        ("2024", "2023"),
        ("2024030114", "2024022914"),
        ("301", None),
        ("2024-03-01T14:22", None),
    ],
)
def test_a_datetime_keeps_its_precision_time_and_zone(text: str, moved: str | None) -> None:
    assert shift_datetime(text, -1) == moved


@given(st.dates(min_value=date(1900, 1, 1)), st.integers(-3650, -30))
def test_a_shift_there_and_back_is_nothing(day: date, days: int) -> None:
    text = f"{day:%Y%m%d}".rjust(8, "0")

    assert shift_date(shift_date(text, days) or "", -days) == text


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("089Y", "080Y"), ("090Y", "090Y"), ("104Y", "090Y"), ("059Y", "050Y"), ("018Y", "018Y"),
        ("019Y", "018Y"), ("020Y", "020Y"), ("017Y", "017Y"), ("011M", "011M"), ("030M", "002Y"),
        ("006W", "006W"), ("020D", "002W"), ("1100M", None), ("45", None), ("999M", "080Y"),
    ],
)  # fmt: skip
def test_ages_are_banded(age: str, band: str | None) -> None:
    assert band_age(age) == band
    if band:
        assert band_age(band) == band


@given(st.text("0123456789.", min_size=5, max_size=64))
def test_a_uid_is_replaced_once(uid: str) -> None:
    new = IDENTITY.uid(uid)

    assert IDENTITY.uid(new) == new
    assert len(new) <= 64
    assert new == uid or (new.startswith("2.25.") and IDENTITY.owns_uid(new))


@given(st.text(min_size=1, max_size=64))
def test_a_pseudonym_is_given_once_and_fits_a_contract(patient_id: str) -> None:
    subject = IDENTITY.subject(patient_id, "case")

    assert IDENTITY.subject(subject.pseudonym, "case").pseudonym == subject.pseudonym
    assert IDENTITY.subject(subject.pseudonym, "case").shift_days == 0
    assert subject.pseudonym.isascii()
    assert -3650 <= subject.shift_days <= -30


def test_partners_and_keys_do_not_meet() -> None:
    others = (
        Identity(KEY, "other"),
        Identity(Key("2", b"another key of thirty-two bytes!!"), PARTNER),
    )

    for other in others:
        assert other.subject("MRN1", "c") != IDENTITY.subject("MRN1", "c")
        assert other.uid("1.2.3.4.5") != IDENTITY.uid("1.2.3.4.5")
        assert not other.owns_uid(IDENTITY.uid("1.2.3.4.5"))


def test_without_a_patient_id_the_case_is_the_patient() -> None:
    assert IDENTITY.subject("", "case-1") != IDENTITY.subject("", "case-2")
    assert IDENTITY.subject(" mrn1 ", "case-1") == IDENTITY.subject("MRN1", "case-2")


@pytest.mark.parametrize(
    ("text", "vr", "hit"),
    [
        (b"Dr. Lee was here", "LO", True),
        (b"ASLEEP", "LO", False),
        (b"HAND", "CS", False),
        (b"left hand", "LO", True),
        (b"4711 and more", "SH", True),
        (b"0.4711", "DS", False),
        (b"LEE^ANNE", "PN", True),
        (b"..lee^anne..", "OW", True),
    ],
)
def test_identifiers_are_found_as_whole_words(text: bytes, vr: str, *, hit: bool) -> None:
    known = gathered([b"LEE^ANNE", b"HAND"], [b"4711"], [b"2.999.1.2.3"])

    assert known.in_text(text, vr) is hit


@pytest.mark.parametrize(
    "vr", ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "SH", "ST", "TM", "US", "FD"]
)
def test_a_dummy_is_valid_for_its_vr(vr: str) -> None:
    assert is_valid(vr, dummy(vr))
    assert len(dummy(vr)) % 2 == 0


@pytest.mark.parametrize(
    ("tag", "vr", "most"),
    [
        (0x00280002, "US", 1),  # Samples per Pixel
        (0x00281101, "US", 3),  # Red Palette Color Lookup Table Descriptor
        (0x00189313, "FD", 3),  # Data Collection Center
        (0x00182005, "DS", 0),  # no binary numbers
        (0x00280009, "AT", 0),  # Frame Increment Pointer, 1-n
        (0x00186060, "FL", 0),  # R Wave Time Vector, 1-n
    ],
)
def test_the_dictionary_says_how_many_numbers_there_may_be(tag: int, vr: str, most: int) -> None:
    assert Rulebook(table(), SECOND_OPINION).rule(tag, vr).most == most

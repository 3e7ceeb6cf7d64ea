"""Real scanners' files and our phantom through the cleaner: laws that hold for each."""

import warnings
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from examples.phantom import MARIPOSA, Shot, as_bytes, hand_radiograph, scanner_image
from services.deid.domain.identity import Identity
from services.deid.domain.text.known import Known
from tests.unit.deid.files import EXPLICIT, IMPLICIT, KEY, PARTNER, Writer, cleaned, task, voi_lut

REAL = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm", "JPEG2000.dcm", "image_dfl.dcm", "SC_rgb_jpeg_gdcm.dcm",
    "693_J2KI.dcm", "examples_palette.dcm", "liver_1frame.dcm", "waveform_ecg.dcm",
)  # fmt: skip


def real(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


@pytest.mark.parametrize("name", REAL)
def test_the_same_file_gives_the_same_bytes_and_cleaning_again_changes_nothing(
    tmp_path: Path, name: str
) -> None:
    once, _ = cleaned(real(name), tmp_path)
    again, _ = cleaned(real(name), tmp_path)
    twice, _ = cleaned(once, tmp_path, task(patient="somebody else"))

    assert once
    assert again == once
    assert dates(twice) == dates(once)
    same_patient, _ = cleaned(once, tmp_path, task())
    assert same_patient == once


def dates(content: bytes) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(BytesIO(content))
        return [str(element.value) for element in dataset if element.VR in {"DA", "DT"}]


@pytest.mark.parametrize("name", REAL)
def test_pixels_are_bit_identical_but_for_comments_and_what_is_blanked(
    tmp_path: Path, name: str
) -> None:
    clean, receipt = cleaned(real(name), tmp_path)

    (tmp_path / "raw2.dcm").write_bytes(real(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, after = dcmread(tmp_path / "raw2.dcm"), dcmread(tmp_path / "clean.dcm")
        jpeg = "JPEG" in before.file_meta.TransferSyntaxUID.name
        if "PixelData" in before and not jpeg and not receipt.places:
            assert after.PixelData[: len(before.PixelData)] == before.PixelData
        if "PixelData" in before:
            pixels, kept = after.pixel_array.copy(), before.pixel_array.copy()
            for _, one in receipt.places:
                window = (
                    ...,
                    slice(one.box.top, one.box.bottom),
                    slice(one.box.left, one.box.right),
                )
                pixels[window] = kept[window] = 0
            assert (pixels == kept).all()
    assert clean
    assert receipt.size == len(clean)


@pytest.mark.parametrize("name", ["hand", "CT_small.dcm", "MR_small.dcm"])
def test_no_identifier_of_the_patient_is_left(tmp_path: Path, name: str) -> None:
    small = Shot(rows=375, columns=300)
    dataset = hand_radiograph(shot=small) if name == "hand" else scanner_image(name)  # type: ignore[arg-type]
    raw = as_bytes(dataset)

    clean, receipt = cleaned(raw, tmp_path, task(patient=MARIPOSA.mrn))

    found = [one for one in MARIPOSA.identifiers() if one.encode().lower() in clean.lower()]
    assert found == []
    assert all(doubt.code != "identifier_survived" for doubt in receipt.doubts)


def test_what_reading_needs_is_kept(tmp_path: Path) -> None:
    raw = as_bytes(hand_radiograph(shot=Shot(rows=375, columns=300)))

    cleaned(raw, tmp_path, task(patient=MARIPOSA.mrn))
    dataset = dcmread(tmp_path / "clean.dcm")

    assert (dataset.Modality, dataset.BodyPartExamined, dataset.ImageLaterality) == (
        "DX",
        "HAND",
        "R",
    )
    assert (dataset.PatientSex, dataset.PatientAge, dataset.PatientWeight) == ("F", "050Y", 71)
    assert dataset.AnatomicRegionSequence[0].CodeMeaning == "Hand"
    assert dataset.PixelSpacing == dcmread(tmp_path / "raw.dcm").PixelSpacing
    assert dataset.PatientIdentityRemoved == "YES"
    assert [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence] == [
        "113100",
        "113101",
        "113102",
        "113103",
        "113104",
        "113105",
        "113107",
        "113108",
        "113109",
        "113111",
    ]
    assert dataset.LongitudinalTemporalInformationModified == "MODIFIED"


def test_all_dates_of_a_patient_move_by_the_same_whole_days(tmp_path: Path) -> None:
    raw = as_bytes(scanner_image("CT_small.dcm"))

    cleaned(raw, tmp_path, task(patient=MARIPOSA.mrn))
    before, after = dcmread(tmp_path / "raw.dcm"), dcmread(tmp_path / "clean.dcm")
    shift = Identity(KEY, PARTNER).subject(MARIPOSA.mrn, "case").shift_days

    assert shift < 0
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        moved = date_of(after[keyword].value) - date_of(before[keyword].value)
        assert moved.days == shift
    assert after.StudyTime == before.StudyTime


def date_of(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()


def test_an_identifier_in_a_technical_text_makes_it_a_dummy(tmp_path: Path) -> None:
    write = Writer(EXPLICIT)
    kernel = write.element(0x00181210, "SH", "HARTIGAN SPEC")

    clean, receipt = cleaned(write.file([(0x00181210, kernel)]), tmp_path)

    assert b"HARTIGAN" not in clean
    assert not receipt.doubts
    assert dict(receipt.actions)["screened, identifier inside"] == 1


def test_an_identifier_in_kept_bytes_holds_the_file(tmp_path: Path) -> None:
    write = Writer(IMPLICIT)
    _, receipt = cleaned(write.file([voi_lut(write, b"...HARTIGAN^SEAN..")]), tmp_path)

    assert {doubt.code for doubt in receipt.doubts} == {"identifier_survived"}
    assert "(0028,3006)" in receipt.doubts[0].detail


@pytest.mark.parametrize("part", ["HAND", "BREAST"])
def test_a_surname_that_is_a_body_part_holds_nothing(tmp_path: Path, part: str) -> None:
    write = Writer(EXPLICIT)
    elements = [
        (0x00100010, write.element(0x00100010, "PN", f"{part}^IVO")),
        (0x00180015, write.element(0x00180015, "CS", part)),
    ]

    _, receipt = cleaned(write.file(elements), tmp_path)

    assert not receipt.doubts
    assert dcmread(tmp_path / "clean.dcm").BodyPartExamined == part


def test_an_unreadable_file_is_held_and_leaves_nothing(tmp_path: Path) -> None:
    clean, receipt = cleaned(b"GIF89a" * 100, tmp_path)

    assert clean == b""
    assert [doubt.code for doubt in receipt.doubts] == ["unreadable"]
    assert not any(doubt.releasable for doubt in receipt.doubts)


def test_a_value_of_unknown_vr_is_judged_by_the_dictionary(tmp_path: Path) -> None:
    write = Writer(EXPLICIT)
    unknown = {
        0x00080060: b"CT",
        0x00080090: b"BRANNIGAN^HORATIO ",
        0x00180050: b"1.25",
        0x00181020: b"for BRANNIGAN ",
        0x00089999: b"what is this",
    }
    elements = [(tag, write.element(tag, "UN", value)) for tag, value in unknown.items()]

    clean, _ = cleaned(write.file(elements), tmp_path)

    dataset = dcmread(BytesIO(clean))
    assert (dataset.Modality, dataset.SliceThickness) == ("CT", 1.25)
    assert b"BRANNIGAN" not in clean
    assert 0x00089999 not in dataset


def test_what_another_file_of_the_case_knows_is_in_none(tmp_path: Path) -> None:
    """A name, a number and a birth date that this file's own header has nowhere else."""
    write = Writer(EXPLICIT)
    elements = {
        0x0008103E: write.element(0x0008103E, "LO", "hand of Zzumbraela, lateral"),
        0x00181210: write.element(0x00181210, "SH", "KERNEL QX81234"),
    }
    elements |= dict([voi_lut(write, b"...19510607...")])
    knows = Known(people=("ZZUMBRAEL^ADA",), numbers=("QX81234",), births=("19510607",))

    _, alone = cleaned(write.file(elements.items()), tmp_path)
    clean, receipt = cleaned(write.file(elements.items()), tmp_path, replace(task(), knows=knows))

    assert alone.doubts == ()
    assert b"umbrael" not in clean
    assert b"QX81234" not in clean
    assert [doubt.detail for doubt in receipt.doubts] == [
        "an identifier of the raw header in (0028,3006)"
    ]


def test_letters_where_numbers_belong_are_removed(tmp_path: Path) -> None:
    write = Writer(EXPLICIT)
    elements = {
        0x00100010: write.element(0x00100010, "PN", "Smith^Jo"),
        0x00280002: write.element(0x00280002, "US", b"SMITH\0"),  # one number may stand there
    }

    clean, _ = cleaned(write.file(elements.items()), tmp_path)

    assert b"SMITH" not in clean

"""A clean image says that its pixels are clean where they were made so, and only there."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from services.deid.domain.pixels import Doubt
from services.deid.domain.policy import BASIC, OPTION_CODES, SECOND_OPINION, Option, Policy
from services.deid.domain.stated import BURNED_IN, RECOGNISABLE, standing, stated
from services.deid.gateways import instance, seen
from services.deid.gateways.instance import Receipt
from shared.runtime.dicom import file
from tests.unit.deid.files import CT, Writer, cleaned, task

TEXT, FACES = "113101", "113102"
OPTIONS: dict[str, Option] = {
    TEXT: "clean_pixel_data",
    FACES: "clean_recognizable_visual_features",
}
PHOTOGRAPH = {"modality": "XC", "sop_class": "1.2.840.10008.5.1.4.1.1.77.1.4"}
UNREAD = Doubt("text_uncertain", "1 place looks like text that can't be read")
UNSEEN = Doubt("detector_down", "nobody has looked at the pixels")
FLAGGED = Doubt("burned_in_text_flagged", "Burned In Annotation (0028,0301)")
FACE = Doubt("recognisable_face_possible", "thin slices of a head can be rendered to a face")
WAS_FACE = Doubt("recognisable_face_flagged", "Recognizable Visual Features (0028,0302)")
BOTH = frozenset((TEXT, FACES))


@pytest.mark.parametrize(
    ("change", "doubts", "before", "text", "face"),
    [
        ({}, (), None, "NO", "NO"),
        ({"burned_in": "NO", "recognisable": "NO"}, (), None, "NO", "NO"),
        ({}, (UNREAD,), None, "YES", "NO"),
        ({"burned_in": "NO"}, (UNSEEN,), None, "YES", "NO"),
        ({"burned_in": "YES"}, (FLAGGED,), None, "YES", "NO"),
        ({"region": "head"}, (FACE,), None, "NO", "YES"),
        ({"region": "head", "recognisable": "YES"}, (WAS_FACE,), None, "NO", "YES"),
        ({"region": "head", "recognisable": "NO"}, (FACE,), None, "NO", "YES"),
        ({"region": "unknown"}, (), None, "NO", None),  # of where is not said
        ({"modality": "PT"}, (), None, "NO", None),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.7"}, (), None, "NO", None),
        (PHOTOGRAPH, (), None, "NO", None),
        (PHOTOGRAPH, (UNREAD, FACE), None, "YES", "YES"),
        ({"burned_in": "NO", "recognisable": "NO"}, (), BOTH, "NO", "NO"),
        ({"recognisable": "NO", "region": "unknown"}, (), BOTH, "NO", "NO"),
        ({"recognisable": "NO"}, (), frozenset((TEXT,)), "NO", None),
        ({"burned_in": "YES", "recognisable": "YES"}, (), frozenset(), "YES", "YES"),
        ({"burned_in": "NO"}, (UNREAD,), BOTH, "YES", "NO"),
    ],
)
def test_no_is_said_where_it_is_so(
    change: dict[str, str],
    doubts: tuple[Doubt, ...],
    before: frozenset[str] | None,
    text: str,
    face: str | None,
) -> None:
    said = stated(replace(CT, **change), SECOND_OPINION, doubts, before)  # type: ignore[arg-type]

    values = dict(said.values)
    assert (values[BURNED_IN], values.get(RECOGNISABLE)) == (text, face)
    assert (OPTIONS[TEXT] in said.undone) is (text != "NO")
    assert (OPTIONS[FACES] in said.undone) is (face != "NO")


def test_what_is_no_image_or_not_the_policys_option_is_not_spoken_of() -> None:
    without = Policy("without-1", frozenset(OPTION_CODES) - set(OPTIONS.values()))

    assert stated(replace(CT, has_pixels=False), SECOND_OPINION, (), None).values == ()
    assert stated(CT, without, (), None).values == ()
    assert stated(CT, BASIC, (), None).values == ()


def test_a_flag_of_our_own_is_settled_and_what_is_seen_is_not() -> None:
    ours = replace(CT, burned_in="YES", recognisable="YES")

    assert standing((FLAGGED, UNREAD, FACE, WAS_FACE), ours) == (UNREAD,)
    assert standing((FLAGGED, FACE), CT) == (FLAGGED, FACE)


def ct(**texts: str) -> bytes:
    """A CT slice; `recognisable` and others by their names here."""
    tags = {
        "kind": (0x00080008, "CS"),
        "region": (0x00180015, "CS"),
        "burned": (BURNED_IN, "CS"),
        "recognisable": (RECOGNISABLE, "CS"),
        "thickness": (0x00180050, "DS"),
    }
    write = Writer()
    chosen = {"region": "CHEST", "thickness": "1.0"} | texts
    return write.file(
        [(tags[name][0], write.element(*tags[name], chosen[name])) for name in chosen]
    )


def told(content: bytes) -> tuple[str | None, str | None, list[str]]:
    dataset = dcmread(BytesIO(content))
    return (
        dataset.get("BurnedInAnnotation"),
        dataset.get("RecognizableVisualFeatures"),
        options(dataset),
    )


def options(dataset: Dataset) -> list[str]:
    codes = [str(one.CodeValue) for one in dataset.DeidentificationMethodCodeSequence]
    return [one for one in codes if one in OPTIONS]


def codes_of(receipt: Receipt) -> list[str]:
    return [doubt.code for doubt in receipt.doubts]


def test_a_scanners_slice_of_a_chest_says_no_with_both_codes(tmp_path: Path) -> None:
    clean, receipt = cleaned(ct(), tmp_path)

    assert receipt.doubts == ()
    assert told(clean) == ("NO", "NO", [TEXT, FACES])


@pytest.mark.parametrize("option", OPTIONS.values())
def test_an_option_that_is_off_says_nothing(tmp_path: Path, option: Option) -> None:
    policy = Policy("less-1", SECOND_OPINION.options - {option})

    clean, _ = cleaned(ct(), tmp_path, task(policy))

    on = next(code for code, one in OPTIONS.items() if one != option)
    assert told(clean) == (("NO" if on == TEXT else None), ("NO" if on == FACES else None), [on])


def test_a_head_that_a_person_lets_go_says_yes_and_waits_no_second_time(tmp_path: Path) -> None:
    clean, receipt = cleaned(ct(region="HEAD"), tmp_path)
    again, second = cleaned(clean, tmp_path)

    assert codes_of(receipt) == ["recognisable_face_possible"]
    assert told(clean) == ("NO", "YES", [TEXT])
    assert codes_of(second) == []
    assert again == clean


def test_a_flagged_image_that_a_person_lets_go_says_yes_and_waits_no_second_time(
    tmp_path: Path,
) -> None:
    clean, receipt = cleaned(ct(burned="YES"), tmp_path)
    again, second = cleaned(clean, tmp_path)

    assert "burned_in_text_flagged" in codes_of(receipt)
    assert told(clean) == ("YES", "NO", [FACES])
    assert "burned_in_text_flagged" not in codes_of(second)
    assert again == clean


def test_a_flag_on_a_new_image_of_a_patient_of_ours_waits(tmp_path: Path) -> None:
    """A pseudonym can be copied to what we never cleaned; the UIDs then are not ours."""
    pseudonym = dcmread(BytesIO(cleaned(ct(), tmp_path)[0])).PatientID
    dataset = dcmread(BytesIO(ct(burned="YES")))
    dataset.PatientID = pseudonym
    dataset.save_as(tmp_path / "foreign.dcm")

    _, receipt = cleaned((tmp_path / "foreign.dcm").read_bytes(), tmp_path)

    assert "burned_in_text_flagged" in codes_of(receipt)


def test_pixels_that_nobody_looked_at_are_not_said_to_be_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "_LOOKING", "services.deid.gateways.looking.no_such_module")

    clean, receipt = cleaned(ct(kind="DERIVED\\SECONDARY", burned="NO"), tmp_path)

    assert codes_of(receipt) == ["detector_down"]
    assert told(clean) == ("YES", "NO", [FACES])


def test_files_of_one_pattern_each_say_what_is_theirs(tmp_path: Path) -> None:
    """The header of the one before is not taken where another thing is to be said."""
    file._PATTERNS.clear()
    instance._memory.cache_clear()
    regions = ("CHEST ", "HEAD  ", "CHEST ", "HEAD  ")

    said = [told(cleaned(ct(region=one), tmp_path)[0])[1:] for one in regions]

    assert said == [("NO", [TEXT, FACES]), ("YES", [TEXT])] * 2


def test_what_is_no_image_says_nothing_of_pixels(tmp_path: Path) -> None:
    dataset = dcmread(BytesIO(ct()))
    for name in ("PixelData", "Rows", "Columns"):
        del dataset[name]
    dataset.save_as(tmp_path / "none.dcm")

    clean, receipt = cleaned((tmp_path / "none.dcm").read_bytes(), tmp_path)

    assert codes_of(receipt) == ["not_an_image"]
    assert told(clean) == (None, None, [])

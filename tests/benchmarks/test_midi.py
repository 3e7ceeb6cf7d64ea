"""The short version of MIDI-B: what comes out is right, and what is wrong would be seen."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.midi.files import files
from benchmarks.midi.header import PARTS, tag
from benchmarks.midi.key import KINDS, PERFECT, Answer
from benchmarks.midi.people import people
from benchmarks.midi.pictures import number_of, scan, sonogram
from benchmarks.midi.run import Pixels, Result, run
from benchmarks.midi.score import Clean, Score, Scorer

PATIENTS = 2


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run(tmp_path_factory.mktemp("midi"), PATIENTS, seed=7, jobs=2)


@pytest.mark.filterwarnings("ignore")
def test_every_removal_uid_date_and_patient_id_is_right(result: Result) -> None:
    held = sum(result.summary["reasons"].values())

    assert set(result.score.asked) == set(KINDS)
    assert result.files == PATIENTS * 8
    assert len(result.score.missing) == held == result.summary["quarantined"]
    assert not [what for what in result.score.wrong if what.split()[0] in PERFECT]
    assert not [what for what in result.score.wrong if what.startswith("pixels")]


def perfect() -> tuple[dict[int, Clean], list[Answer], Pixels]:
    """What a perfect de-identifier would give for the key: made from the answers, by hand."""
    clean: dict[int, Clean] = {}
    answers: list[Answer] = []
    for person in people(2, 3):
        for one in files(person, PARTS[:1]):
            image = one.dataset.pixel_array.copy()
            if image.ndim == 3:
                image[:28] = 0
            one.dataset.PatientID = f"P{person.number}"
            one.dataset.StudyInstanceUID = f"2.25.1{person.number}{one.visit.number}"
            one.dataset.StudyDate = "20100101"
            one.dataset.Manufacturer = "ACME"
            clean[one.number] = Clean(b"clean bytes", one.dataset, image)
            one.ask("patid_consistent", tag("PatientID"), person.mrn)
            one.ask("uid_changed", tag("StudyInstanceUID"), one.visit.study_uid)
            one.ask("uid_consistent", tag("StudyInstanceUID"), one.visit.study_uid)
            one.ask("date_shifted", tag("StudyDate"), "20120101")
            one.ask("tag_retained", tag("Manufacturer"))
            one.ask("text_notnull", tag("Manufacturer"))
            one.ask("text_retained", tag("Manufacturer"), "ACME")
            one.ask("text_removed", "", person.family)
            answers += one.answers
    texts = {n: "text" if one.pixels.ndim == 3 else None for n, one in clean.items()}
    return clean, answers, Pixels(texts)


def scored(spoil: Callable[[dict[int, Clean]], None]) -> Score:
    clean, answers, before = perfect()
    spoil(clean)
    return Scorer(clean, before).ask(answers)


def set_value(keyword: str, value: Any) -> Callable[[dict[int, Clean]], None]:
    return lambda clean: setattr(clean[1].dataset, keyword, value)


def blacken(clean: dict[int, Clean]) -> None:
    clean[1].pixels[5, 5] ^= 1


def uncover(clean: dict[int, Clean]) -> None:
    clean[7].pixels[5, 5] = 255


def put_name_back(clean: dict[int, Clean]) -> None:
    (person, _) = people(2, 3)
    clean[1] = replace(clean[1], content=b"..." + person.family.upper().encode())


def test_a_perfect_result_passes() -> None:
    score = scored(lambda _: None)

    assert score.passed, list(score.lines())
    assert score.share == 1
    assert set(score.asked) == set(KINDS)


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        pytest.param(
            set_value("PatientID", "another"), "patid_consistent", id="a patient gets another name"
        ),
        pytest.param(
            set_value("PatientID", "P1"), "patid_consistent", id="two patients get one name"
        ),
        pytest.param(
            set_value("StudyInstanceUID", "2.25.101"),
            "uid_consistent",
            id="two studies get one UID",
        ),
        pytest.param(
            set_value("StudyInstanceUID", "2.25.4711"), "uid_consistent", id="a study gets two UIDs"
        ),
        pytest.param(set_value("StudyInstanceUID", ""), "uid_changed", id="a UID is lost"),
        pytest.param(
            set_value("StudyDate", "20100102"), "date_shifted", id="a date moves otherwise"
        ),
        pytest.param(set_value("StudyDate", ""), "date_shifted", id="a date is lost"),
        pytest.param(set_value("Manufacturer", ""), "text_notnull", id="a value is emptied"),
        pytest.param(
            set_value("Manufacturer", "REMOVED"), "text_retained", id="a text is replaced"
        ),
        pytest.param(put_name_back, "text_removed", id="a name is in the bytes"),
        pytest.param(blacken, "pixels_retained", id="a pixel is changed"),
        pytest.param(uncover, "pixels_hidden", id="a word can be seen"),
    ],
)
def test_each_fault_is_seen(spoil: Callable[[dict[int, Clean]], None], kind: str) -> None:
    score = scored(spoil)

    assert not score.passed
    assert kind in {what.split()[0] for what in score.wrong}


def test_a_missing_file_fails_all_that_was_asked_of_it() -> None:
    score = scored(lambda clean: clean.__delitem__(3))

    assert score.missing == {3}
    assert not score.passed
    assert score.share < 1


def test_a_file_is_found_by_its_pixels_whatever_its_name() -> None:
    assert number_of(scan(123_456)) == 123_456
    assert number_of(sonogram(77, "DOE M1")) == 77
    assert number_of(np.zeros((48, 48), dtype=np.uint16)) is None

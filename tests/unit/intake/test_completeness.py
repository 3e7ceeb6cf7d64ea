"""What is missing, rule by rule."""

from typing import Any

import pytest

from services.intake.domain.completeness import missing
from services.intake.domain.inputs import ExpectedStudy, Input, Request
from services.intake.domain.regions import subspecialty
from services.intake.domain.state import Collecting
from shared.contracts.intake import FirstRead
from shared.testing.spec import NOON
from tests.unit.intake.story import (
    HAND,
    HISTORY,
    PRIOR,
    QUESTION,
    REPORT,
    case,
    digest,
    request,
    study,
    submit,
)

UNREADABLE = FirstRead(status="unreadable")
AN_EARLIER_ONE = ExpectedStudy(study=PRIOR, modality="DX", instances=1, prior=True)
TODAYS = ExpectedStudy(study=HAND, modality="DX", instances=2)


def codes(*inputs: Input) -> list[str]:
    state = case(*inputs).state
    assert isinstance(state, Collecting)
    return [item.code for item in missing(state.file)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"first_read": FirstRead(status="missing")}, []),
        ({"first_read": UNREADABLE}, []),
        ({"reason_for_review": "symptom_discrepancy"}, ["history"]),
        ({"reason_for_review": "persistent_symptoms"}, ["prior_study"]),
        ({"reason_for_review": "treatment_monitoring"}, ["prior_study"]),
        ({"reason_for_review": "post_surgical_follow_up"}, ["prior_study"]),
        (
            {"reason_for_review": "persistent_symptoms", "studies": (TODAYS, AN_EARLIER_ONE)},
            ["study"],
        ),
        ({"reason_for_review": "before_major_procedure"}, ["procedure_date"]),
        ({"reason_for_review": "before_major_procedure", "procedure_at": NOON}, []),
        ({"service_level": "tumour_board"}, ["procedure_date"]),
        ({"reason_for_review": "pediatric", "age_band": "6-11"}, []),
        ({"reason_for_review": "pediatric", "age_band": "unknown"}, []),
        ({"reason_for_review": "cancer"}, []),
        ({"reason_for_review": "conflicting_opinions"}, []),
        ({"reason_for_review": "medicolegal"}, []),
    ],
)
def test_what_else_is_missing_beside_one_instance(
    fields: dict[str, Any], expected: list[str]
) -> None:
    assert codes(submit(QUESTION, REPORT, **fields), study()) == ["study_incomplete", *expected]


def test_a_question_a_promised_report_and_the_study_are_missing_from_a_bare_submission() -> None:
    assert codes(submit()) == ["study", "clinical_question", "first_report"]


def test_history_settles_a_symptom_discrepancy() -> None:
    told = submit(QUESTION, REPORT, HISTORY, reason_for_review="symptom_discrepancy")

    assert codes(told) == ["study"]


def test_a_study_of_another_patient_is_named() -> None:
    assert codes(submit(QUESTION, REPORT), study(patient=digest("another"))) == [
        "study",
        "wrong_patient",
    ]


def test_a_study_without_images_is_named() -> None:
    bare = submit(QUESTION, REPORT)

    assert codes(bare, study(instances=2, images=False, modality="SR")) == ["no_images"]


def test_no_sentence_holds_a_digest_or_an_id() -> None:
    state = case(submit(), study(patient=digest("another"))).state
    assert isinstance(state, Collecting)

    for item in missing(state.file):
        assert not any(secret in item.detail for secret in (HAND, digest("another")))


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        (request(), "musculoskeletal"),
        (request(body_region="BRAIN"), "neuroradiology"),
        (request(body_region="CHEST"), "chest"),
        (request(body_region="WHOLEBODY"), "general"),
        (request(age_band="12-17"), "pediatric"),
        (request(age_band="unknown", reason_for_review="pediatric"), "pediatric"),
        (request(reason_for_review="pregnancy_fetal"), "obstetric"),
    ],
)
def test_who_should_read(asked: Request, who: str) -> None:
    assert subspecialty(asked) == who

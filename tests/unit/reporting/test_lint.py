"""Every lint rule names the field it is about; a sound opinion has nothing to mend."""

from typing import Any

import pytest

from services.reporting.domain.lint import Patient, lint_claims, lint_opinion, refused_by
from shared.contracts.report import Opinion
from tests.unit.reporting.cases import claim, no_fracture, opinion

WOMAN = Patient(sex="F", age_band="30-39", sides=frozenset({"L"}))


def complaints(written: Opinion, patient: Patient = WOMAN) -> list[tuple[str, str]]:
    return [(found.field, found.code) for found in lint_opinion(written, patient)]


def test_a_sound_opinion_has_nothing_to_mend() -> None:
    assert complaints(opinion(claim(), no_fracture("s-2"))) == []


@pytest.mark.parametrize("section", ["technique", "comparison", "impression"])
@pytest.mark.parametrize("words", ["", "  \n\t"])
def test_an_empty_section_is_named(section: str, words: str) -> None:
    assert complaints(opinion(**{section: words})) == [(f"/{section}", "empty_section")]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"finding": " "}, "finding", "empty_finding"),
        ({"anatomic_site": ""}, "anatomic_site", "empty_site"),
        ({"significance": None}, "significance", "no_significance"),
        ({"significance": "critical"}, "critical_category", "no_critical_category"),
        ({"critical_category": 2}, "critical_category", "category_without_critical"),
        (
            {"certainty": "excluded", "significance": "critical", "critical_category": 1},
            "significance",
            "critical_but_absent",
        ),
        ({"laterality": "R", "text": ""}, "laterality", "laterality_contradiction"),
        ({"laterality": "B", "text": ""}, "laterality", "laterality_contradiction"),
        ({"text": "The right hand is broken."}, "text", "laterality_contradiction"),
        ({"anatomic_site": "right-sided ulna"}, "anatomic_site", "laterality_contradiction"),
        ({"anatomic_site": "Prostate"}, "anatomic_site", "sex_contradiction"),
        ({"finding": "testicular torsion"}, "finding", "sex_contradiction"),
        ({"finding": "Salter-Harris II fracture"}, "finding", "age_contradiction"),
        ({"anatomic_site": "open growth plate"}, "anatomic_site", "age_contradiction"),
    ],
)
def test_a_claim_that_contradicts_names_its_field(
    changes: dict[str, Any], field: str, code: str
) -> None:
    found = complaints(opinion(claim("s-0"), claim("s-1", **changes)))

    assert found == [(f"/claims/1/{field}", code)]


@pytest.mark.parametrize(
    ("sides", "side", "sound"),
    [
        ({"L"}, "L", True),
        ({"L"}, "R", False),
        ({"L"}, "B", False),
        ({"L"}, "U", True),
        ({"L", "U"}, "R", False),
        ({"U"}, "R", True),
        ({"B"}, "R", True),
        ({"L", "R"}, "B", True),
        ({"L", "B"}, "R", True),
        (set(), "R", True),
    ],
)
def test_a_claim_lies_on_a_side_that_was_imaged(sides: set[Any], side: Any, sound: bool) -> None:
    patient = Patient(sex="F", age_band="30-39", sides=frozenset(sides))

    found = lint_claims([claim(laterality=side, text="")], patient)

    assert [c.code for c in found] == ([] if sound else ["laterality_contradiction"])


@pytest.mark.parametrize(
    ("impression", "sound"),
    [
        ("Fracture of the left hand.", True),
        ("Fracture.", True),
        ("Fracture on the right.", False),
        ("Left fracture, right hand normal.", True),
        ("Bilateral hands: fracture.", True),
    ],
)
def test_the_impression_speaks_of_a_side_that_a_claim_is_about(
    impression: str, sound: bool
) -> None:
    found = complaints(opinion(impression=impression))

    assert found == ([] if sound else [("/impression", "laterality_contradiction")])


@pytest.mark.parametrize(
    ("sex", "site", "sound"),
    [
        ("M", "prostate", True),
        ("F", "prostate", False),
        ("M", "left ovary", False),
        ("F", "left ovary", True),
        ("O", "prostate", True),
        ("U", "uterus", True),
        ("M", "prostatectomy bed", True),
    ],
)
def test_organs_go_with_the_sex_where_it_is_known(sex: Any, site: str, sound: bool) -> None:
    patient = Patient(sex=sex, age_band="unknown", sides=frozenset())

    found = lint_claims([claim(anatomic_site=site, text="")], patient)

    assert [c.code for c in found] == ([] if sound else ["sex_contradiction"])


@pytest.mark.parametrize(
    ("band", "sound"), [("6-11", True), ("18-29", True), ("30-39", False), ("unknown", True)]
)
def test_growth_plates_are_for_the_young(band: Any, sound: bool) -> None:
    patient = Patient(sex="M", age_band=band, sides=frozenset())

    found = lint_claims([claim(finding="widened growth plate")], patient)

    assert [c.code for c in found] == ([] if sound else ["age_contradiction"])


def test_diaphysis_is_no_growth_plate() -> None:
    assert complaints(opinion(claim(anatomic_site="diaphysis of the fifth metacarpal"))) == []


def test_an_opinion_says_something() -> None:
    nothing = opinion().model_copy(update={"claims": ()})

    assert complaints(nothing) == [("/claims", "no_claims")]


def test_inadequate_images_carry_no_claims() -> None:
    assert complaints(opinion(adequacy="inadequate")) == [
        ("/claims", "claims_on_inadequate_images")
    ]
    nothing = opinion(adequacy="inadequate").model_copy(update={"claims": ()})
    assert complaints(nothing) == []


def test_two_claims_never_share_an_id() -> None:
    assert complaints(opinion(claim("x"), claim("y"), claim("x"))) == [
        ("/claims/2/id", "repeated_claim")
    ]


def test_a_refusal_names_the_first_field_and_counts_the_rest() -> None:
    refused = refused_by(lint_opinion(Opinion(), WOMAN))

    assert (refused.code, refused.field) == ("empty_section", "/technique")
    assert refused.detail == "Write the technique. (3 more)"

"""Every claim of both reads stands in exactly one pair, and the reader says what matters."""

from typing import Any

import pytest

from services.reporting.domain.compare import Comparison, Pairing, all_added, compare
from shared.contracts.report import Claim
from shared.decider import Refused
from tests.unit.reporting.cases import claim, no_fracture

FIRST = (no_fracture("f-1"), claim("f-2", finding="arthrosis"))
SECOND = (claim("s-1"), claim("s-2", finding="cyst", significance="incidental_no_action"))
WHOLE: tuple[Pairing, ...] = (
    Pairing(first="f-1", second="s-1", clinically_important=True),
    Pairing(first="f-2", clinically_important=False, understandable=False, note="Not seen."),
    Pairing(second="s-2"),
)


def refusal(pairs: tuple[Pairing, ...], first: tuple[Claim, ...] = FIRST) -> tuple[str, Any]:
    answer = compare(Comparison(first_claims=first, pairs=pairs), SECOND)
    assert isinstance(answer, Refused)
    return answer.code, answer.field


def test_a_whole_comparison_is_judged_pair_by_pair() -> None:
    pairs = compare(Comparison(first_claims=FIRST, pairs=WHOLE), SECOND)

    assert not isinstance(pairs, Refused)
    told = [(p.verdict, p.clinically_important, p.discrepancy, p.understandable) for p in pairs]
    assert told == [
        ("refuted", True, "detection", True),
        ("refuted", False, "detection", False),
        ("added", False, None, True),
    ]
    assert pairs[1].note == "Not seen."


def test_what_is_missing_is_named() -> None:
    answer = compare(Comparison(first_claims=FIRST, pairs=WHOLE[:1]), SECOND)

    assert isinstance(answer, Refused)
    assert (answer.code, answer.field) == ("claims_not_paired", "/pairs")
    assert answer.detail == "Every claim stands in one pair; missing: f-2, s-2."


@pytest.mark.parametrize(
    ("pairs", "code", "field"),
    [
        ((), "claims_not_paired", "/pairs"),
        ((*WHOLE, Pairing()), "empty_pair", "/pairs/3"),
        ((*WHOLE, Pairing(second="s-9")), "unknown_claim", "/pairs/3/second"),
        ((*WHOLE, Pairing(first="s-1")), "unknown_claim", "/pairs/3/first"),
        ((*WHOLE, Pairing(first="f-1")), "claim_paired_twice", "/pairs/0/first"),
        ((*WHOLE, Pairing(second="s-2")), "claim_paired_twice", "/pairs/2/second"),
        (
            (Pairing(first="f-1", second="s-1"), *WHOLE[1:]),
            "importance_unsaid",
            "/pairs/0/clinically_important",
        ),
        (
            (*WHOLE[:2], Pairing(second="s-2", clinically_important=True)),
            "no_discrepancy",
            "/pairs/2/clinically_important",
        ),
    ],
)
def test_a_wrong_pairing_names_its_field(pairs: tuple[Pairing, ...], code: str, field: str) -> None:
    assert refusal(pairs) == (code, field)


@pytest.mark.parametrize(
    ("first", "code", "field"),
    [
        ((), "no_first_claims", "/first_claims"),
        ((claim("f"), claim("f")), "repeated_claim", "/first_claims/1/id"),
        ((claim("s-1"),), "repeated_claim", "/first_claims/0/id"),
        ((claim("f", finding=" "),), "empty_finding", "/first_claims/0/finding"),
    ],
)
def test_a_wrong_first_claim_names_its_field(
    first: tuple[Claim, ...], code: str, field: str
) -> None:
    assert refusal(WHOLE, first) == (code, field)


def test_a_discrepancy_about_a_critical_finding_is_important() -> None:
    critical = claim("f-1", significance="critical", critical_category=1)
    said = Comparison(
        first_claims=(critical,),
        pairs=(Pairing(first="f-1", clinically_important=False),),
    )

    answer = compare(said, ())

    assert isinstance(answer, Refused)
    assert (answer.code, answer.field) == (
        "critical_is_important",
        "/pairs/0/clinically_important",
    )


@pytest.mark.parametrize(
    ("pairing", "kind"),
    [
        (Pairing(first="f", second="s", clinically_important=False), "interpretation"),
        (
            Pairing(first="f", second="s", clinically_important=False, discrepancy="detection"),
            "detection",
        ),
    ],
)
def test_the_reader_may_overrule_the_kind_of_discrepancy(pairing: Pairing, kind: str) -> None:
    said = Comparison(first_claims=(claim("f", finding="abscess"),), pairs=(pairing,))

    pairs = compare(said, (claim("s", finding="metastasis"),))

    assert not isinstance(pairs, Refused)
    assert (pairs[0].verdict, pairs[0].discrepancy) == ("revised", kind)


def test_against_nothing_every_claim_is_added_and_none_held_against_anybody() -> None:
    pairs = all_added(SECOND)

    assert [p.second for p in pairs] == list(SECOND)
    assert {(p.first, p.verdict, p.clinically_important, p.discrepancy) for p in pairs} == {
        (None, "added", False, None)
    }

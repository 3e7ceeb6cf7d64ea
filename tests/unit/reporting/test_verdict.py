"""The verdict is computed from the compared claims, by a table that can be read aloud."""

from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.claims import differences
from services.reporting.domain.verdict import (
    case_verdict,
    discrepancy,
    is_discrepancy,
    outcomes,
    pair_verdict,
)
from shared.contracts.report import Certainty, Claim, ComparedPair, Measurement
from shared.contracts.reporting import CaseVerdict, ClaimVerdict
from tests.unit.reporting.cases import claim, no_fracture

FRACTURE = claim("a")
ABSENT = no_fracture("b")


@pytest.mark.parametrize(
    ("first", "second", "agrees", "verdict"),
    [
        (None, FRACTURE, False, "added"),
        (None, ABSENT, False, "added"),
        (FRACTURE, None, False, "refuted"),
        (FRACTURE, None, True, "confirmed"),
        (ABSENT, None, False, "confirmed"),
        (FRACTURE, ABSENT, False, "refuted"),
        (ABSENT, FRACTURE, False, "refuted"),
        (claim("a", certainty="unlikely"), FRACTURE, False, "refuted"),
        (FRACTURE, claim("b"), False, "confirmed"),
        (FRACTURE, claim("b", certainty="probable"), False, "confirmed"),
        (FRACTURE, claim("b", finding=" Fracture. "), False, "confirmed"),
        (FRACTURE, claim("b", finding="bone bruise"), False, "revised"),
        (FRACTURE, claim("b", anatomic_site="fourth metacarpal"), False, "revised"),
        (FRACTURE, claim("b", laterality="R"), False, "revised"),
        (FRACTURE, claim("b", recommendation="CT"), False, "revised"),
        (FRACTURE, claim("b", significance="critical"), False, "revised"),
    ],
)
def test_a_pair_of_claims_has_one_verdict(
    first: Claim | None, second: Claim | None, agrees: bool, verdict: ClaimVerdict
) -> None:
    assert pair_verdict(first, second, agrees=agrees) == verdict


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("10", "mm"), ("10", "mm"), True),
        (("10", "mm"), ("1", "cm"), True),
        (("1", "cm2"), ("100", "mm2"), True),
        (("10", "mm"), ("11.9", "mm"), True),
        (("10", "mm"), ("12.5", "mm"), False),
        (("10", "mm"), ("10", "deg"), False),
        (("0", "mm"), ("0.0", "mm"), True),
        (("-100", "[hnsf'U]"), ("100", "[hnsf'U]"), False),
        (("10", "mm"), None, False),
        (None, None, True),
    ],
)
def test_measurements_within_a_fifth_are_the_same(first: Any, second: Any, same: bool) -> None:
    sizes = [Measurement(value=Decimal(m[0]), unit=m[1]) if m else None for m in (first, second)]
    one, other = claim("a", measurement=sizes[0]), claim("b", measurement=sizes[1])

    assert ("measurement" not in differences(one, other)) is same


def pair(
    verdict: ClaimVerdict, important: bool = False, kind: Any = "detection", ok: bool = True
) -> ComparedPair:
    lone = verdict == "added"
    return ComparedPair(
        first=None if lone else FRACTURE,
        second=claim("s"),
        verdict=verdict,
        clinically_important=important,
        discrepancy=None if verdict == "confirmed" else kind,
        understandable=ok,
    )


CONFIRMED = pair("confirmed")


@pytest.mark.parametrize(
    ("pairs", "verdict", "five_point", "radpeer"),
    [
        ([CONFIRMED], "confirmed", 1, "1"),
        ([], "confirmed", 1, "1"),
        ([CONFIRMED, pair("revised")], "revised_minor", 2, "2a"),
        ([pair("revised", kind="interpretation")], "revised_minor", 3, "2a"),
        ([pair("refuted")], "revised_minor", 2, "2a"),
        ([pair("added", ok=False)], "revised_minor", 2, "3a"),
        ([pair("added", important=True)], "revised_major", 4, "2b"),
        ([pair("revised", important=True, kind="interpretation")], "revised_major", 5, "2b"),
        ([pair("refuted", important=True, ok=False)], "refuted", 4, "3b"),
        ([pair("refuted", True), pair("added", True)], "refuted", 4, "2b"),
        ([pair("revised", True), pair("revised", ok=False)], "revised_major", 4, "2b"),
        ([pair("refuted"), pair("added", True, "interpretation")], "revised_major", 5, "2b"),
    ],
)
def test_the_case_verdict_and_both_scales_come_from_the_pairs(
    pairs: list[ComparedPair], verdict: CaseVerdict, five_point: int, radpeer: str
) -> None:
    found = case_verdict(pairs, "adequate", first_available=True)
    scores = discrepancy(found, pairs)

    assert found == verdict
    assert scores is not None
    assert (scores.five_point, scores.radpeer) == (five_point, radpeer)
    assert (scores.five_point_scale, scores.radpeer_scale) == ("radiology-2010", "radpeer-2016")


@pytest.mark.parametrize(
    ("adequacy", "available", "verdict"),
    [
        ("inadequate", True, "unable_to_opine"),
        ("inadequate", False, "unable_to_opine"),
        ("adequate", False, "not_compared"),
        ("limited", False, "not_compared"),
    ],
)
def test_nothing_is_said_of_a_first_read_that_was_not_compared(
    adequacy: Any, available: bool, verdict: CaseVerdict
) -> None:
    found = case_verdict([pair("added", True)], adequacy, first_available=available)

    assert found == verdict
    assert discrepancy(found, [pair("added", True)]) is None


@pytest.mark.parametrize(
    ("second", "counts"),
    [
        (claim("s"), True),
        (claim("s", significance="critical", critical_category=1), True),
        (claim("s", significance="incidental_no_action"), False),
        (no_fracture("s"), False),
    ],
)
def test_over_diagnosis_is_named_and_not_multiplied(second: Claim, counts: bool) -> None:
    assert is_discrepancy("added", second) is counts


verdicts = st.sampled_from(get_args(ClaimVerdict))
kinds = st.sampled_from(["detection", "interpretation"])
pairs_of_any_kind = st.lists(st.builds(pair, verdicts, st.booleans(), kinds, st.booleans()))


@given(pairs_of_any_kind)
def test_both_scales_agree_on_clinical_importance(pairs: list[ComparedPair]) -> None:
    pairs = [p if p.verdict != "confirmed" else CONFIRMED for p in pairs]
    verdict = case_verdict(pairs, "adequate", first_available=True)
    scores = discrepancy(verdict, pairs)

    assert scores is not None
    assert (scores.five_point >= 4) == scores.radpeer.endswith("b")
    assert (scores.five_point == 1) == (scores.radpeer == "1") == (verdict == "confirmed")
    assert (verdict in {"revised_major", "refuted"}) == (scores.five_point >= 4)


@given(st.sampled_from(get_args(Certainty)), st.sampled_from(get_args(Certainty)))
def test_presence_decides_between_confirmed_and_refuted(one: Certainty, other: Certainty) -> None:
    verdict = pair_verdict(claim("a", certainty=one), claim("b", certainty=other), agrees=False)
    absent = {"unlikely", "excluded"}

    assert verdict == ("confirmed" if (one in absent) == (other in absent) else "refuted")


def test_each_claim_of_a_pair_has_its_own_outcome() -> None:
    found = outcomes([pair("added", True), pair("refuted")])

    assert [(o.claim, o.verdict, o.clinically_important) for o in found] == [
        ("s", "added", True),
        ("a", "refuted", False),
        ("s", "refuted", False),
    ]

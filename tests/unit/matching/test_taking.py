"""Who asks for a case gets it: what they missed meanwhile is not held against them."""

from typing import Any

import pytest

from services.matching.domain.decide import MATCHING
from services.matching.domain.duty import Period
from services.matching.domain.inputs import Input, TakeCase
from services.matching.domain.reader import Reader
from services.matching.domain.recall import held, recalls
from services.matching.domain.state import Matching
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.matching import AssignmentAccepted, AssignmentOffered, Explanation
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    accepted,
    asked,
    at,
    deidentified,
    last,
    no,
    offer,
    reader,
    yes,
)

Case = Spec[Matching, Input, Event]


@pytest.fixture
def offered() -> Case:
    return given(MATCHING).then(accepted()).then(deidentified()).then(offer())


def take(who: Reader, load: int = 0) -> TakeCase:
    why = Explanation(score=1, terms=(), eligible=1, excluded=(), policy="directed_1")
    return TakeCase(case_id=CASE, reader=who, load=load, explanation=why)


def test_who_missed_an_offer_gets_the_case_when_they_ask(offered: Case) -> None:
    """Silence says nothing about somebody who was at another case."""
    expires_at = asked(offered.state)[0].expires_at
    expired = offered.then(DeadlineReached(case_id=CASE, kind="x", due_at=expires_at), expires_at)

    assert expired.when(offer(), expires_at).refused is not None
    step = expired.when(take(reader()), expires_at)

    of = (AssignmentOffered, AssignmentAccepted)
    assert [type(one) for one in step.events if isinstance(one, of)] == list(of)


@pytest.mark.parametrize(
    ("reason", "theirs"), [("too_busy", True), ("outside_expertise", False), ("other", False)]
)
def test_who_was_too_busy_may_ask_later_and_who_cannot_may_not(
    offered: Case, reason: str, theirs: bool
) -> None:
    declined = offered.then(no(last(offered.state), reason=reason))

    step = declined.when(take(reader()))

    assert (step.refused is None) == theirs
    assert declined.when(offer()).refused is not None


def test_an_urgent_offer_stands_until_it_is_of_no_use_and_others_are_asked_beside(
    offered: Case,
) -> None:
    until = at(hours=3)
    urgent: dict[str, Any] = {"until": until, "at_once": 2}

    refused = offered.when(offer(reader("dr-lund")))
    step = offered.when(offer(reader("dr-lund"), **urgent))

    assert refused.refused is not None
    [made] = [one for one in step.events if isinstance(one, AssignmentOffered)]
    assert made.expires_at == until
    third = offered.then(offer(reader("dr-lund"), **urgent)).when(offer(reader("dr-x"), **urgent))
    assert third.refused is not None


def test_who_took_a_page_keeps_the_case_while_they_are_on_call() -> None:
    """They are on no shift, which took the case from them again as soon as somebody looked."""
    call = Period(kind="on_call", begins_at=at(hours=-1), ends_at=at(hours=9))
    called = reader(shifts=(), calendar=(call,))
    case = given(MATCHING).then(accepted(service_level="emergent")).then(deidentified())
    case = case.then(offer(called, paged=True), at(minutes=5))
    case = case.then(yes(last(case.state), called), at(minutes=6))

    holdings = list(held(case.state.assignment, at(hours=1)))

    assert list(recalls(holdings, {called.id: called}, at(minutes=7))) == []
    off = called.model_copy(update={"calendar": ()})
    [lost] = recalls(holdings, {called.id: off}, at(minutes=7))
    assert lost.reason == "off_shift"

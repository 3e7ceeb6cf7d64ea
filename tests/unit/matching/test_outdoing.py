"""Somebody fits better: an offer is withdrawn for them once, early, and never after an answer."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from services.matching.domain.decide import MATCHING
from services.matching.domain.inputs import Input, OutdoOffer
from services.matching.domain.plan import Round
from services.matching.domain.policy import Better
from services.matching.domain.reader import Reader
from services.matching.domain.replay import replay
from services.matching.domain.rivals import Silent, outdo, silent
from services.matching.domain.state import Assigned, Matching, Offered
from services.matching.domain.why import Decision
from shared.contracts.base import Event
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentOffered,
    OfferWithdrawn,
)
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    EXPLANATION,
    NOON,
    accepted,
    asked,
    at,
    deidentified,
    last,
    no,
    offer,
    reader,
    requested,
    yes,
)

Case = Spec[Matching, Input, Event]
SECOND = reader("dr-second", subspecialties=("chest", "musculoskeletal"))
BEST = reader("dr-best")
LIMITS = Better()
WINDOW = timedelta(minutes=60)  # of a routine case


def offered(who: Reader = SECOND) -> Case:
    return given(MATCHING).then(accepted()).then(deidentified()).then(offer(who))


def better(case: Case, who: Reader = BEST, **changes: Any) -> OutdoOffer:
    fields: dict[str, Any] = {
        "case_id": CASE,
        "reader": who,
        "load": 0,
        "explanation": EXPLANATION,
        "instead_of": last(case.state),
        "gain": 0.3,
        "limits": LIMITS,
    }
    return OutdoOffer(**fields | changes)


def standings(case: Case) -> list[tuple[str, str]]:
    return [(one.reader, one.standing) for one in asked(case.state)]


def test_the_offer_is_withdrawn_with_its_reason_and_the_better_one_made_at_once() -> None:
    step = offered().when(better(offered()))

    gone, made = step.events
    assert isinstance(gone, OfferWithdrawn)
    assert (gone.reader, gone.reason) == ("dr-second", "better_reader")
    assert isinstance(made, AssignmentOffered)
    assert made.reader == "dr-best"
    assert isinstance(step.state.assignment, Offered)
    assert [one.kind for one in MATCHING.deadlines(step.state) if "offer" in one.kind] == [
        f"offer:{made.assignment}"
    ]


def test_who_was_outdone_hears_so_and_may_be_asked_again() -> None:
    case = offered()
    late = yes(last(case.state), SECOND)
    case = case.then(better(case))

    refused = case.when(late).refused
    assert refused is not None
    assert refused.code == "offer_withdrawn"
    again = case.then(no(last(case.state), "dr-best")).then(offer(SECOND))
    assert standings(again)[-1] == ("dr-second", "offered")


def test_an_answer_that_came_first_stands() -> None:
    case = offered()
    rival = better(case)
    taken = case.then(yes(last(case.state), SECOND))

    assert taken.when(rival).refused is not None
    assert isinstance(taken.state.assignment, Assigned)


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        ({"gain": 0.149}, timedelta(0)),
        ({}, WINDOW * 0.75),
        ({"limits": Better(last_part=1)}, timedelta(0)),
        ({"limits": Better(at_most=0)}, timedelta(0)),
        ({"who": reader("dr-best", licences=())}, timedelta(0)),
        ({"who": SECOND}, timedelta(0)),
        ({"instead_of": "another"}, timedelta(0)),
        ({"load": 5}, timedelta(0)),
    ],
    ids=[
        "too little",
        "too late",
        "never early enough",
        "off",
        "may not",
        "the same",
        "no",
        "full",
    ],
)
def test_what_the_policy_or_a_rule_forbids_is_refused(
    changes: dict[str, Any], after: timedelta
) -> None:
    case = offered()

    assert case.when(better(case, **changes), NOON + after).refused is not None


def test_just_before_the_last_part_it_is_still_withdrawn() -> None:
    case = offered()
    assert case.when(better(case), NOON + WINDOW * 0.74).refused is None


def test_so_many_times_a_case() -> None:
    twice = Better(at_most=2)
    case = offered()
    for n in range(2):
        case = case.then(better(case, reader(f"dr-{n}"), limits=twice))

    assert case.when(better(case, reader("dr-9"), limits=twice)).refused is not None
    assert standings(case)[:2] == [("dr-second", "outdone"), ("dr-0", "outdone")]


def test_whom_an_operator_chose_or_who_is_paged_is_left_to_think() -> None:
    by_hand = EXPLANATION.model_copy(update={"policy": "by_hand"})
    chosen = offer(SECOND).model_copy(update={"explanation": by_hand})
    case = given(MATCHING).then(accepted()).then(deidentified())

    for one in (case.then(chosen), case.then(offer(SECOND, paged=True, until=at(hours=9)))):
        assert one.when(better(one)).refused is not None


def test_nobody_is_asked_while_the_case_is_paused() -> None:
    case = offered()
    rival = better(case)

    refused = case.then(requested()).when(rival).refused
    assert refused is not None
    assert refused.code == "case_paused"


ACTS = st.lists(st.sampled_from(("better", "yes", "no", "late yes", "offer", "pass")), max_size=12)


@settings(max_examples=200, deadline=None)
@given_any(ACTS)
def test_one_truth_however_answers_and_better_offers_race(acts: list[str]) -> None:
    case, limits, has = offered(), Better(at_most=2), 0
    withdrawn = 0
    now = NOON
    for n, act in enumerate(acts):
        newest = asked(case.state)[-1]
        rival = better(case, reader(f"dr-{n}"), limits=limits)
        inputs: dict[str, Input] = {
            "better": rival,
            "yes": yes(newest.assignment, reader(newest.reader)),
            "no": no(newest.assignment, newest.reader),
            "late yes": yes(asked(case.state)[0].assignment, SECOND),
            "offer": offer(reader(f"dr-{n}")),
            "pass": rival.model_copy(update={"instead_of": "nobody's"}),
        }
        received = inputs[act]
        step = case.when(received, now)
        gone = [one for one in step.events if isinstance(one, OfferWithdrawn)]
        made = [one for one in step.events if isinstance(one, AssignmentOffered)]
        withdrawn += len(gone)
        assert not gone or len(made) == 1  # never an offer less
        has += sum(isinstance(one, AssignmentAccepted) for one in step.events)
        case = case.then(received, now)
        now += timedelta(minutes=3)
        standing = [one.standing for one in asked(case.state)]
        assert standing.count("offered") + standing.count("assigned") <= 1
    assert withdrawn <= 2
    assert has <= 1


def silents(*cases: Case) -> list[Silent]:
    found = [silent(one.state.assignment, at(hours=96)) for one in cases]
    return [one for some in found for one in some]


def rivals(
    readers: list[Reader], came: set[str], loads: dict[str, int], **limits: Any
) -> list[OutdoOffer]:
    this = Round({one.id: one for one in readers}, loads, NOON)
    assert list(this.plan([])) == []
    return list(outdo(this.later, silents(offered()), came, Better(**limits)))


def test_who_comes_and_fits_clearly_better_is_proposed_with_the_reason() -> None:
    readers = [SECOND, BEST]

    [found] = rivals(readers, {"dr-best"}, {"dr-second": 1})

    assert found.instead_of == last(offered().state)
    assert found.reader.id == "dr-best"
    assert found.gain >= LIMITS.by
    step = offered().when(found)
    assert step.refused is None
    assert found.considered is not None
    decision = Decision(
        considered=found.considered.written(), reader="dr-best", explanation=found.explanation
    )
    assert replay(decision, {one.id: one for one in readers}).differs == ()


@pytest.mark.parametrize(
    ("readers", "came"),
    [
        ([SECOND, BEST], set[str]()),
        ([SECOND, reader("dr-same", subspecialties=("chest", "musculoskeletal"))], {"dr-same"}),
        ([SECOND, reader("dr-best", shifts=())], {"dr-best"}),
        ([SECOND, reader("dr-best", capacity=0)], {"dr-best"}),
        ([BEST], {"dr-best"}),
    ],
    ids=["was there before", "fits no better", "not on shift", "no room", "who was asked is gone"],
)
def test_nobody_else_is(readers: list[Reader], came: set[str]) -> None:
    assert rivals(readers, came, {"dr-second": 1}) == []


def test_who_comes_is_given_no_more_than_they_have_room_for() -> None:
    others = [
        given(MATCHING).then(accepted(case_id=CASE)).then(deidentified()).then(offer(SECOND))
        for _ in range(3)
    ]
    narrow = reader("dr-best", capacity=2)
    this = Round({one.id: one for one in (SECOND, narrow)}, {"dr-second": 3}, NOON)

    found = list(outdo(this.later, silents(*others), {"dr-best"}, LIMITS))

    assert [one.load for one in found] == [0, 1]

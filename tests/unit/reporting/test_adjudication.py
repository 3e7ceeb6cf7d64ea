"""A reader lets a third one decide: after comparing, before signing, once; and nothing is lost."""

from typing import Any

import pytest

from services.reporting.domain.decide import REPORTING
from services.reporting.domain.inputs import RequestAdjudication
from services.reporting.domain.state import Assigned, Comparing, Unknown
from shared.contracts.matching import AssignmentReleased, AssignmentRevoked
from shared.contracts.reporting import AdjudicationRequested
from shared.testing.spec import NOON, Spec
from tests.unit.reporting.cases import CASE, READER, assigned, finalize, opinion
from tests.unit.reporting.stages import ARRIVED, after, comparing, final, locked, reading, refusal

ASK = RequestAdjudication(case_id=CASE, reader=READER, why="major_discrepancy")
ADJUDICATOR = assigned().model_copy(
    update={"assignment": "a-2", "reader": "dr-lund", "role": "adjudicator"}
)


def test_the_opinion_is_kept_and_the_assignment_ends() -> None:
    step = comparing().when(ASK)

    assert step.events == (
        AdjudicationRequested(
            case_id=CASE,
            partner="st-elsewhere",
            assignment="a-1",
            reader=READER,
            why="major_discrepancy",
            at=NOON,
        ),
    )
    assert isinstance(step.state, Unknown)
    [kept] = step.state.material.set_aside
    assert kept.sealed is not None
    assert (kept.sealed.opinion, kept.reason) == (opinion(), "adjudication")


def test_asking_twice_asks_once_and_what_matching_says_of_it_changes_nothing() -> None:
    asked = comparing().then(ASK)
    ended = AssignmentReleased(case_id=CASE, assignment="a-1", reader=READER, reason="adjudication")

    assert asked.when(ASK).events == ()
    assert asked.when(ended).events == ()


def test_the_adjudicator_reads_it_from_the_beginning() -> None:
    third = comparing().then(ASK).then(ADJUDICATOR)

    assert isinstance(third.state, Assigned)
    assert third.state.assignment.role == "adjudicator"
    assert refusal(third, finalize(comparing().state)) == "assignment_ended"


def test_who_was_given_the_case_before_matching_heard_does_not_read_it() -> None:
    """The second reader's app fell silent; matching gave the case on, and then heard of them."""
    asked = comparing().then(ASK)
    other = assigned().model_copy(update={"assignment": "a-2", "reader": "dr-hasty"})
    taken = AssignmentRevoked(case_id=CASE, assignment="a-2", reader="dr-hasty", reason="silent")

    given = asked.when(other)
    assert given.events == ()
    assert isinstance(given.state, Unknown)
    assert asked.then(other).when(taken).events == ()
    third = ADJUDICATOR.model_copy(update={"assignment": "a-3"})
    assert isinstance(asked.then(other).then(taken).then(third).state, Assigned)


@pytest.mark.parametrize(
    ("spec", "code"),
    [(after(*ARRIVED), "not_revealed"), (reading(), "not_revealed"), (locked(), "not_revealed")],
)
def test_it_is_too_early_before_the_comparison(spec: Any, code: str) -> None:
    assert refusal(spec, ASK) == code


def test_a_signed_report_is_not_taken_back() -> None:
    assert refusal(final(), ASK) == "already_final"


def test_an_adjudicators_decision_is_final() -> None:
    spec = comparing()
    assert isinstance(spec.state, Comparing)
    role = spec.state.assignment.model_copy(update={"role": "adjudicator"})
    state = spec.state.model_copy(update={"assignment": role})

    assert refusal(Spec(REPORTING, state), ASK) == "adjudicator_decides"


def test_software_that_reads_beside_takes_no_case_over() -> None:
    beside = assigned().model_copy(update={"assignment": "a-9", "role": "ai_reader"})

    state = comparing().then(beside).state

    assert isinstance(state, Comparing)
    assert state.assignment.assignment == "a-1"

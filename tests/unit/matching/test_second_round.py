"""A second reader asks for a third: who is neither of the first two, nor works with them."""

import pytest

from services.matching.domain.decide import MATCHING
from services.matching.domain.inputs import Input, NobodyFits
from services.matching.domain.reader import Reader
from services.matching.domain.state import Assigned, Matching, Open, Running
from shared.contracts.base import Event
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentOffered,
    AssignmentReleased,
    Ineligible,
)
from shared.contracts.reporting import AdjudicationRequested
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    NOON,
    accepted,
    at,
    deidentified,
    finalized,
    last,
    offer,
    reader,
    reading,
    yes,
)

Case = Spec[Matching, Input, Event]
READER = reader(groups=("boston",))


def requested(assignment: str) -> AdjudicationRequested:
    return AdjudicationRequested(
        case_id=CASE,
        partner="st-elsewhere",
        assignment=assignment,
        reader="dr-osei",
        why="major_discrepancy",
        at=NOON,
    )


@pytest.fixture
def read() -> Case:
    case = given(MATCHING).then(accepted()).then(deidentified()).then(offer(READER))
    taken = case.then(yes(last(case.state), READER))
    return taken.then(reading(last(taken.state)))


@pytest.fixture
def differing(read: Case) -> Case:
    return read.then(requested(last(read.state)), at(hours=1))


def test_the_assignment_ends_and_an_adjudicator_is_looked_for(read: Case) -> None:
    step = read.when(requested(last(read.state)), at(hours=1))

    [ended] = [one for one in step.events if isinstance(one, AssignmentReleased)]
    assert ended.reason == "adjudication"
    assert isinstance(step.state.assignment, Open)
    assert step.state.assignment.brief.role == "adjudicator"


def test_the_deadline_stays_and_the_stage_is_matching_again(read: Case, differing: Case) -> None:
    before, after = read.state.clock, differing.state.clock

    assert isinstance(before, Running)
    assert isinstance(after, Running)
    assert after.due_at == before.due_at
    assert (before.stage, after.stage) == ("read", "match")


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (READER, False),
        (reader("dr-colleague", groups=("boston",)), False),
        (reader("dr-first", groups=(), identifiers=("npi:1111",)), False),
        (reader("dr-valley", groups=("valley",)), False),
        (reader("dr-lund", groups=("uppsala",)), True),
    ],
    ids=["second reader", "their group", "first reader", "first group", "somebody else"],
)
def test_neither_reader_nor_their_groups_decide(differing: Case, who: Reader, may: bool) -> None:
    step = differing.when(offer(who), at(hours=1))

    assert (step.refused is None) is may


def test_the_adjudicator_takes_it_in_that_role_and_signs(differing: Case) -> None:
    third = reader("dr-lund", groups=("uppsala",))
    asked = differing.when(offer(third), at(hours=1))
    [made] = asked.events
    assert isinstance(made, AssignmentOffered)
    assert made.role == "adjudicator"

    offered = differing.then(offer(third), at(hours=1))
    took = offered.when(yes(last(offered.state), third), at(hours=1))
    [accepted_] = [one for one in took.events if isinstance(one, AssignmentAccepted)]
    assert accepted_.role == "adjudicator"
    done = offered.then(yes(last(offered.state), third), at(hours=1))
    closed = done.then(finalized(at(hours=2), last(done.state)), at(hours=2))
    assert closed.state.assignment.kind == "closed"


def test_asking_again_or_about_an_ended_assignment_changes_nothing(differing: Case) -> None:
    second = last(differing.state)

    assert differing.when(requested(second), at(hours=1)).events == ()
    assert differing.when(requested("another"), at(hours=1)).events == ()


def test_nobody_fits_says_so_when_all_have_read_it(differing: Case) -> None:
    why = (Ineligible(constraint="earlier_reader", readers=3),)

    step = differing.when(NobodyFits(case_id=CASE, why=why), at(hours=1))

    assert step.state.assignment.kind == "unfillable"


def test_without_groups_the_second_reader_alone_is_excluded() -> None:
    alone = reader("dr-solo", groups=())
    case = given(MATCHING).then(accepted()).then(deidentified()).then(offer(alone))
    taken = case.then(yes(last(case.state), alone))
    assert isinstance(taken.state.assignment, Assigned)

    asked = requested(last(taken.state)).model_copy(update={"reader": "dr-solo"})
    after = taken.then(asked, at(hours=1))

    assert after.when(offer(alone), at(hours=1)).refused is not None
    assert after.when(offer(reader("dr-x", groups=("boston",))), at(hours=1)).refused is None

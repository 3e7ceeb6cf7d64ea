"""A second reader asks for a third: who is neither of the first two, nor works with them."""

from datetime import timedelta

import pytest

from services.matching.domain.contract import DEFAULT, Contract, Contracts, Rung
from services.matching.domain.decide import MATCHING
from services.matching.domain.inputs import Input, NobodyFits, ReaderWentOffline
from services.matching.domain.reader import Reader
from services.matching.domain.state import Assigned, Matching, Open, Running, brief_of
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentOffered,
    AssignmentReleased,
    AssignmentRevoked,
    EscalationRaised,
    Ineligible,
    OfferWithdrawn,
    PoolBroadened,
    SlaBreached,
    StageCompleted,
)
from shared.contracts.reporting import AdjudicationRequested
from shared.decider import Decider
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    NOON,
    accepted,
    at,
    back,
    deidentified,
    finalized,
    last,
    offer,
    provided,
    reader,
    reading,
    yes,
)
from tests.unit.matching.cases import requested as information_requested

Case = Spec[Matching, Input, Event]
READER = reader(groups=("boston",))
LUND = reader("dr-lund", groups=("uppsala",))
BUDGETS = DEFAULT["routine"].budgets


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


def test_the_deadline_stays_and_the_stage_is_its_own(read: Case, differing: Case) -> None:
    before, after = read.state.clock, differing.state.clock

    assert isinstance(before, Running)
    assert isinstance(after, Running)
    assert after.due_at == before.due_at
    assert (before.stage, after.stage) == ("read", "adjudicate")


def test_the_second_reading_is_done_and_adjudication_has_a_budget_of_its_own(read: Case) -> None:
    asked = read.when(requested(last(read.state)), at(hours=1))
    differing, third = read.then(requested(last(read.state)), at(hours=1)), LUND
    offered = differing.then(offer(third), at(hours=2))
    taken = offered.then(yes(last(offered.state), third), at(hours=3))
    step = taken.when(finalized(at(hours=5), last(taken.state)), at(hours=5))

    [done] = [one for one in asked.events if isinstance(one, StageCompleted)]
    assert (done.stage, done.adjudication) == ("read", False)
    assert isinstance(taken.state.clock, Running)
    assert taken.state.clock.stage == "adjudicate"
    [decided] = [one for one in step.events if isinstance(one, StageCompleted)]
    assert (decided.stage, decided.adjudication) == ("read", True)
    assert (decided.took, decided.budget) == (timedelta(hours=4), BUDGETS.match + BUDGETS.read)
    assert isinstance(step.state.clock, Running)
    assert step.state.clock.stage == "deliver"


def test_an_adjudicator_who_gives_it_back_ends_no_stage(differing: Case) -> None:
    offered = differing.then(offer(LUND), at(hours=2))
    taken = offered.then(yes(last(offered.state), LUND), at(hours=3))
    gone = ReaderWentOffline(case_id=CASE, reader=LUND.id, reason="silent")

    back = taken.then(gone, at(hours=4))

    assert isinstance(back.state.assignment, Open)
    assert isinstance(back.state.clock, Running)
    assert back.state.clock.stage == "adjudicate"


@pytest.mark.parametrize(("found", "party"), [(False, "platform"), (True, "reader")])
def test_a_breach_names_the_adjudication_and_on_whom_it_waits(
    differing: Case, found: bool, party: str
) -> None:
    offered = differing.then(offer(LUND), at(hours=2))
    taken = offered.then(yes(last(offered.state), LUND), at(hours=2))
    case = taken if found else differing
    assert isinstance(case.state.clock, Running)
    due_at = case.state.clock.due_at

    step = case.when(DeadlineReached(case_id=CASE, kind="sla:breach", due_at=due_at), due_at)

    [breach] = [one for one in step.events if isinstance(one, SlaBreached)]
    assert (breach.stage, breach.adjudication, breach.party) == ("read", True, party)


def test_a_rung_asks_more_adjudicators_and_may_be_of_that_stage_alone(read: Case) -> None:
    rung = Rung(rung=1, fraction=0.5, stage="adjudicate", role="chief", channels=("board",))
    terms = DEFAULT["routine"].model_copy(update={"rungs": (rung,)})
    contract = Contract(partner="st-elsewhere", levels={"routine": terms})
    initial = Matching(contracts=Contracts(by_partner={"st-elsewhere": contract}))
    case = given(Decider(initial, MATCHING.decide, MATCHING.evolve, MATCHING.deadlines))
    case = case.then(accepted()).then(deidentified()).then(offer(READER))
    case = case.then(yes(last(case.state), READER))
    case = case.then(requested(last(case.state)), at(hours=1))
    half = NOON + timedelta(hours=1) + (BUDGETS.match + BUDGETS.read) / 2

    step = case.when(DeadlineReached(case_id=CASE, kind="rung:1", due_at=half), half)

    [raised] = [one for one in step.events if isinstance(one, EscalationRaised)]
    assert (raised.role, raised.stage, raised.adjudication) == ("chief", "read", True)
    assert [one for one in step.events if isinstance(one, PoolBroadened)]


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


SILENT = ReaderWentOffline(case_id=CASE, reader="dr-osei", reason="silent")
COLLEAGUE = reader("dr-colleague", groups=("boston",))
THIRD = reader("dr-lund", groups=("uppsala",))


def role_of(state: Matching) -> str | None:
    brief = brief_of(state.assignment)
    return brief.role if brief else None


def lost(read: Case, how: str) -> Case:
    """Let the second reader lose the case after they asked, before that is heard."""
    received = SILENT if how == "silent" else back(last(read.state))
    return read.then(received, at(minutes=50))


@pytest.mark.parametrize("how", ["silent", "released"])
def test_who_lost_the_case_before_they_were_heard_is_heard_all_the_same(
    read: Case, how: str
) -> None:
    asked = requested(last(read.state))
    after = lost(read, how).then(asked, at(hours=1))

    assert isinstance(after.state.assignment, Open)
    brief = after.state.assignment.brief
    assert brief.role == "adjudicator"
    assert [(one.reader, one.groups) for one in brief.earlier] == [("dr-osei", ("boston",))]
    assert after.when(offer(COLLEAGUE), at(hours=1)).refused is not None
    assert after.when(offer(THIRD), at(hours=1)).refused is None
    assert after.when(asked, at(hours=1)).events == ()


def test_who_was_asked_meanwhile_is_not_waited_for(read: Case) -> None:
    asked = requested(last(read.state))
    other = lost(read, "silent").then(offer(COLLEAGUE), at(minutes=55))

    step = other.when(asked, at(hours=1))

    [gone] = [one for one in step.events if isinstance(one, OfferWithdrawn)]
    assert (gone.reader, gone.reason) == ("dr-colleague", "adjudication")
    assert role_of(step.state) == "adjudicator"


@pytest.mark.parametrize("who", [COLLEAGUE, THIRD], ids=["a colleague", "somebody else"])
def test_who_was_given_the_case_meanwhile_loses_it(read: Case, who: Reader) -> None:
    asked = requested(last(read.state))
    other = lost(read, "silent").then(offer(who), at(minutes=55))
    taken = other.then(yes(last(other.state), who), at(minutes=56))

    step = taken.when(asked, at(hours=1))

    [gone] = [one for one in step.events if isinstance(one, AssignmentRevoked)]
    assert (gone.reader, gone.reason) == (who.id, "adjudication")
    assert step.state.assignment.kind == "open"
    assert role_of(step.state) == "adjudicator"


def test_it_is_heard_while_the_case_is_paused_too(read: Case) -> None:
    asked = requested(last(read.state))
    stands = lost(read, "silent").then(information_requested(), at(minutes=52))
    assert stands.state.assignment.kind == "paused"

    after = stands.then(asked, at(hours=1)).then(provided(), at(hours=2))

    assert role_of(after.state) == "adjudicator"
    assert after.when(offer(COLLEAGUE), at(hours=2)).refused is not None


def test_a_signed_report_ends_it_whoever_asks_late(read: Case) -> None:
    asked = requested(last(read.state))
    signed = read.then(finalized(at(hours=1), last(read.state)), at(hours=1))

    assert signed.when(asked, at(hours=1)).events == ()


def test_nobody_who_works_with_them_is_asked_when_the_roster_has_forgotten_them(
    read: Case,
) -> None:
    """Their groups are those of the acceptance: kept with the assignment, however it ends."""
    gone = SILENT.model_copy(update={"reason": "on_roster"})
    after = read.then(gone, at(minutes=50)).then(requested(last(read.state)), at(hours=1))

    assert after.when(offer(COLLEAGUE), at(hours=1)).refused is not None

"""Who reads a case: given / when / then."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from services.matching.domain.contract import DEFAULT, Contract, Contracts
from services.matching.domain.decide import MATCHING
from services.matching.domain.events import Decided
from services.matching.domain.inputs import Input, NobodyFits, ReaderWentOffline
from services.matching.domain.state import Assigned, Closed, Matching, Offered, Open, Unfillable
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentOffered,
    AssignmentReleased,
    AssignmentRevoked,
    CaseOpened,
    EscalationRaised,
    Ineligible,
    NoEligibleReader,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    PoolBroadened,
)
from shared.decider import Decider, Step
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    NOON,
    accepted,
    asked,
    at,
    back,
    cancelled,
    deidentified,
    finalized,
    hurried,
    last,
    no,
    offer,
    provided,
    reader,
    reading,
    requested,
    supplemented,
    yes,
)

Case = Spec[Matching, Input, Event]


def types(step: Step[Matching, Event], of: tuple[type[Event], ...] = ()) -> list[type[Event]]:
    return [type(one) for one in step.events if not of or isinstance(one, of)]


def asking(at_once: int) -> Case:
    """An accepted and clean case whose contract asks so many readers at once."""
    terms = DEFAULT["routine"].model_copy(update={"offers_at_once": at_once})
    contract = Contract(partner="st-elsewhere", levels={"routine": terms})
    contracts = Contracts(by_partner={"st-elsewhere": contract})
    initial = Matching(contracts=contracts)
    decider = Decider(initial, MATCHING.decide, MATCHING.evolve, MATCHING.deadlines)
    return given(decider).then(accepted()).then(deidentified())


@pytest.fixture
def opened() -> Case:
    return given(MATCHING).then(accepted()).then(deidentified())


@pytest.fixture
def offered(opened: Case) -> Case:
    return opened.then(offer())


@pytest.fixture
def assigned(offered: Case) -> Case:
    return offered.then(yes(last(offered.state)))


def test_an_accepted_and_clean_case_is_open() -> None:
    step = given(MATCHING).then(accepted()).when(deidentified())

    assert CaseOpened(case_id=CASE, partner="st-elsewhere", role="second_reader") in step.events
    assert isinstance(step.state.assignment, Open)


def test_who_is_shown_conflicting_opinions_adjudicates_from_the_start() -> None:
    case = given(MATCHING).then(accepted(reason_for_review="conflicting_opinions"))

    [opened, *_] = case.when(deidentified()).events
    [offered] = case.then(deidentified()).when(offer()).events

    assert isinstance(opened, CaseOpened)
    assert isinstance(offered, AssignmentOffered)
    assert opened.role == offered.role == "adjudicator"


def test_what_comes_before_the_acceptance_is_decided_with_it() -> None:
    early = given(MATCHING).then(deidentified())

    step = early.when(accepted())

    assert CaseOpened in types(step)
    assert step.state == given(MATCHING).then(accepted()).when(deidentified()).state


def test_an_offer_names_reader_expiry_and_explanation(opened: Case) -> None:
    [made] = opened.when(offer()).events

    assert isinstance(made, AssignmentOffered)
    assert made.reader == "dr-osei"
    assert made.expires_at == NOON + DEFAULT["routine"].offer_window
    assert made.explanation == offer().explanation


def test_an_accepted_offer_is_owed_before_the_delivery_takes_its_part(offered: Case) -> None:
    step = offered.when(yes(last(offered.state)), at(minutes=5))

    [said] = [one for one in step.events if isinstance(one, AssignmentAccepted)]
    assert said.due_at == at(hours=96) - DEFAULT["routine"].budgets.deliver
    assert isinstance(step.state.assignment, Assigned)


def test_saying_yes_twice_changes_nothing(assigned: Case) -> None:
    step = assigned.when(yes(last(assigned.state)))

    assert step.events == ()
    assert step.refused is None


def test_of_two_who_say_yes_the_first_wins() -> None:
    both = asking(2).then(offer()).then(offer(reader("dr-lund")))
    mine, theirs = (one.assignment for one in asked(both.state))

    won = both.when(yes(theirs, reader("dr-lund")))
    lost = both.then(yes(theirs, reader("dr-lund"))).when(yes(mine))

    assert types(won, (OfferWithdrawn, AssignmentAccepted)) == [OfferWithdrawn, AssignmentAccepted]
    assert lost.refused is not None
    assert lost.refused.code == "already_taken"


def test_no_more_are_asked_at_once_than_the_contract_says(offered: Case) -> None:
    step = offered.when(offer(reader("dr-lund")))

    assert step.refused is not None
    assert step.refused.code == "not_open"


def test_nobody_is_asked_twice_at_once() -> None:
    step = asking(2).then(offer()).when(offer())

    assert step.refused is not None
    assert step.refused.code == "not_eligible"


@pytest.mark.parametrize(
    ("who", "load"),
    [
        (reader(licences=()), 0),
        (reader(active=False), 0),
        (reader(groups=("valley",)), 0),
        (reader(), 5),
    ],
    ids=["no licence", "inactive", "first group", "full"],
)
def test_the_decider_itself_refuses_who_may_not_read(opened: Case, who: Any, load: int) -> None:
    step = opened.when(offer(who, load=load))

    assert step.events == ()
    assert step.refused is not None
    assert step.refused.code == "not_eligible"


def test_who_lost_the_licence_since_the_offer_can_not_accept(offered: Case) -> None:
    step = offered.when(yes(last(offered.state), reader(licences=())))

    assert step.refused is not None
    assert step.refused.code == "not_eligible"
    assert "licence" in step.refused.detail


def test_who_is_full_by_other_cases_can_not_accept(offered: Case) -> None:
    step = offered.when(yes(last(offered.state), load=5))

    assert step.refused is not None
    assert step.refused.code == "not_eligible"


def test_a_decline_opens_the_case_for_others_only(offered: Case) -> None:
    declined = offered.when(no(last(offered.state)))
    again = offered.then(no(last(offered.state))).when(offer())
    other = offered.then(no(last(offered.state))).when(offer(reader("dr-lund")))

    assert types(declined) == [OfferDeclined]
    assert again.refused is not None
    assert types(other) == [AssignmentOffered]


def test_an_offer_expires_at_its_time_and_not_before(offered: Case) -> None:
    [deadline] = [one for one in MATCHING.deadlines(offered.state) if "offer" in one.kind]
    reached = DeadlineReached(case_id=CASE, kind=deadline.kind, due_at=deadline.due_at)

    before = offered.when(yes(last(offered.state)), deadline.due_at - timedelta(seconds=1))
    expired = offered.when(reached, deadline.due_at)

    assert AssignmentAccepted in types(before)
    assert types(expired) == [OfferExpired]
    assert isinstance(expired.state.assignment, Open)


def test_a_yes_after_the_expiry_is_refused_even_if_the_timer_is_late(offered: Case) -> None:
    step = offered.when(yes(last(offered.state)), at(hours=2))

    assert step.refused is not None
    assert step.refused.code == "offer_expired"


def test_a_timer_that_runs_ahead_of_our_clock_loses_no_deadline(offered: Case) -> None:
    [deadline] = [one for one in MATCHING.deadlines(offered.state) if "offer" in one.kind]
    reached = DeadlineReached(case_id=CASE, kind=deadline.kind, due_at=deadline.due_at)

    step = offered.when(reached, deadline.due_at - timedelta(seconds=2))

    assert types(step) == [OfferExpired]


Late = Callable[[Case, str], Case]


@pytest.mark.parametrize(
    ("happened", "code"),
    [
        (lambda case, a: case.then(no(a)), "offer_declined"),
        (lambda case, _: case.then(requested()), "offer_withdrawn"),
        (lambda case, _: case.then(cancelled()), "offer_withdrawn"),
        (lambda case, a: case.then(yes(a)).then(back(a)), "assignment_released"),
        (lambda case, a: case.then(yes(a)).then(cancelled()), "assignment_revoked"),
        (lambda case, a: case.then(yes(a)).then(finalized(at(hours=1), a)), "case_closed"),
    ],
    ids=["declined", "withdrawn", "cancelled", "released", "revoked", "closed"],
)
def test_a_late_yes_hears_what_became_of_the_offer(
    offered: Case, happened: Late, code: str
) -> None:
    assignment = last(offered.state)

    step = happened(offered, assignment).when(yes(assignment))

    assert step.refused is not None
    assert step.refused.code == code


@pytest.mark.parametrize("make", [yes, no, back])
def test_another_readers_offer_is_not_found(offered: Case, make: Any) -> None:
    stranger = reader("dr-lund") if make is yes else "dr-lund"

    step = offered.when(make(last(offered.state), stranger))

    assert step.refused is not None
    assert step.refused.code == "not_found"


@pytest.mark.parametrize("make", [yes, no, back])
def test_a_case_that_nobody_heard_of_is_not_found(make: Any) -> None:
    step = given(MATCHING).when(make("nothing"))

    assert step.refused is not None
    assert step.refused.code == "not_found"


def test_a_released_case_is_open_again(assigned: Case) -> None:
    step = assigned.when(back(last(assigned.state)))

    assert AssignmentReleased in types(step)
    assert isinstance(step.state.assignment, Open)


def test_an_offer_is_declined_and_not_released(offered: Case) -> None:
    step = offered.when(back(last(offered.state)))

    assert step.refused is not None
    assert step.refused.code == "not_accepted"


def test_while_the_partner_owes_something_nobody_is_asked(offered: Case) -> None:
    paused = offered.when(requested())
    refused = offered.then(requested()).when(offer(reader("dr-lund")))
    resumed = offered.then(requested()).then(provided()).when(offer())

    assert OfferWithdrawn in types(paused)
    assert refused.refused is not None
    assert refused.refused.code == "case_paused"
    assert AssignmentOffered in types(resumed)


def test_a_paused_case_stays_with_its_reader(assigned: Case) -> None:
    resumed = assigned.then(requested()).then(provided()).state.assignment

    assert isinstance(resumed, Assigned)
    assert resumed.reader == "dr-osei"


def test_a_case_that_became_clean_while_it_was_paused_opens_with_the_answer() -> None:
    case = given(MATCHING).then(accepted()).then(requested()).then(deidentified())

    assert case.when(offer()).refused is not None
    assert isinstance(case.then(provided()).state.assignment, Open)


def test_a_cancelled_case_is_taken_from_its_reader(assigned: Case) -> None:
    step = assigned.when(cancelled())

    wanted = (AssignmentRevoked, AssignmentClosed)
    assert types(step, wanted) == [AssignmentRevoked, AssignmentClosed]
    assert isinstance(step.state.assignment, Closed)


def test_a_signed_report_closes_whatever_was_going_on(offered: Case) -> None:
    step = offered.when(finalized(at(hours=1)), at(hours=1))

    wanted = (OfferWithdrawn, AssignmentClosed)
    assert types(step, wanted) == [OfferWithdrawn, AssignmentClosed]


def test_a_report_signed_by_another_takes_the_case_from_its_reader(assigned: Case) -> None:
    step = assigned.when(finalized(at(hours=1), "an-older-assignment"), at(hours=1))

    assert types(step, (AssignmentRevoked,)) == [AssignmentRevoked]
    assert step.state.clock.kind == "running"
    assert step.state.clock.stage == "deliver"


def test_reading_is_noted_once(assigned: Case) -> None:
    mine = reading(last(assigned.state))

    assert len(assigned.when(mine).events) == 1
    assert assigned.then(mine).when(mine).events == ()
    assert assigned.when(reading("another")).events == ()


def test_nobody_fits_is_said_once_per_change_of_why(opened: Case) -> None:
    def why(*names: str, readers: int = 1) -> NobodyFits:
        reasons = tuple(Ineligible(constraint=one, readers=readers) for one in names)
        return NobodyFits(case_id=CASE, why=reasons)

    told = opened.then(why("licence", "on_shift"))

    assert isinstance(told.state.assignment, Unfillable)
    assert told.when(why("licence", "on_shift", readers=9)).events == ()
    assert types(told.when(why("licence"))) == [NoEligibleReader]
    assert types(told.when(offer())) == [AssignmentOffered]


def test_an_offline_readers_offer_is_withdrawn_and_case_revoked(
    offered: Case, assigned: Case
) -> None:
    gone = ReaderWentOffline(case_id=CASE, reader="dr-osei", reason="licence")

    assert types(offered.when(gone)) == [OfferWithdrawn, Decided]
    assert AssignmentRevoked in types(assigned.when(gone))
    other = ReaderWentOffline(case_id=CASE, reader="dr-lund", reason="licence")
    assert assigned.when(other).events == ()


def test_a_late_study_of_another_modality_needs_a_reader_of_both(opened: Case) -> None:
    with_ct = opened.then(supplemented("CT"))
    with_prior = opened.then(supplemented("CT", prior=True))

    assert with_ct.when(offer()).refused is not None
    assert with_prior.when(offer()).refused is None


def test_another_service_level_has_its_own_time_to_answer(opened: Case) -> None:
    [made] = opened.then(hurried("urgent")).when(offer()).events

    assert isinstance(made, AssignmentOffered)
    assert made.expires_at == NOON + DEFAULT["urgent"].offer_window


def test_an_escalation_asks_more_readers_and_gives_them_less_time(opened: Case) -> None:
    waiting = opened.then(offer())
    later = at(hours=12, minutes=1)
    tick = DeadlineReached(case_id=CASE, kind="rung:1", due_at=at(hours=12))

    step = waiting.when(tick, later)
    [second] = waiting.then(tick, later).when(offer(reader("dr-lund")), later).events

    wanted = (EscalationRaised, PoolBroadened, OfferExpired)
    assert types(step, wanted) == [OfferExpired, EscalationRaised, PoolBroadened]
    assert isinstance(second, AssignmentOffered)
    assert second.expires_at == later + DEFAULT["routine"].offer_window / 2


def test_a_broadened_pool_forgives_who_let_an_offer_expire_but_not_who_declined() -> None:
    case = asking(2).then(offer()).then(offer(reader("dr-lund")))
    case = case.then(no(asked(case.state)[1].assignment, "dr-lund"))
    late = at(hours=13)
    case = case.then(DeadlineReached(case_id=CASE, kind="rung:1", due_at=late), late)

    assert case.when(offer(), late).refused is None
    assert case.when(offer(reader("dr-lund")), late).refused is not None


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_every_order_across_publishers_ends_alike(order: tuple[int, ...]) -> None:
    inputs: list[Input] = [accepted(), deidentified(), finalized(at(hours=1))]

    case = given(MATCHING)
    for n in order:
        case = case.then(inputs[n], at(hours=2))

    assert isinstance(case.state.assignment, Closed)
    assert case.state.clock.kind == "running"
    assert case.state.clock.stage == "deliver"


def test_the_same_event_twice_changes_nothing(assigned: Case) -> None:
    for event in (accepted(), deidentified(), deidentified(supplement=1)):
        assert assigned.when(event).events == ()


def test_offers_are_numbered_so_that_replaying_gives_the_same_ids(opened: Case) -> None:
    def second(when: datetime) -> str:
        first = opened.then(offer(), when)
        return last(first.then(no(last(first.state))).then(offer(reader("dr-lund")), when).state)

    assert second(NOON) == second(at(minutes=3))
    assert isinstance(opened.then(offer()).state.assignment, Offered)

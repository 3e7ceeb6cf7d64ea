"""By when a case is read: given / when / then."""

from datetime import datetime, timedelta, timezone

import pytest

from services.matching.domain.contract import DEFAULT, Contract, Contracts
from services.matching.domain.decide import MATCHING
from services.matching.domain.inputs import Input
from services.matching.domain.state import Matching
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.matching import (
    ClockPaused,
    ClockResumed,
    ClockStarted,
    EscalationRaised,
    Party,
    SlaAtRisk,
    SlaBreached,
    SlaMet,
    Stage,
    StageCompleted,
)
from shared.decider import Decider, Step
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    NOON,
    accepted,
    at,
    back,
    cancelled,
    deidentified,
    delivered,
    failed,
    finalized,
    hurried,
    last,
    let_go,
    no,
    offer,
    planned,
    provided,
    quarantined,
    reader,
    requested,
    yes,
)

Case = Spec[Matching, Input, Event]
ROUTINE = DEFAULT["routine"]


def tick(when: datetime) -> DeadlineReached:
    return DeadlineReached(case_id=CASE, kind="sla:breach", due_at=when)


def only(step: Step[Matching, Event], kind: type[Event]) -> list[Event]:
    return [one for one in step.events if isinstance(one, kind)]


def rungs(step: Step[Matching, Event]) -> list[int]:
    return [one.rung for one in step.events if isinstance(one, EscalationRaised)]


def stage(step: Step[Matching, Event]) -> list[tuple[Stage, timedelta]]:
    return [(one.stage, one.took) for one in step.events if isinstance(one, StageCompleted)]


@pytest.fixture
def started() -> Case:
    return given(MATCHING).then(accepted())


@pytest.fixture
def assigned(started: Case) -> Case:
    """Clean after one hour, taken after two."""
    offered = started.then(deidentified(), at(hours=1)).then(offer(), at(hours=2))
    return offered.then(yes(last(offered.state)), at(hours=2))


@pytest.fixture
def signed(assigned: Case) -> Case:
    """Signed after ten hours, with a delivery to the clinician planned."""
    case = assigned.then(finalized(at(hours=10), last(assigned.state)), at(hours=10, minutes=1))
    return case.then(planned("clinician"), at(hours=10, minutes=1))


@pytest.mark.parametrize(
    ("level", "hours"), [("emergent", 1), ("urgent", 12), ("expedited", 24), ("routine", 96)]
)
def test_the_clock_starts_at_the_acceptance_with_the_levels_hours(level: str, hours: int) -> None:
    late = at(minutes=2)

    [said] = only(given(MATCHING).when(accepted(service_level=level), late), ClockStarted)

    assert isinstance(said, ClockStarted)
    assert said.started_at == NOON
    assert said.due_at == at(hours=hours)
    assert [one.stage for one in said.budgets] == ["deid", "match", "read", "deliver"]


def test_a_partners_contract_outranks_the_default() -> None:
    terms = ROUTINE.model_copy(update={"target": timedelta(hours=90)})
    contract = Contract(partner="st-elsewhere", levels={"routine": terms})
    initial = Matching(contracts=Contracts(by_partner={"st-elsewhere": contract}))
    decider = Decider(initial, MATCHING.decide, MATCHING.evolve, MATCHING.deadlines)

    [ours] = only(given(decider).when(accepted()), ClockStarted)
    [default] = only(given(decider).when(accepted(partner="elsewhere")), ClockStarted)

    assert isinstance(ours, ClockStarted)
    assert isinstance(default, ClockStarted)
    assert (ours.due_at, default.due_at) == (at(hours=90), at(hours=96))


@pytest.mark.parametrize(
    ("procedure", "due"),
    [(at(hours=30), at(hours=30)), (at(hours=200), at(hours=96)), (at(hours=-5), at(hours=96))],
    ids=["before the target", "after it", "over already"],
)
def test_the_procedures_date_caps_the_clock(procedure: datetime, due: datetime) -> None:
    [said] = only(given(MATCHING).when(accepted(procedure_at=procedure)), ClockStarted)

    assert isinstance(said, ClockStarted)
    assert said.due_at == due


def test_each_stage_tells_what_it_took(started: Case) -> None:
    deid = started.when(deidentified(), at(hours=1))
    offered = started.then(deidentified(), at(hours=1)).then(offer(), at(hours=2))
    match = offered.when(yes(last(offered.state)), at(hours=2, minutes=30))
    case = offered.then(yes(last(offered.state)), at(hours=2, minutes=30))
    read = case.when(finalized(at(hours=10)), at(hours=11))
    signed = case.then(finalized(at(hours=10)), at(hours=11))
    done = signed.when(delivered(at(hours=12)), at(hours=12, minutes=1))

    assert stage(deid) == [("deid", timedelta(hours=1))]
    assert stage(match) == [("match", timedelta(hours=1, minutes=30))]
    assert stage(read) == [("read", timedelta(hours=7, minutes=30))]
    assert stage(done) == [("deliver", timedelta(hours=2))]


def test_the_clock_ends_when_the_clinician_was_told(signed: Case) -> None:
    partner = signed.when(delivered(at(hours=11), "partner_system"), at(hours=11))
    clinician = signed.when(delivered(at(hours=12)), at(hours=13))

    assert only(partner, SlaMet) == []
    [met] = only(clinician, SlaMet)
    assert met == SlaMet(case_id=CASE, took=timedelta(hours=12), due_at=at(hours=96))
    assert MATCHING.deadlines(clinician.state) == ()


def test_without_a_delivery_to_a_clinician_the_partners_system_ends_it(assigned: Case) -> None:
    case = assigned.then(finalized(at(hours=10)), at(hours=10)).then(planned("partner_system"))

    step = case.when(delivered(at(hours=11), "partner_system"), at(hours=11))

    assert only(step, SlaMet)


def test_a_delivery_that_overtakes_the_report_ends_both_stages(assigned: Case) -> None:
    step = assigned.when(delivered(at(hours=9)), at(hours=9))
    after = assigned.then(delivered(at(hours=9)), at(hours=9))

    assert [name for name, _ in stage(step)] == ["read", "deliver"]
    assert only(step, SlaMet)
    assert stage(after.when(finalized(at(hours=8)), at(hours=9))) == []


def test_a_pause_moves_the_deadline_by_its_length(assigned: Case) -> None:
    paused = assigned.when(requested(), at(hours=5))
    case = assigned.then(requested(), at(hours=5))
    resumed = case.when(provided(), at(hours=8))

    assert only(paused, ClockPaused) == [
        ClockPaused(case_id=CASE, reason="information_requested", party="partner", at=at(hours=5))
    ]
    assert only(resumed, ClockResumed) == [
        ClockResumed(case_id=CASE, at=at(hours=8), due_at=at(hours=99))
    ]
    read = case.then(provided(), at(hours=8)).when(finalized(at(hours=12)), at(hours=12))
    assert stage(read) == [("read", timedelta(hours=7))]  # 2..12 without 5..8


def test_a_paused_clock_breaches_nothing(assigned: Case) -> None:
    case = assigned.then(requested(), at(hours=5))

    assert MATCHING.deadlines(case.state) == ()
    assert case.when(tick(at(hours=200)), at(hours=200)).events == ()
    assert case.when(requested(), at(hours=6)).events == ()


def test_a_report_signed_in_a_pause_ends_the_pause(assigned: Case) -> None:
    step = assigned.then(requested(), at(hours=5)).when(finalized(at(hours=7)), at(hours=7))

    assert only(step, ClockResumed)
    assert stage(step) == [("read", timedelta(hours=3))]


def test_what_fell_due_before_a_pause_is_said_before_it(assigned: Case) -> None:
    step = assigned.when(requested(), at(hours=97))

    kinds = [type(one) for one in step.events]
    assert kinds.index(SlaBreached) < kinds.index(ClockPaused)


def test_quarantine_is_ours_and_pauses_nothing(started: Case) -> None:
    held = started.then(quarantined("a", "b"), at(hours=1))

    step = held.when(tick(at(hours=96)), at(hours=96))

    assert only(held.when(quarantined("a"), at(hours=1)), ClockPaused) == []
    [breach] = only(step, SlaBreached)
    assert breach == SlaBreached(case_id=CASE, stage="deid", party="operator", due_at=at(hours=96))


def _at_deid(case: Case) -> Case:
    return case


def _released(case: Case) -> Case:
    return case.then(quarantined("a")).then(let_go("a"))


def _open(case: Case) -> Case:
    return case.then(deidentified())


def _with_reader(case: Case) -> Case:
    offered = _open(case).then(offer())
    return offered.then(yes(last(offered.state)))


@pytest.mark.parametrize(
    ("course", "breach"),
    [
        (_at_deid, ("deid", "platform")),
        (_released, ("deid", "platform")),
        (lambda case: case.then(failed()), ("deid", "operator")),
        (lambda case: case.then(quarantined("a", "b")).then(let_go("a")), ("deid", "operator")),
        (_open, ("match", "platform")),
        (lambda case: _open(case).then(offer()), ("match", "reader")),
        (_with_reader, ("read", "reader")),
        (lambda case: _with_reader(case).then(finalized(NOON)), ("deliver", "platform")),
    ],
    ids=["deid", "released", "failed", "half held", "open", "offered", "reading", "delivering"],
)
def test_a_breach_names_stage_and_party(
    started: Case, course: object, breach: tuple[Stage, Party]
) -> None:
    assert callable(course)

    step = course(started).when(tick(at(hours=96)), at(hours=96))

    [said] = only(step, SlaBreached)
    assert isinstance(said, SlaBreached)
    assert (said.stage, said.party) == breach


def test_a_case_is_at_risk_when_the_remaining_budgets_do_not_fit(started: Case) -> None:
    clean = at(hours=90)  # the reading alone takes 56 hours of budget

    step = started.when(deidentified(), clean)

    risks = [one for one in step.events if isinstance(one, SlaAtRisk)]
    assert risks[0].due_at == at(hours=96)
    assert risks[0].forecast_at > risks[0].due_at


def test_at_risk_comes_before_the_breach_and_each_once(started: Case) -> None:
    case, order = started, []
    for _ in range(10):
        wanted = sorted(MATCHING.deadlines(case.state), key=lambda one: one.due_at)
        if not wanted:
            break
        order.append(wanted[0].kind)
        reached = DeadlineReached(case_id=CASE, kind=wanted[0].kind, due_at=wanted[0].due_at)
        case = case.then(reached, wanted[0].due_at)

    assert order == ["sla:at_risk", "rung:2", "sla:breach"]
    assert MATCHING.deadlines(case.state) == ()


def test_the_last_stage_is_at_risk_before_it_breaches(signed: Case) -> None:
    [risk] = [one for one in MATCHING.deadlines(signed.state) if one.kind == "sla:at_risk"]

    assert at(hours=95) < risk.due_at < at(hours=96)


def test_rungs_are_climbed_once_each(started: Case) -> None:
    waiting = started.then(deidentified(), at(hours=1))
    first = waiting.when(tick(at(hours=13)), at(hours=13))
    second = waiting.then(tick(at(hours=13)), at(hours=13)).when(tick(at(hours=90)), at(hours=90))

    assert rungs(first) == [1]
    assert rungs(second) == [2]


def test_another_level_counts_from_the_original_start(assigned: Case) -> None:
    paused = assigned.then(requested(), at(hours=3)).then(provided(), at(hours=4))

    faster = paused.when(hurried("urgent"), at(hours=5))
    slower = paused.then(hurried("urgent"), at(hours=5)).when(hurried("routine"), at(hours=6))

    [said] = only(faster, ClockStarted)
    assert isinstance(said, ClockStarted)
    assert (said.started_at, said.due_at) == (NOON, at(hours=13))
    [again] = only(slower, ClockStarted)
    assert isinstance(again, ClockStarted)
    assert again.due_at == at(hours=97)


def test_another_level_in_a_pause_is_promised_from_the_original_start(assigned: Case) -> None:
    case = assigned.then(requested(), at(hours=3)).then(hurried("urgent"), at(hours=4))

    [resumed] = only(case.when(provided(), at(hours=5)), ClockResumed)

    assert isinstance(resumed, ClockResumed)
    assert resumed.due_at == at(hours=14)


def test_a_level_whose_time_is_over_is_breached_at_once(assigned: Case) -> None:
    step = assigned.when(hurried("emergent"), at(hours=3))

    kinds = [type(one) for one in step.events]
    assert kinds.index(SlaAtRisk) < kinds.index(SlaBreached)


def test_a_released_case_waits_for_matching_again(assigned: Case) -> None:
    case = assigned.then(back(last(assigned.state)), at(hours=3))

    [breach] = only(case.when(tick(at(hours=96)), at(hours=96)), SlaBreached)

    assert isinstance(breach, SlaBreached)
    assert (breach.stage, breach.party) == ("match", "platform")


def test_a_declined_offer_does_not_end_the_stage(started: Case) -> None:
    offered = started.then(deidentified()).then(offer())

    assert stage(offered.when(no(last(offered.state)))) == []
    assert stage(offered.then(no(last(offered.state))).when(offer(reader("dr-lund")))) == []


def test_a_breach_that_was_said_only_because_word_came_late_is_put_right(signed: Case) -> None:
    breached = signed.then(tick(at(hours=96)), at(hours=96))

    step = breached.when(delivered(at(hours=95)), at(hours=97))

    assert only(step, SlaMet)


def test_a_late_delivery_meets_nothing_and_stops_the_clock(signed: Case) -> None:
    step = signed.when(delivered(at(hours=97)), at(hours=97))

    assert only(step, SlaBreached)
    assert only(step, SlaMet) == []
    assert step.state.clock.kind == "stopped"
    assert MATCHING.deadlines(step.state) == ()


def test_a_cancelled_case_has_no_clock(assigned: Case) -> None:
    step = assigned.when(cancelled(), at(hours=3))

    assert step.state.clock.kind == "stopped"
    assert MATCHING.deadlines(step.state) == ()


def test_foreign_clocks_ahead_or_behind_give_no_negative_times(assigned: Case) -> None:
    behind = assigned.when(finalized(at(hours=-3)), at(hours=4))
    ahead = assigned.when(finalized(at(hours=300)), at(hours=4))

    assert stage(behind) == [("read", timedelta(0))]
    assert stage(ahead) == [("read", timedelta(hours=2))]
    assert only(ahead, SlaBreached) == []


def test_times_in_any_zone_are_understood() -> None:
    boston = timezone(timedelta(hours=-5))

    [said] = only(given(MATCHING).when(accepted(accepted_at=NOON.astimezone(boston))), ClockStarted)

    assert isinstance(said, ClockStarted)
    assert said.due_at == at(hours=96)


def test_a_clock_without_terms_can_not_start() -> None:
    [said] = only(given(MATCHING).when(accepted()), ClockStarted)

    assert MATCHING.evolve(MATCHING.initial, said) == MATCHING.initial


def test_a_refused_input_leaves_the_clock_alone(assigned: Case) -> None:
    step = assigned.when(offer(), at(hours=97))

    assert step.refused is not None
    assert step.state == assigned.state

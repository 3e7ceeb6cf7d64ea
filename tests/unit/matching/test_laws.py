"""What holds for every case, whatever happens to it and in whatever order?"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from services.matching.domain.contract import DEFAULT, Contract, Contracts
from services.matching.domain.decide import MATCHING
from services.matching.domain.inputs import Input, NobodyFits, ReaderWentOffline
from services.matching.domain.state import Matching, Running, Stopped, going
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentOffered,
    AssignmentReleased,
    AssignmentRevoked,
    ClockResumed,
    ClockStarted,
    EscalationRaised,
    Ineligible,
    SlaAtRisk,
    SlaBreached,
    SlaMet,
)
from shared.testing.spec import given
from tests.unit.matching.cases import (
    CASE,
    NOON,
    accepted,
    asked,
    at,
    back,
    cancelled,
    deidentified,
    delivered,
    failed,
    finalized,
    hurried,
    let_go,
    no,
    offer,
    planned,
    provided,
    quarantined,
    reader,
    reading,
    requested,
    supplemented,
    yes,
)

GOOD = (reader(), reader("dr-lund"), reader("dr-a", capacity=1))
BAD = (reader("dr-off", shifts=()), reader("dr-old", licences=()), reader("dr-ai", kind="ai"))
TERMS = DEFAULT["urgent"].model_copy(update={"offers_at_once": 2})
CONTRACTS = Contracts(
    by_partner={"st-elsewhere": Contract(partner="st-elsewhere", levels={"urgent": TERMS})}
)
Act = Callable[[Matching, datetime], Input]


def _newest(state: Matching) -> str:
    every = asked(state)
    return every[-1].assignment if every else "none"


def _oldest(state: Matching) -> str:
    every = asked(state)
    return every[0].assignment if every else "none"


def _due(state: Matching, now: datetime) -> Input:
    wanted = sorted(MATCHING.deadlines(state), key=lambda one: one.due_at)
    due_at, kind = (wanted[0].due_at, wanted[0].kind) if wanted else (now, "stale")
    return DeadlineReached(case_id=CASE, kind=kind, due_at=min(due_at, now))


def _why(*names: str) -> NobodyFits:
    why = tuple(Ineligible(constraint=one, readers=1) for one in names)
    return NobodyFits(case_id=CASE, why=why)


UPSTREAM: tuple[Act, ...] = (
    lambda *_: accepted(service_level="urgent"),
    lambda *_: deidentified(),
    lambda *_: deidentified(supplement=1),
    lambda *_: quarantined("a", "b"),
    lambda *_: let_go("a"),
    lambda *_: failed(),
    lambda *_: requested(),
    lambda *_: provided(),
    lambda *_: hurried("emergent"),
    lambda *_: hurried("routine"),
    lambda *_: supplemented("MR"),
    lambda *_: cancelled(),
    lambda state, _: reading(_newest(state)),
    lambda state, now: finalized(now - timedelta(minutes=1), _newest(state)),
    lambda state, now: finalized(now + timedelta(hours=9), _oldest(state)),
    lambda *_: planned("clinician"),
    lambda *_: planned("partner_system"),
    lambda _, now: delivered(now),
    lambda _, now: delivered(now - timedelta(hours=30), "partner_system"),
)
OWN: tuple[Act, ...] = (
    *((lambda *_, who=who: offer(who)) for who in (*GOOD, *BAD)),
    lambda *_: offer(reader(), load=5),
    lambda state, _: yes(_newest(state)),
    lambda state, _: yes(_newest(state), reader("dr-lund")),
    lambda state, _: yes(_oldest(state), reader(licences=())),
    lambda state, _: no(_newest(state)),
    lambda state, _: back(_newest(state)),
    lambda *_: ReaderWentOffline(case_id=CASE, reader="dr-osei", reason="licence"),
    lambda *_: _why("licence"),
    lambda *_: _why("on_shift", "capacity"),
    _due,
)
# A case that goes well now and then, so that the late stages are seen as often as the early ones.
BEGINNING: tuple[Act, ...] = (*UPSTREAM[:2], OWN[0], lambda state, _: yes(_newest(state)))
STEPS = st.lists(
    st.tuples(st.sampled_from((*UPSTREAM, *OWN, _due, _due)), st.integers(0, 6 * 60)), max_size=25
)
RUNS = st.tuples(st.integers(0, len(BEGINNING)), STEPS)
Run = tuple[int, Sequence[tuple[Act, int]]]


class Told:
    """A case that lived through a run: all its events, and every state on the way."""

    def __init__(self, run: Run, check: Callable[[Matching, Input, datetime], None]) -> None:
        self.state = Matching(contracts=CONTRACTS)
        self.events: list[Event] = []
        now = NOON
        begun, steps = run
        for act, minutes in (*((act, 1) for act in BEGINNING[:begun]), *steps):
            now += timedelta(minutes=minutes)
            received = act(self.state, now)
            check(self.state, received, now)
            step = MATCHING.step(self.state, received, now)
            assert not (step.events and step.refused)
            self.state = step.state
            self.events.extend(step.events)

    def of(self, *kinds: type[Any]) -> list[Any]:
        return [one for one in self.events if isinstance(one, kinds)]


def nothing(_state: Matching, _received: Input, _now: datetime) -> None:
    """Check nothing on the way."""


@settings(max_examples=150, deadline=None)
@given_any(RUNS)
def test_a_breach_is_said_once_and_was_announced(run: Run) -> None:
    told = Told(run, nothing)

    said = told.of(SlaAtRisk, SlaBreached)
    kinds = [type(one) for one in said]
    assert kinds.count(SlaBreached) <= 1
    assert SlaBreached not in kinds or SlaAtRisk in kinds[: kinds.index(SlaBreached)]
    assert len(told.of(SlaMet)) <= 1


@settings(max_examples=150, deadline=None)
@given_any(RUNS)
def test_a_rung_is_climbed_at_most_once_and_moves_no_deadline(run: Run) -> None:
    def check(state: Matching, received: Input, now: datetime) -> None:
        step = MATCHING.step(state, received, now)
        before, after = going(state.clock), going(step.state.clock)
        moved = [one for one in step.events if isinstance(one, ClockStarted | ClockResumed)]
        raised = [one for one in step.events if isinstance(one, EscalationRaised)]
        if before and after and raised and not moved:
            assert before.due_at == after.due_at

    told = Told(run, check)

    climbed = Counter(one.rung for one in told.of(EscalationRaised))
    assert all(n == 1 for n in climbed.values())


@settings(max_examples=150, deadline=None)
@given_any(RUNS)
def test_no_pause_shortens_and_no_deadline_lies_before_the_start(run: Run) -> None:
    told = Told(run, nothing)

    moves = told.of(ClockStarted, ClockResumed)
    for before, after in pairwise(moves):
        if isinstance(after, ClockResumed):
            assert after.due_at >= before.due_at
    assert all(one.due_at >= NOON for one in moves)
    assert len({one.started_at for one in told.of(ClockStarted)}) <= 1


@settings(max_examples=150, deadline=None)
@given_any(RUNS)
def test_a_restart_loses_nothing(run: Run) -> None:
    def check(state: Matching, _received: Input, _now: datetime) -> None:
        again = Matching.model_validate_json(state.model_dump_json())
        again = again.model_copy(update={"contracts": state.contracts})
        assert again == state
        assert MATCHING.deadlines(again) == MATCHING.deadlines(state)

    Told(run, check)


@settings(max_examples=150, deadline=None)
@given_any(RUNS)
def test_what_has_not_been_said_yet_has_a_deadline_ahead(run: Run) -> None:
    """What is due has been said after each step, and a running clock has its breach to say."""

    def check(state: Matching, received: Input, now: datetime) -> None:
        step = MATCHING.step(state, received, now)
        clock = step.state.clock
        wanted = {one.kind: one.due_at for one in MATCHING.deadlines(step.state)}
        sla = [due for kind, due in wanted.items() if not kind.startswith("offer:")]
        assert step.refused or all(due > now for due in sla)
        if isinstance(clock, Running) and not clock.breached:
            assert wanted["sla:breach"] == clock.due_at

    Told(run, check)


@settings(max_examples=150, deadline=None)
@given_any(RUNS)
def test_the_same_input_again_changes_nothing(run: Run) -> None:
    def check(state: Matching, received: Input, now: datetime) -> None:
        once = MATCHING.step(state, received, now).state
        again = MATCHING.step(once, received, now)
        early = once.clock.kind == "not_started"  # kept, to be decided with the acceptance
        assert early or again.events == ()

    Told(run, check)


@settings(max_examples=150, deadline=None)
@given_any(RUNS)
def test_nobody_gets_a_case_who_may_not_read_it_or_while_another_has_it(run: Run) -> None:
    told = Told(run, nothing)

    may = {one.id for one in GOOD}
    has: str | None = None
    for one in told.of(
        AssignmentOffered, AssignmentAccepted, AssignmentReleased, AssignmentRevoked
    ):
        assert one.reader in may
        if isinstance(one, AssignmentOffered):
            assert has is None
        elif isinstance(one, AssignmentAccepted):
            assert has is None
            has = one.reader
        else:
            assert has == one.reader
            has = None


@settings(max_examples=150, deadline=None)
@given_any(RUNS)
def test_folding_the_events_gives_the_state(run: Run) -> None:
    told = Told(run, nothing)

    state = Matching(contracts=CONTRACTS)
    for event in told.events:
        state = MATCHING.evolve(state, event)
    assert state == told.state


# What each neighbour says, in its own order; across neighbours any order may happen.
INTAKE: tuple[Input, ...] = (accepted(), requested(), provided())
DEID: tuple[Input, ...] = (quarantined("a"), let_go("a"), deidentified())
REPORTING: tuple[Input, ...] = (reading("x"), finalized(at(hours=1)))
NOTIFY: tuple[Input, ...] = (
    planned("partner_system"),
    planned("clinician"),
    delivered(at(hours=1), "partner_system"),
    delivered(at(hours=1)),
)


@settings(max_examples=150, deadline=None)
@given_any(st.permutations([0] * len(INTAKE) + [1] * len(DEID) + [2] * 2 + [3] * len(NOTIFY)))
def test_every_order_across_publishers_ends_alike(order: list[int]) -> None:
    said = [iter(one) for one in (INTAKE, DEID, REPORTING, NOTIFY)]

    case = given(MATCHING)
    for publisher in order:
        case = case.then(next(said[publisher]), at(hours=2))

    assert isinstance(case.state.clock, Stopped)
    assert case.state.clock.outcome == "met"
    assert case.state.assignment.kind == "closed"
    assert case.state.heard == ()

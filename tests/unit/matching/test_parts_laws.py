"""What holds for every split case, whatever happens to its parts and in whatever order?"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from services.matching.domain.decide import MATCHING
from services.matching.domain.inputs import Input, ReaderWentOffline
from services.matching.domain.reader import Reader
from services.matching.domain.state import Closed, Matching, Running, Stopped, assigned_in
from shared.contracts import intake
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.matching import ClockStarted
from shared.contracts.reporting import OpinionLocked
from shared.testing.spec import Spec
from tests.unit.matching.cases import (
    CASE,
    NOON,
    SHA,
    asked,
    back,
    cancelled,
    finalized,
    hurried,
    no,
    provided,
    reading,
    requested,
    yes,
)
from tests.unit.matching.test_parts import (
    CHEST,
    EVERY,
    HAND,
    OTHER,
    SPLIT,
    Case,
    briefs,
    part,
    parted,
    study,
)

Act = Callable[[Case, datetime], Input]
WHO = {"HAND": (HAND, EVERY), "CHEST": (CHEST, OTHER)}


def _newest(case: Case, n: int) -> tuple[str, Reader]:
    every = asked(case.state)
    known = {one.id: one for one in (HAND, CHEST, OTHER, EVERY)}
    if not every:
        return "none", HAND
    one = every[-1 - n % len(every)]
    return one.assignment, known[one.reader]


def _lock(case: Case, n: int) -> Input:
    name, who = _newest(case, n)
    return OpinionLocked(
        case_id=CASE, assignment=name, reader=who.id, at=NOON, claims=1, sha256=SHA
    )


LATE = intake.CaseSupplemented(
    case_id=CASE, partner="st-elsewhere", studies=(study("c", "WRIST", "DX"),)
)
ACTS: tuple[Act, ...] = (
    *((lambda *_, n=n, w=w: part(n, w)) for n, each in WHO.items() for w in each),
    lambda *_: part("WRIST", HAND),
    *((lambda case, _, n=n: yes(*_newest(case, n))) for n in range(3)),
    *((lambda case, _, n=n: no(_newest(case, n)[0], _newest(case, n)[1].id)) for n in range(2)),
    *((lambda case, _, n=n: back(_newest(case, n)[0], _newest(case, n)[1].id)) for n in range(2)),
    *((lambda case, _, n=n: _lock(case, n)) for n in range(3)),
    *((lambda case, _, n=n: reading(*(_newest(case, n)[0],))) for n in range(2)),
    lambda *_: ReaderWentOffline(case_id=CASE, reader="dr-chest", reason="licence"),
    lambda *_: requested(),
    lambda *_: provided(),
    lambda *_: hurried("urgent"),
    lambda *_: LATE,
    lambda _, now: DeadlineReached(case_id=CASE, kind="due", due_at=now),
    lambda case, now: finalized(now, _newest(case, 0)[0]),
    lambda *_: cancelled(),
    lambda *_: SPLIT,
)
RUN = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 90)), max_size=30)


@settings(max_examples=250, deadline=None)
@given_any(RUN)
def test_no_split_case_is_lost_and_each_part_has_one_reader_at_most(
    run: Sequence[tuple[Act, int]],
) -> None:
    case, now = parted(), NOON
    events: list[Event] = []
    for act, minutes in run:
        now += timedelta(minutes=minutes)
        received = act(case, now)
        step = case.when(received, now)
        assert not (step.events and step.refused)
        again = case.decider.step(step.state, received, now)
        assert again.events == ()
        events += step.events
        case = Spec(case.decider, step.state)
        _check(case.state)
    counted = {one.due_at for one in events if isinstance(one, ClockStarted)}
    assert len(counted) <= 1  # another level is the only reason to count again
    state = case.state
    assert Matching.model_validate_json(state.model_dump_json()).assignment == state.assignment


def _check(state: Matching) -> None:
    """One truth: what is asked and what is held is the same however it is looked at."""
    clock = state.clock
    if isinstance(state.assignment, Closed):
        return
    assert not isinstance(clock, Stopped)
    each = briefs(state.assignment)
    parts = [brief.need.part for _, brief in each]
    assert len(parts) == len(set(parts)) >= 2
    holders = [one.reader for one in assigned_in(state.assignment)]
    assert len(holders) == len(set(holders))
    for kind, brief in each:
        standing = [a.standing for a in brief.asked if a.standing in ("assigned", "done")]
        assert len(standing) == (1 if kind in ("assigned", "closed") else 0)
    if isinstance(clock, Running):
        waits_ = any(kind not in ("assigned", "closed") for kind, _ in each)
        assert (clock.stage == "match") == waits_
        due = {one.kind: one.due_at for one in MATCHING.deadlines(state)}
        assert clock.breached or due["sla:breach"] == clock.due_at
        assert any(kind != "closed" for kind, _ in each)  # somebody reads, signs or is wanted

"""What happens to an input? One batch, one transaction: lock, inbox, load, decide, save, outbox.

Read this file once and you know how every service behaves when a message arrives twice, when the
process dies half way, and when one message of a batch is bad. The bulk statements stand in
inbox.py, outbox.py, timers.py, jobs.py and parking.py; the order of the steps stands here.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zlib import crc32

from shared.contracts.base import CaseId, Event
from shared.contracts.envelope import Recorded, derived_id
from shared.contracts.topics import PUBLISHED
from shared.decider import Decider, Refused, Step, nothing
from shared.runtime import clock, inbox, jobs, outbox, parking, timers, tracing
from shared.runtime.failpoints import failpoint
from shared.runtime.jobs import Lease, NewJob
from shared.runtime.postgres import Db, Pool
from shared.runtime.telemetry import metrics
from shared.runtime.timers import Timer
from shared.runtime.wire import Poison, Readable

State = TypeVar("State")


@dataclass(frozen=True)
class Change(Generic[State]):
    """A case's state after the batch, and all that was decided about it, in order."""

    case_id: CaseId
    state: State
    recorded: tuple[Recorded, ...]


class Outcome(NamedTuple, Generic[State]):
    """What became of one input. `duplicate`: handled before; `state` is then today's."""

    state: State
    events: tuple[Event, ...] = ()
    refused: Refused | None = None
    duplicate: bool = False


class Incoming(NamedTuple):
    """An input on its way to its case's decider, wherever it comes from.

    A `lease` or a `timer` is settled by the transaction that handles the input: a zombie whose
    lease was given to another finds it gone, and its result is dropped; so is a deadline that the
    case has moved.
    """

    input_id: UUID
    case_id: CaseId
    received: Any
    traceparent: str = ""
    timer: Timer | None = None
    lease: Lease | None = None
    readable: Readable | None = None


Load = Callable[[Db, Sequence[CaseId]], Awaitable[Mapping[CaseId, State]]]
Save = Callable[[Db, Sequence[Change[State]]], Awaitable[None]]


@dataclass
class Batch(Generic[State]):
    """What one transaction has worked out so far."""

    now: datetime
    states: dict[CaseId, State]
    fresh: set[UUID]
    traced: bool
    traces: dict[CaseId, str]
    begun: dict[CaseId, str] = field(default_factory=dict)
    recorded: dict[CaseId, list[Recorded]] = field(default_factory=dict)
    jobs: list[NewJob] = field(default_factory=list)

    def begin(self, case_id: CaseId, traceparent: str) -> None:
        """Note the trace that a new case belongs to from now on."""
        if traceparent and case_id not in self.traces:
            self.traces[case_id] = self.begun[case_id] = traceparent


@dataclass(frozen=True)
class Runner(Generic[State]):
    """Runs one decider against one schema. `handle` is the only way in."""

    service: str
    pool: Pool
    decider: Decider[State, Any, Any]
    load: Load[State]
    save: Save[State]
    traces: tracing.Kept = field(default_factory=tracing.Kept)

    async def handle(self, items: Sequence[Incoming | Poison]) -> list[Outcome[State] | None]:
        """Handle inputs in their order, in one transaction; None for each that was parked.

        Whatever is raised, nothing has happened, or (a connection cut in the COMMIT) all of it
        has: calling again with the same inputs is right in both cases.
        """
        started = clock.ticks()
        async with self.pool.acquire() as db, db.transaction():
            outcomes = await self.handle_in(db, items)
            await failpoint("runner.written")
        await failpoint("runner.committed")
        _measure(items, outcomes, clock.ticks() - started)
        return outcomes

    async def handle_in(
        self, db: Db, items: Sequence[Incoming | Poison]
    ) -> list[Outcome[State] | None]:
        """Do the steps within the caller's transaction."""
        now = clock.now()
        cases = {one.case_id for one in items if one.case_id is not None}
        await inbox.lock(db, cases, self.seed)
        await failpoint("runner.locked")
        old = await parking.settled(db, [one for one in items if isinstance(one, Poison)])
        go, wait = _divide(items, await parking.blocked(db, cases), old)
        await parking.park(db, wait, now)
        fresh = await self._claim(db, go, now)
        await failpoint("runner.claimed")
        states = await self._states(db, {one.case_id for one in go})
        traces = await self.traces.load(db, states)
        batch = Batch[State](now, states, fresh, tracing.collected(), traces)
        outcomes = {id(one): self._step(batch, one) for one in go}
        await self._write(db, batch)
        return [outcomes.get(id(one)) for one in items]

    async def states(self, cases: Collection[CaseId]) -> Mapping[CaseId, State]:
        """Read cases as they stand."""
        async with self.pool.acquire() as db:
            return await self._states(db, cases)

    @property
    def seed(self) -> int:
        return crc32(self.service.encode())

    async def _claim(self, db: Db, go: Sequence[Incoming], now: datetime) -> set[UUID]:
        held = await jobs.settle(db, [one.lease for one in go if one.lease])
        due = await timers.settle(db, [one.timer for one in go if one.timer])
        ids = {
            one.input_id
            for one in go
            if (one.lease is None or one.lease in held) and (one.timer is None or one.timer in due)
        }
        return await inbox.claim(db, sorted(ids, key=attrgetter("int")), now)

    async def _states(self, db: Db, cases: Collection[CaseId]) -> dict[CaseId, State]:
        loaded = await self.load(db, list(cases)) if cases else {}
        return {case: loaded.get(case, self.decider.initial) for case in cases}

    def _step(self, batch: Batch[State], one: Incoming) -> Outcome[State]:
        state = batch.states[one.case_id]
        if one.input_id not in batch.fresh:
            return Outcome(state, duplicate=True)
        batch.fresh.discard(one.input_id)
        step, traceparent = self._decide(batch, state, one)
        batch.states[one.case_id] = step.state
        recorded = [
            Recorded(event, self._event_id(one, n), batch.now, one.input_id, traceparent)
            for n, event in enumerate(step.events)
        ]
        if recorded:
            batch.recorded.setdefault(one.case_id, []).extend(recorded)
            batch.begin(one.case_id, traceparent)
            batch.jobs += self._jobs(recorded, traceparent)
        return Outcome(step.state, step.events, step.refused)

    def _decide(
        self, batch: Batch[State], state: State, one: Incoming
    ) -> tuple[Step[State, Any], str]:
        """Decide within the case's trace; where nobody collects spans, at no cost."""
        parent = tracing.parent(batch.traces.get(one.case_id), one.traceparent)
        if not batch.traced:
            return self.decider.step(state, one.received, batch.now), parent
        with tracing.span(self.service, one.received, parent, one.traceparent) as traceparent:
            return self.decider.step(state, one.received, batch.now), traceparent

    def _jobs(self, recorded: Sequence[Recorded], traceparent: str) -> list[NewJob]:
        if self.decider.jobs is nothing:
            return []
        return [
            NewJob(derived_id(one.event_id, "job", n), one.case_id, job, traceparent)
            for one in recorded
            for n, job in enumerate(self.decider.jobs(one.event))
        ]

    def _event_id(self, one: Incoming, position: int) -> UUID:
        """Derive an id: ours, for two services hear one event, and a third hears both of them."""
        return derived_id(one.input_id, self.service, position)

    async def _write(self, db: Db, batch: Batch[State]) -> None:
        """Write what was decided; where nothing was, nothing changes."""
        if not batch.recorded:
            return
        changes = [
            Change(case, batch.states[case], tuple(recorded))
            for case, recorded in batch.recorded.items()
        ]
        await self.save(db, changes)
        await tracing.keep(db, batch.begun)
        await failpoint("runner.saved")
        every = [one for change in changes for one in change.recorded]
        await outbox.append(db, self.service, [r for r in every if type(r.event) in PUBLISHED])
        await failpoint("runner.appended")
        if self.decider.deadlines is not nothing:
            await timers.replace(db, {c.case_id: self.decider.deadlines(c.state) for c in changes})
        await jobs.add(db, self.service, batch.jobs, batch.now)


def _measure(
    items: Sequence[Incoming | Poison], outcomes: Sequence[Outcome[Any] | None], seconds: float
) -> None:
    metrics.BATCH_SIZE.observe(len(items))
    metrics.BATCH_SECONDS.observe(seconds)
    kinds = Counter(
        (one.type if isinstance(one, Poison) else type(one.received).__name__, _word(outcome))
        for one, outcome in zip(items, outcomes, strict=True)
    )
    for (kind, word), count in kinds.items():
        metrics.EVENTS_HANDLED.labels(kind, word).inc(count)
    parked = Counter(one.cause.partition(":")[0] for one in items if isinstance(one, Poison))
    for cause, count in parked.items():
        metrics.PARKED.labels(cause).inc(count)


def _word(outcome: Outcome[Any] | None) -> str:
    if outcome is None:
        return "parked"
    if outcome.duplicate:
        return "duplicate"
    if outcome.refused is not None:
        return "refused"
    return "decided" if outcome.events else "nothing"


def _divide(
    items: Sequence[Incoming | Poison], held: set[CaseId], old: set[tuple[str, int, int]]
) -> tuple[list[Incoming], list[Poison]]:
    """Split what may go on from what is parked, or must wait behind a parked event of its case.

    Only messages wait. A person, a deadline or a finished job gets its answer: a stuck case must
    still breach its clock. `old` poison was dealt with by a person, and holds nobody up.
    """
    go: list[Incoming] = []
    wait: list[Poison] = []
    for one in items:
        if isinstance(one, Poison):
            if parking.place(one.message) in old:
                continue
            wait.append(one)
            held |= {one.case_id} if one.case_id else set()
        elif one.readable is not None and one.case_id in held:
            wait.append(parking.behind(one.readable))
        else:
            go.append(one)
    return go, wait

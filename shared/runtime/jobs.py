"""How is heavy work done outside a transaction, once in effect, and again after a crash?

A decided event asks for a job; a worker leases it, performs it with a heartbeat, and submits its
result as an input. The transaction that handles the result deletes the job if the lease still
holds: a zombie whose lease went to another finds nothing to delete, and its result is dropped.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog

from shared.contracts.base import CaseId
from shared.contracts.envelope import derived_id
from shared.decider import Job
from shared.runtime import clock, telemetry
from shared.runtime.errors import is_weather
from shared.runtime.failpoints import failpoint
from shared.runtime.patience import Pace, Patience, for_ever
from shared.runtime.postgres import Db, Pool, Wakeups
from shared.runtime.telemetry import metrics

# What a worker that died held is done again after so long; four heartbeats may go missing.
LEASE = timedelta(seconds=12)
HEARTBEAT_SECONDS = 2.5
IDLE_SECONDS = 2.0
# A bug is tried so often, then a person has to look.
MOST_TRIES = 5
# A crash need not be the job's fault; so many in a row are.
MOST_CRASHES = 10
LONGEST_WAIT = timedelta(minutes=5)
LOG = structlog.get_logger()

# Ask for work, within the transaction that decided it; the worker is woken when that commits.
ADD = """
    WITH added AS (
        INSERT INTO jobs (id, case_id, kind, payload, traceparent, run_at)
        SELECT id, case_id, kind, payload::jsonb, traceparent, $6
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
            AS job (id, case_id, kind, payload, traceparent)
        ON CONFLICT (id) DO NOTHING)
    SELECT pg_notify($7, '')
"""
# Lease what is due, oldest first, never two of one case. A job that takes its worker down each time
# must not do so for ever.
CLAIM = """
    WITH given_up AS (
        UPDATE jobs SET stuck = true, lease = NULL, leased_until = NULL, cause = 'lease lost'
        WHERE NOT stuck AND leased_until < $1 AND attempts >= $4)
    UPDATE jobs SET lease = gen_random_uuid(), leased_until = $1::timestamptz + $2::interval,
                    attempts = attempts + 1
    WHERE seq IN (
        SELECT seq FROM jobs AS job
        WHERE NOT stuck AND run_at <= $1
          AND (leased_until IS NULL OR (leased_until < $1 AND attempts < $4))
          AND NOT EXISTS (
              SELECT 1 FROM jobs AS other WHERE other.case_id = job.case_id
              AND (other.leased_until >= $1 OR (other.seq < job.seq AND NOT other.stuck)))
        ORDER BY run_at, seq LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING id, case_id, kind, payload, attempts, waits, traceparent, lease
"""
# Still at it.
BEAT = "UPDATE jobs SET leased_until = $3 WHERE id = $1 AND lease = $2"
# The result is recorded by whoever holds the lease.
SETTLE = """
    DELETE FROM jobs USING unnest($1::uuid[], $2::uuid[]) AS done (id, lease)
    WHERE jobs.id = done.id AND jobs.lease = done.lease RETURNING jobs.id, jobs.lease
"""
# It failed: later again, or never until a person has looked. Weather is no fault of the job's.
POSTPONE = """
    UPDATE jobs SET lease = NULL, leased_until = NULL, run_at = $3, cause = $4,
                    stuck = NOT $5 AND attempts >= $6,
                    attempts = attempts - $5::int, waits = waits + $5::int
    WHERE id = $1 AND lease = $2 RETURNING stuck
"""
# What waits for a person.
STUCK = "SELECT id, case_id, kind, attempts, cause FROM jobs WHERE stuck ORDER BY seq LIMIT $1"
# A person looked: try again.
UNSTICK = (
    "UPDATE jobs SET stuck = false, attempts = 0, run_at = $2 WHERE id = $1 AND stuck RETURNING id"
)
# For the metrics.
WAITING = "SELECT count(*) FILTER (WHERE stuck) AS stuck, count(*) AS all FROM jobs"


class HasCase(Protocol):
    """Any input."""

    @property
    def case_id(self) -> CaseId: ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to record the result of one job."""

    job: UUID
    lease: UUID


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as decided."""

    id: UUID
    case_id: CaseId
    job: Job
    traceparent: str


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job as a performer sees it; `attempt` counts from 1, without the `waits` for weather."""

    id: UUID
    case_id: CaseId
    kind: str
    payload: dict[str, Any]
    attempt: int
    traceparent: str
    lease: Lease
    waits: int = 0

    @property
    def result_id(self) -> UUID:
        """The id of the result as an input: one per lease, the job itself is the inbox."""
        return derived_id(self.id, "result", self.lease.lease)


Performer = Callable[[ClaimedJob], Awaitable[HasCase]]


async def add(db: Db, service: str, wanted: Sequence[NewJob], now: datetime) -> None:
    if not wanted:
        return
    await db.execute(
        ADD,
        [one.id for one in wanted],
        [one.case_id for one in wanted],
        [one.job.kind for one in wanted],
        [json.dumps(dict(one.job.payload)) for one in wanted],
        [one.traceparent for one in wanted],
        now,
        f"{service}_jobs",
    )


async def settle(db: Db, leases: Sequence[Lease]) -> set[Lease]:
    """Delete the jobs whose lease still holds; give those."""
    if not leases:
        return set()
    rows = await db.fetch(SETTLE, [one.job for one in leases], [one.lease for one in leases])
    return {Lease(row["id"], row["lease"]) for row in rows}


@dataclass(slots=True)
class Worker:
    """Performs jobs of one schema, `concurrency` at a time; any number of replicas."""

    pool: Pool
    service: str
    performers: Mapping[str, Performer]
    submit: Callable[[ClaimedJob, HasCase], Awaitable[None]]
    wakeups: Wakeups
    concurrency: int = 4
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _pace: Pace = field(default_factory=Pace)

    async def run(self) -> None:
        try:
            await for_ever(self._turn, "worker")
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _turn(self) -> None:
        await self._pace.rest()
        free = self.concurrency - len(self._running)
        with self._pace.turn():
            claimed = await self.claim(free) if free else []
        for job in claimed:
            task = asyncio.create_task(self._perform(job))
            self._running.add(task)
            task.add_done_callback(self._ended)
        if len(claimed) < free or not free:
            await self.wakeups.wait(self._channel, IDLE_SECONDS)

    @property
    def _channel(self) -> str:
        return f"{self.service}_jobs"

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self.wakeups.wake(self._channel)

    async def claim(self, most: int) -> list[ClaimedJob]:
        """Lease up to `most` jobs that are due."""
        now = clock.now()
        async with self.pool.acquire() as db:
            rows = await db.fetch(CLAIM, now, LEASE, most, MOST_CRASHES)
        return [
            ClaimedJob(
                row["id"],
                CaseId(row["case_id"]),
                row["kind"],
                json.loads(row["payload"]),
                row["attempts"],
                row["traceparent"],
                Lease(row["id"], row["lease"]),
                row["waits"],
            )
            for row in rows
        ]

    async def _perform(self, job: ClaimedJob) -> None:
        beating = asyncio.create_task(for_ever(lambda: self._beat(job), "heartbeat"))
        started = clock.ticks()
        try:
            await failpoint("job.claimed")
            with telemetry.span(f"{self.service} perform {job.kind}", job.traceparent):
                result = await self.performers[job.kind](job)
                await failpoint("job.performed")
                await self.submit(job, result)
            await failpoint("job.recorded")
        except Exception as error:  # noqa: BLE001 - a performer may fail in any way; the job waits
            await self._postpone(job, error)
        else:
            self._count(job, "done")
            metrics.JOB_SECONDS.labels(job.kind).observe(clock.ticks() - started)
        finally:
            beating.cancel()

    async def _beat(self, job: ClaimedJob) -> None:
        """Prolong the lease while the work goes on; a missed beat costs nothing but the lease."""
        await asyncio.sleep(HEARTBEAT_SECONDS)
        async with self.pool.acquire() as db:
            await db.execute(BEAT, job.id, job.lease.lease, clock.now() + LEASE)

    def _count(self, job: ClaimedJob, outcome: str) -> None:
        metrics.JOBS.labels(job.kind, outcome).inc()

    async def _postpone(self, job: ClaimedJob, error: Exception) -> None:
        """Try later. Should this fail too, the lease runs out by itself."""
        weather = is_weather(error)
        cause = type(error).__name__
        tries = job.waits if weather else job.attempt
        wait = min(LONGEST_WAIT, timedelta(seconds=Patience(tries=tries).next_pause()))
        LOG.warning("job_failed", kind=job.kind, case_id=job.case_id, job_id=job.id,
                    attempt=job.attempt, cause=cause, exc_info=not weather)  # fmt: skip
        again = (clock.now() + wait, cause, weather, MOST_TRIES)
        try:
            async with self.pool.acquire() as db:
                stuck = await db.fetchval(POSTPONE, job.id, job.lease.lease, *again)
        except Exception as again_error:
            if not is_weather(again_error):
                raise
        else:
            self._count(job, "stuck" if stuck else "failed")

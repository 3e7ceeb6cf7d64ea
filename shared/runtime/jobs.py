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
from shared.runtime import clock
from shared.runtime.errors import is_weather
from shared.runtime.failpoints import failpoint
from shared.runtime.patience import Patience
from shared.runtime.postgres import Db, Pool, Wakeups

LEASE = timedelta(seconds=30)
HEARTBEAT_SECONDS = 10.0
IDLE_SECONDS = 2.0
# A bug is tried so often, then a person has to look.
MOST_TRIES = 5
LONGEST_WAIT = timedelta(minutes=5)
LOG = structlog.get_logger()

# Ask for work, within the transaction that decided it.
ADD = """
    INSERT INTO jobs (id, case_id, kind, payload, traceparent, run_at)
    SELECT id, case_id, kind, payload::jsonb, traceparent, $6
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
        AS job (id, case_id, kind, payload, traceparent)
    ON CONFLICT (id) DO NOTHING
"""
NOTIFY = "SELECT pg_notify($1, '')"
# Lease what is due, oldest first, never two of one case.
CLAIM = """
    UPDATE jobs SET lease = gen_random_uuid(), leased_until = $1::timestamptz + $2::interval,
                    attempts = attempts + 1
    WHERE seq IN (
        SELECT seq FROM jobs AS job
        WHERE NOT stuck AND run_at <= $1 AND (leased_until IS NULL OR leased_until < $1)
          AND NOT EXISTS (
              SELECT 1 FROM jobs AS other WHERE other.case_id = job.case_id
              AND (other.leased_until >= $1 OR (other.seq < job.seq AND NOT other.stuck)))
        ORDER BY run_at, seq LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING id, case_id, kind, payload, attempts, traceparent, lease
"""
# Still at it.
BEAT = "UPDATE jobs SET leased_until = $3 WHERE id = $1 AND lease = $2 RETURNING id"
# The result is recorded by whoever holds the lease.
SETTLE = """
    DELETE FROM jobs USING unnest($1::uuid[], $2::uuid[]) AS done (id, lease)
    WHERE jobs.id = done.id AND jobs.lease = done.lease RETURNING jobs.id, jobs.lease
"""
# It failed: later again, or never until a person has looked.
POSTPONE = """
    UPDATE jobs SET lease = NULL, leased_until = NULL, run_at = $3, cause = $4, stuck = $5
    WHERE id = $1 AND lease = $2
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
    """A job as a performer sees it; `attempt` counts from 1."""

    id: UUID
    case_id: CaseId
    kind: str
    payload: dict[str, Any]
    attempt: int
    traceparent: str
    lease: Lease

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
    )
    await db.execute(NOTIFY, f"{service}_jobs")


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

    async def run(self) -> None:
        try:
            while True:
                free = self.concurrency - len(self._running)
                claimed = await self.claim(free) if free else []
                for job in claimed:
                    task = asyncio.create_task(self._perform(job))
                    self._running.add(task)
                    task.add_done_callback(self._ended)
                if len(claimed) < free or not free:
                    await self.wakeups.wait(self._channel, IDLE_SECONDS)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def _channel(self) -> str:
        return f"{self.service}_jobs"

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self.wakeups.wake(self._channel)

    async def claim(self, most: int) -> list[ClaimedJob]:
        async with self.pool.acquire() as db:
            rows = await db.fetch(CLAIM, clock.now(), LEASE, most)
        return [
            ClaimedJob(
                row["id"],
                CaseId(row["case_id"]),
                row["kind"],
                json.loads(row["payload"]),
                row["attempts"],
                row["traceparent"],
                Lease(row["id"], row["lease"]),
            )
            for row in rows
        ]

    async def _perform(self, job: ClaimedJob) -> None:
        await failpoint("job.claimed")
        beating = asyncio.create_task(self._beat(job))
        try:
            result = await self.performers[job.kind](job)
            await failpoint("job.performed")
            await self.submit(job, result)
            await failpoint("job.recorded")
        except Exception as error:  # noqa: BLE001 - a performer may fail in any way; the job waits
            await self._postpone(job, error)
        finally:
            beating.cancel()

    async def _beat(self, job: ClaimedJob) -> None:
        """Prolong the lease while the work goes on; a missed beat costs nothing but the lease."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                async with self.pool.acquire() as db:
                    await db.fetchval(BEAT, job.id, job.lease.lease, clock.now() + LEASE)
            except Exception as error:
                if not is_weather(error):
                    raise

    async def _postpone(self, job: ClaimedJob, error: Exception) -> None:
        weather = is_weather(error)
        LOG.warning("job_failed", kind=job.kind, case_id=str(job.case_id), attempt=job.attempt,
                    cause=type(error).__name__, weather=weather)  # fmt: skip
        wait = min(LONGEST_WAIT, timedelta(seconds=Patience(tries=job.attempt).next_pause()))
        stuck = not weather and job.attempt >= MOST_TRIES
        try:
            async with self.pool.acquire() as db:
                await db.execute(
                    POSTPONE,
                    job.id,
                    job.lease.lease,
                    clock.now() + wait,
                    type(error).__name__,
                    stuck,
                )
        except Exception as again:
            if not is_weather(again):
                raise
            # The lease runs out by itself, and the job is done again then.

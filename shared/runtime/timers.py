"""When does a case want to be asked again? Rows written with the state; a ticker asks."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from asyncpg import Record

from shared.contracts.base import CaseId, DeadlineReached
from shared.contracts.envelope import derived_id
from shared.decider import Deadline
from shared.runtime import clock
from shared.runtime.failpoints import failpoint
from shared.runtime.patience import for_ever
from shared.runtime.postgres import Db, Pool, Wakeups

AT_ONCE = 500
TICK_SECONDS = 0.5
# A due row that is being handled is hidden from other tickers for this long.
HANDLING = timedelta(seconds=10)
RETRY = timedelta(minutes=5)
LOG = structlog.get_logger()

# Drop what the cases no longer want and write what they want now; what stays keeps its attempts.
REPLACE = """
    WITH wanted AS (
        SELECT * FROM unnest($2::uuid[], $3::text[], $4::timestamptz[])
            AS wanted (case_id, kind, due)),
    dropped AS (
        DELETE FROM timers WHERE case_id = ANY($1::uuid[]) AND NOT EXISTS (
            SELECT FROM wanted
            WHERE wanted.case_id = timers.case_id AND wanted.kind = timers.kind))
    INSERT INTO timers (case_id, kind, due_at, retry_at)
    SELECT case_id, kind, due, due FROM wanted
    ON CONFLICT (case_id, kind) DO UPDATE
        SET due_at = excluded.due_at, retry_at = excluded.due_at, attempts = 0, cause = NULL
        WHERE timers.due_at <> excluded.due_at
"""
# The row is the right to be heard: whoever deletes it speaks; a deadline moved or dropped is mute.
SETTLE = """
    DELETE FROM timers USING unnest($1::uuid[], $2::text[], $3::timestamptz[])
        AS done (case_id, kind, due)
    WHERE timers.case_id = done.case_id AND timers.kind = done.kind AND timers.due_at = done.due
    RETURNING timers.case_id, timers.kind, timers.due_at
"""
# Claim due rows, oldest first; other tickers skip them.
DUE = """
    UPDATE timers SET retry_at = $1::timestamptz + $3::interval, attempts = attempts + 1
    WHERE (case_id, kind) IN (
        SELECT case_id, kind FROM timers WHERE retry_at <= $1 ORDER BY retry_at LIMIT $2
        FOR UPDATE SKIP LOCKED)
    RETURNING case_id, kind, due_at
"""
# A bug stopped it: later again.
FAILED = """
    UPDATE timers SET retry_at = $4, cause = $5 WHERE case_id = $1 AND kind = $2 AND due_at = $3
"""
# For the metrics: how many stand, how late is the latest.
COUNT = "SELECT count(*) FROM timers"
OLDEST_DUE = "SELECT min(due_at) FROM timers WHERE due_at <= $1"


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline of a case."""

    case_id: CaseId
    kind: str
    due_at: datetime

    @property
    def input_id(self) -> UUID:
        return derived_id(self.case_id, "deadline", self.kind, self.due_at.isoformat())

    def reached(self) -> DeadlineReached:
        return DeadlineReached(case_id=self.case_id, kind=self.kind, due_at=self.due_at)


async def replace(db: Db, wanted: Mapping[CaseId, Sequence[Deadline]]) -> None:
    """Make the table equal to what these cases want."""
    if not wanted:
        return
    rows = [(case, one.kind, one.due_at) for case, all_ in wanted.items() for one in all_]
    await db.execute(REPLACE, list(wanted), *([row[i] for row in rows] for i in range(3)))


async def settle(db: Db, timers: Sequence[Timer]) -> set[Timer]:
    """Take deadlines that are due; give those that the case still wanted."""
    if not timers:
        return set()
    rows = await db.fetch(
        SETTLE,
        [one.case_id for one in timers],
        [one.kind for one in timers],
        [one.due_at for one in timers],
    )
    return {_timer(row) for row in rows}


def _timer(row: Record) -> Timer:
    return Timer(CaseId(row["case_id"]), row["kind"], row["due_at"])


@dataclass(slots=True)
class Ticker:
    """Submits what is due. Any number of replicas tick; each row is claimed by one of them."""

    pool: Pool
    service: str
    wakeups: Wakeups
    submit: Callable[[Sequence[Timer]], Awaitable[list[tuple[Timer, Exception]]]]

    async def run(self) -> None:
        await for_ever(self._turn, "ticker")

    async def _turn(self) -> None:
        if await self.tick() < AT_ONCE:
            await self.wakeups.wait(f"{self.service}_timers", TICK_SECONDS)

    async def tick(self) -> int:
        """Submit what is due now; give how many that were."""
        async with self.pool.acquire() as db:
            rows = await db.fetch(DUE, clock.now(), AT_ONCE, HANDLING)
        if not rows:
            return 0
        await failpoint("ticker.claimed")
        due = sorted(map(_timer, rows), key=lambda one: one.due_at)
        failed = await self.submit(due)
        await failpoint("ticker.submitted")
        for timer, error in failed:
            await self._tell(timer, error)
        return len(due)

    async def _tell(self, timer: Timer, error: Exception) -> None:
        """A deadline that meets a bug is asked again later, and says why it is stuck."""
        cause = type(error).__name__
        LOG.error("deadline_failed", case_id=str(timer.case_id), kind=timer.kind, cause=cause)
        async with self.pool.acquire() as db:
            later = clock.now() + RETRY
            await db.execute(FAILED, timer.case_id, timer.kind, timer.due_at, later, cause)

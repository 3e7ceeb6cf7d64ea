"""Which cases are to be read, how fast is everybody, and is any case out of everybody's sight?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.matching.domain.forecast import Pace, Queued
from shared.contracts.base import ReaderId
from shared.runtime.postgres import Db

# One watcher at a time, for as long as its session lives; a stopped one is ended by the server.
LEAD = "SELECT pg_try_advisory_lock(hashtextextended('watch', 0))"
ONLY_WHILE_AWAKE = "SET idle_session_timeout = '60s'"
# Cases that run and are still to be read.
QUEUE = """
    SELECT case_id, field, rvu, due_at, holder AS reader, delivery AS after FROM cases
    WHERE standing IN ('in_time', 'at_risk', 'breached')
      AND stage IN ('match', 'read', 'adjudicate') AND field IS NOT NULL
"""
# Of those, the ones of which nobody said that they are at risk.
CALM = "SELECT case_id FROM cases WHERE standing = 'in_time'"
# What readers read lately, and in how many hours of reading.
PACES = """
    SELECT reader, sum(rvu) AS rvu,
           sum(extract(epoch FROM ended_at - begun_at))::float8 / 3600 AS hours
    FROM assignments WHERE ended_at > $1 AND begun_at < ended_at GROUP BY reader
"""
# What is expected now; what ran out of the queue is forgotten.
FORGET = "DELETE FROM forecasts WHERE case_id <> ALL($1::uuid[])"
FORETELL = """
    INSERT INTO forecasts SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
    ON CONFLICT (case_id) DO UPDATE SET expected_at = excluded.expected_at
    WHERE forecasts.expected_at <> excluded.expected_at
"""
# The cases of each account and fault. The grace is for events that overtake each other.
SUMS = "SELECT account, count(*) AS cases FROM accounts WHERE seen_at < $1 GROUP BY account"
# What is in no account, a few of it.
ASTRAY = """
    SELECT case_id, account FROM accounts
    WHERE seen_at < $1 AND account NOT IN ('running', 'waiting', 'ended')
    ORDER BY case_id LIMIT $2
"""
# How many clocks have ended; together with the accounts these are all the cases there are.
ENDED = "SELECT count(*) FROM cases WHERE standing IN ('met', 'late', 'cancelled')"
ACCOUNTED: Final = ("running", "waiting", "ended")
FAULTS: Final = (
    "events_parked",
    "clock_without_deadline",
    "pause_without_owner",
    "ended_but_held",
    "never_accepted",
)
LATELY: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Astray:
    """A case that is in none of the three accounts, and what is wrong with it."""

    case_id: UUID
    fault: str


async def lead(db: Db) -> bool:
    leads: bool = await db.fetchval(LEAD)
    if leads:
        await db.execute(ONLY_WHILE_AWAKE)
    return leads


async def queue(db: Db) -> list[Queued]:
    return [Queued(**row) for row in await db.fetch(QUEUE)]


async def calm(db: Db) -> frozenset[UUID]:
    return frozenset(row["case_id"] for row in await db.fetch(CALM))


async def paces(db: Db, now: datetime) -> dict[ReaderId, Pace]:
    rows = await db.fetch(PACES, now - LATELY)
    return {row["reader"]: Pace(row["rvu"], row["hours"]) for row in rows}


async def foretell(db: Db, forecasts: Mapping[UUID, datetime]) -> None:
    await db.execute(FORGET, list(forecasts))
    if forecasts:
        await db.execute(FORETELL, list(forecasts), list(forecasts.values()))


async def sums(db: Db, seen_before: datetime) -> dict[str, int]:
    """Count the cases of each account and each fault."""
    return {row["account"]: row["cases"] for row in await db.fetch(SUMS, seen_before)}


async def astray(db: Db, seen_before: datetime, most: int) -> Sequence[Astray]:
    return [Astray(*row.values()) for row in await db.fetch(ASTRAY, seen_before, most)]


async def ended(db: Db) -> int:
    found: int = await db.fetchval(ENDED)
    return found

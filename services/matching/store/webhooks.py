"""Which readers' systems hear of their assignments, and how far has each of them been told?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.contracts.base import ReaderId
from shared.runtime.postgres import Db

# The entries of a reader are handed over one after another; longer than one attempt may last.
LEASE: Final = timedelta(seconds=60)

# A new one hears what comes from now on; another address goes on after what the last one heard.
PUT = """
    INSERT INTO webhooks (reader, url, secrets, after, next_at, changed_at)
    SELECT $1, $2, $3::bytea, coalesce(max(seq), 0), $4::timestamptz, $4 FROM worklist_log
    WHERE reader = $1
    ON CONFLICT (reader) DO UPDATE SET url = excluded.url, attempts = 0, cause = NULL,
        stopped = NULL, next_at = excluded.next_at, lease = NULL, leased_until = NULL,
        changed_at = excluded.changed_at
    RETURNING (xmax = 0) AS fresh
"""
FIND = """
    SELECT reader, url, secrets, after, attempts, cause, stopped, next_at, lease FROM webhooks
    WHERE reader = $1
"""
# One change of a reader's secrets at a time.
LOCK = "SELECT secrets FROM webhooks WHERE reader = $1 FOR UPDATE"
ROTATE = "UPDATE webhooks SET secrets = $2, changed_at = $3 WHERE reader = $1"
DROP = "DELETE FROM webhooks WHERE reader = $1"
# Those with something to say to, whose time has come, and whom nobody is telling.
CLAIM = """
    UPDATE webhooks SET lease = gen_random_uuid(), leased_until = $2 WHERE reader IN (
        SELECT reader FROM webhooks AS hook
        WHERE stopped IS NULL AND next_at <= $1
          AND (leased_until IS NULL OR leased_until <= $1)
          AND EXISTS (SELECT FROM worklist_log WHERE reader = hook.reader AND seq > hook.after)
        ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING reader, url, secrets, after, attempts, cause, stopped, next_at, lease
"""
# It was handed over; whoever lost the lease meanwhile moves nothing.
TOLD = """
    UPDATE webhooks SET after = $3, attempts = 0, cause = NULL, leased_until = $4
    WHERE reader = $1 AND lease = $2 RETURNING true
"""
# It was not: again later, or never until the address is set again.
FAILED = """
    UPDATE webhooks SET attempts = attempts + 1, cause = $3, stopped = $4, next_at = $5,
        lease = NULL, leased_until = NULL
    WHERE reader = $1 AND lease = $2
"""
# Everything has been told.
FREE = "UPDATE webhooks SET lease = NULL, leased_until = NULL WHERE reader = $1 AND lease = $2"
# For operations: those that fail or have stopped, the longest failing first.
FAILING = """
    SELECT reader, url, secrets, after, attempts, cause, stopped, next_at, lease FROM webhooks
    WHERE cause IS NOT NULL ORDER BY stopped IS NULL, attempts DESC, reader LIMIT $1
"""
# How many have stopped.
STOPPED = "SELECT count(*) FROM webhooks WHERE stopped IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Hook:
    """A reader's webhook. `cause` is that of the last attempt, if it failed."""

    reader: ReaderId
    url: str
    secrets: bytes
    after: int
    attempts: int
    cause: str | None
    stopped: str | None
    next_at: datetime
    lease: UUID | None


async def put(db: Db, reader: ReaderId, url: str, secrets: bytes, now: datetime) -> bool:
    """Say where to; tell whether these secrets sign, since there was no webhook before."""
    fresh: bool = await db.fetchval(PUT, reader, url, secrets, now)
    return fresh


async def find(db: Db, reader: ReaderId) -> Hook | None:
    row = await db.fetchrow(FIND, reader)
    return None if row is None else Hook(**row)


async def lock(db: Db, reader: ReaderId) -> bytes | None:
    secrets: bytes | None = await db.fetchval(LOCK, reader)
    return secrets


async def rotate(db: Db, reader: ReaderId, secrets: bytes, now: datetime) -> None:
    await db.execute(ROTATE, reader, secrets, now)


async def drop(db: Db, reader: ReaderId) -> None:
    await db.execute(DROP, reader)


async def claim(db: Db, now: datetime, most: int) -> list[Hook]:
    """Lease some that are to be told something."""
    return [Hook(**row) for row in await db.fetch(CLAIM, now, now + LEASE, most)]


async def told(db: Db, hook: Hook, seq: int, now: datetime) -> bool:
    """Note what was handed over; false: another tells this reader now, or nobody does."""
    return bool(await db.fetchval(TOLD, hook.reader, hook.lease, seq, now + LEASE))


async def failed(db: Db, hook: Hook, cause: str, stopped: str | None, again_at: datetime) -> None:
    await db.execute(FAILED, hook.reader, hook.lease, cause, stopped, again_at)


async def free(db: Db, hook: Hook) -> None:
    await db.execute(FREE, hook.reader, hook.lease)


async def failing(db: Db, most: int) -> list[Hook]:
    return [Hook(**row) for row in await db.fetch(FAILING, most)]


async def stopped(db: Db) -> int:
    found: int = await db.fetchval(STOPPED)
    return found

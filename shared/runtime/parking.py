"""Where do messages wait that could not be handled, and how do they come back in order?"""

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from shared.contracts.base import CaseId
from shared.runtime.postgres import Db
from shared.runtime.wire import Message, Poison, Readable

BEHIND = "waits behind a parked event of its case"

# Cases that have something parked: what comes for them now must wait behind it.
BLOCKED = """
    SELECT DISTINCT case_id FROM parked WHERE resolution IS NULL AND case_id = ANY($1::uuid[])
"""
# Park a message once, however often Kafka gives it; one that was handled before need not wait.
PARK = """
    INSERT INTO parked (case_id, event_id, type, topic, partition, "offset", key, value, headers,
                        cause, behind, parked_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
    WHERE NOT ($11 AND EXISTS (SELECT FROM inbox WHERE input_id = $2))
    ON CONFLICT (topic, partition, "offset") DO NOTHING
"""
# Messages that Kafka gives again after a person has dealt with them.
SETTLED = """
    SELECT topic, partition, "offset"
    FROM parked JOIN unnest($1::text[], $2::integer[], $3::bigint[])
        AS given (topic, partition, "offset") USING (topic, partition, "offset")
    WHERE resolution IS NOT NULL
"""
# What is parked, oldest first.
OPEN = """
    SELECT id, case_id, event_id, type, topic, partition, "offset", cause, behind, attempts,
           parked_at, length(value) AS size
    FROM parked WHERE resolution IS NULL AND id > $1 ORDER BY id LIMIT $2
"""
# The first of a case's queue, in the order in which it came.
HEAD = "SELECT * FROM parked WHERE resolution IS NULL AND case_id = $1 ORDER BY id LIMIT 1"
# One message, whichever queue it stands in. Only one person at a time may deal with it.
ONE = "SELECT * FROM parked WHERE resolution IS NULL AND id = $1 FOR UPDATE"
# Which queue does a parked message belong to?
CASE_OF = "SELECT case_id FROM parked WHERE id = $1 AND resolution IS NULL"
# It came through, or a person gave it up.
RESOLVE = """
    UPDATE parked SET resolution = $2, resolved_at = $3, resolved_by = $4, reason = $5
    WHERE id = $1
"""
# It failed again: say why now.
FAILED_AGAIN = """
    UPDATE parked SET cause = $2, behind = false, attempts = attempts + 1
    WHERE id = $1 AND resolution IS NULL
"""
# How many wait.
COUNT = """
    SELECT count(*) FILTER (WHERE NOT behind) AS guilty, count(*) FILTER (WHERE behind) AS behind
    FROM parked WHERE resolution IS NULL
"""


@dataclass(frozen=True, slots=True)
class Resolved:
    """How a parked message left: `replayed` or `discarded`, by whom, why."""

    resolution: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """How many messages are parked: the guilty ones, and those that wait behind one."""

    guilty: int
    behind: int


async def blocked(db: Db, cases: Collection[CaseId]) -> set[CaseId]:
    if not cases:
        return set()
    return {CaseId(row["case_id"]) for row in await db.fetch(BLOCKED, list(cases))}


def behind(waiting: Readable) -> Poison:
    """Turn a good event into one that waits behind its case's parked one."""
    kind = type(waiting.event).ce_type()
    return Poison(waiting.message, BEHIND, waiting.case_id, waiting.event_id, kind)


async def settled(db: Db, poison: Sequence[Poison]) -> set[tuple[str, int, int]]:
    """Give the places of those that were parked before and are resolved."""
    if not poison:
        return set()
    places = [place(one.message) for one in poison]
    rows = await db.fetch(SETTLED, *([at[i] for at in places] for i in range(3)))
    return {(row["topic"], row["partition"], row["offset"]) for row in rows}


def place(message: Message) -> tuple[str, int, int]:
    return message.topic, message.partition, message.offset


async def park(db: Db, poison: Sequence[Poison], now: datetime) -> None:
    """Park messages in the order in which Kafka gave them."""
    if poison:
        await db.executemany(PARK, [_row(one, now) for one in poison])


def _row(one: Poison, now: datetime) -> tuple[Any, ...]:
    what = (one.case_id, one.event_id, one.type, *place(one.message))
    content = (one.message.key, one.message.value, _text(one.message.headers))
    return (*what, *content, one.cause, one.cause == BEHIND, now)


def _text(headers: Sequence[tuple[str, bytes | None]]) -> str:
    """Keep names and values as they came: a name may hold what jsonb can't."""
    return json.dumps([[_base64(name.encode()), _base64(value)] for name, value in headers])


def _base64(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def message_of(row: Record) -> Message:
    """Give the bytes as they came."""
    pairs: list[tuple[str, str | None]] = json.loads(row["headers"])
    headers = tuple(
        (b64decode(name).decode(), b"" if value is None else b64decode(value))
        for name, value in pairs
    )
    return Message(row["topic"], row["partition"], row["offset"], row["key"], row["value"], headers)


async def head(db: Db, case_id: UUID) -> Record | None:
    return await db.fetchrow(HEAD, case_id)


async def one(db: Db, parked: int) -> Record | None:
    return await db.fetchrow(ONE, parked)


async def resolve(db: Db, parked: int, how: Resolved) -> None:
    await db.execute(RESOLVE, parked, how.resolution, how.at, how.by, how.reason)


async def listed(db: Db, after: int, limit: int) -> list[dict[str, Any]]:
    return [dict(row) for row in await db.fetch(OPEN, after, limit)]


async def counted(db: Db) -> Counted:
    row = await db.fetchrow(COUNT)
    return Counted(row["guilty"], row["behind"]) if row else Counted(0, 0)

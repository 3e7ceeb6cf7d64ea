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
# Park a message once, however often Kafka gives it.
PARK = """
    INSERT INTO parked (case_id, event_id, type, topic, partition, "offset", key, value, headers,
                        cause, behind, parked_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (topic, partition, "offset") DO NOTHING
"""
# What is parked, oldest first.
OPEN = """
    SELECT id, case_id, event_id, type, topic, partition, "offset", cause, behind, attempts,
           parked_at, length(value) AS size
    FROM parked WHERE resolution IS NULL AND id > $1 ORDER BY id LIMIT $2
"""
# The queue of one case, or one message that belongs to none, in the order it came.
QUEUE = """
    SELECT * FROM parked WHERE resolution IS NULL
      AND (case_id = $1 OR ($1::uuid IS NULL AND case_id IS NULL AND id = $2)) ORDER BY id
"""
# Which queue does a parked message belong to?
CASE_OF = "SELECT case_id FROM parked WHERE id = $1 AND resolution IS NULL"
# It came through, or a person gave it up.
RESOLVE = """
    UPDATE parked SET resolution = $2, resolved_at = $3, resolved_by = $4, reason = $5
    WHERE id = $1
"""
# It failed again: say why now.
FAILED_AGAIN = "UPDATE parked SET cause = $2, behind = false, attempts = attempts + 1 WHERE id = $1"
# How many wait.
COUNT = "SELECT count(*) FILTER (WHERE NOT behind), count(*) FROM parked WHERE resolution IS NULL"


@dataclass(frozen=True, slots=True)
class Resolved:
    """How a parked message left: `replayed` or `discarded`, by whom, why."""

    resolution: str
    by: str
    reason: str
    at: datetime


async def blocked(db: Db, cases: Collection[CaseId]) -> set[CaseId]:
    if not cases:
        return set()
    return {CaseId(row["case_id"]) for row in await db.fetch(BLOCKED, list(cases))}


def behind(waiting: Readable) -> Poison:
    """Turn a good event into one that waits behind its case's parked one."""
    kind = type(waiting.event).ce_type()
    return Poison(waiting.message, BEHIND, waiting.case_id, waiting.event_id, kind)


async def park(db: Db, poison: Sequence[Poison], now: datetime) -> None:
    """Park messages in the order in which Kafka gave them."""
    for one in poison:
        pairs = [[name, b64encode(value or b"").decode()] for name, value in one.message.headers]
        await db.execute(
            PARK,
            one.case_id,
            one.event_id,
            one.type,
            one.message.topic,
            one.message.partition,
            one.message.offset,
            one.message.key,
            one.message.value,
            json.dumps(pairs),
            one.cause,
            one.cause == BEHIND,
            now,
        )


def message_of(row: Record) -> Message:
    """Give the bytes as they came."""
    pairs: list[list[str]] = json.loads(row["headers"])
    headers = tuple((name, b64decode(value)) for name, value in pairs)
    return Message(row["topic"], row["partition"], row["offset"], row["key"], row["value"], headers)


async def resolve(db: Db, parked: int, how: Resolved) -> None:
    await db.execute(RESOLVE, parked, how.resolution, how.at, how.by, how.reason)


async def listed(db: Db, after: int, limit: int) -> list[dict[str, Any]]:
    return [dict(row) for row in await db.fetch(OPEN, after, limit)]


async def queue(db: Db, case_id: UUID | None, parked: int) -> list[Record]:
    return list(await db.fetch(QUEUE, case_id, parked))

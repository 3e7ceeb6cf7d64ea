"""What failed, what is held, and who opened an identity? For those who run the platform."""

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Record

from shared.contracts.base import CaseId
from shared.runtime.postgres import Db

# Deliveries in some states, the longest unchanged first, after a position.
DELIVERIES = """
    SELECT delivery, case_id, partner, channel, audience, progress, attempts, cause, retry_at,
           changed_at
    FROM deliveries
    WHERE progress = ANY($1::text[]) AND (changed_at, delivery) > ($2::timestamptz, $3::text)
    ORDER BY changed_at, delivery LIMIT $4
"""
# One delivery.
DELIVERY = """
    SELECT delivery, case_id, partner, channel, audience, progress, attempts, cause, retry_at,
           changed_at
    FROM deliveries WHERE delivery = $1
"""
# Reports whose identity does not come.
HELD = """
    SELECT case_id, partner, overdue_from FROM cases
    WHERE overdue_from IS NOT NULL ORDER BY overdue_from LIMIT $1
"""
# Somebody is about to open an identity.
RECORD_OPENING = "INSERT INTO openings (case_id, who, why, at) VALUES ($1, $2, $3, $4)"
# Who opened a case's identity.
OPENINGS = "SELECT case_id, who, why, at FROM openings WHERE case_id = $1 ORDER BY seq"


async def deliveries(
    db: Db, progress: Sequence[str], after: tuple[datetime, str], most: int
) -> list[Record]:
    return await db.fetch(DELIVERIES, progress, *after, most)


async def held(db: Db, most: int) -> list[Record]:
    return await db.fetch(HELD, most)


async def record_opening(db: Db, case_id: CaseId, who: str, why: str, at: datetime) -> None:
    await db.execute(RECORD_OPENING, case_id, who, why, at)


async def openings(db: Db, case_id: CaseId) -> list[Record]:
    return await db.fetch(OPENINGS, case_id)


async def delivery(db: Db, name: str) -> Record | None:
    return await db.fetchrow(DELIVERY, name)

"""Has this input been handled before? One row per input, committed with what it led to."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from shared.contracts.base import CaseId
from shared.runtime.postgres import Db

# What comes again comes soon: after a crash, or an operator's reset of a group. A group's offsets
# must outlive its rest (offsets.retention.minutes), or it would begin anew with what is forgotten.
KEPT = timedelta(days=14)
PRUNED_AT_ONCE = 20_000

# One handler at a time per case; ids come sorted, so that two batches can't wait for each other.
# The seed is the service's: five services may share a database, and their locks must not meet.
LOCK_CASES = """
    SELECT pg_advisory_xact_lock(hashtextextended(case_id, $2)) FROM unnest($1::text[]) AS case_id
"""
# Claim the inputs; those not returned were handled before.
CLAIM = """
    INSERT INTO inbox (input_id, handled_at) SELECT input_id, $2 FROM unnest($1::uuid[]) AS input_id
    ON CONFLICT DO NOTHING RETURNING input_id
"""
# Forget inputs that can't come again.
PRUNE = """
    DELETE FROM inbox WHERE input_id IN (
        SELECT input_id FROM inbox WHERE handled_at < $1 ORDER BY handled_at LIMIT $2)
"""


async def lock(db: Db, cases: Collection[CaseId], seed: int) -> None:
    await db.execute(LOCK_CASES, sorted(str(case) for case in cases), seed)


async def claim(db: Db, inputs: Sequence[UUID], now: datetime) -> set[UUID]:
    """Give those that are new."""
    if not inputs:
        return set()
    return {row["input_id"] for row in await db.fetch(CLAIM, inputs, now)}


async def prune(db: Db, now: datetime) -> None:
    await db.execute(PRUNE, now - KEPT, PRUNED_AT_ONCE)

"""Which cases wait or are held, and what of them matters to whoever hands out cases?"""

from collections.abc import Sequence
from uuid import UUID

from services.matching.domain.sheet import Sheet, sheet
from services.matching.domain.state import Matching
from services.matching.store import tracks
from shared.runtime.postgres import Db

# The cases that want a reader, or that somebody thinks about or holds.
OPEN = """
    SELECT case_id, revision FROM cases WHERE wants_reader
    UNION
    SELECT case_id, revision FROM cases WHERE case_id IN (
        SELECT case_id FROM assignments WHERE standing IN ('offered', 'assigned'))
"""
STATES = "SELECT case_id, state FROM cases WHERE case_id = ANY($1::uuid[])"


async def revisions(db: Db) -> dict[UUID, int]:
    """Give every such case with its revision."""
    return {row["case_id"]: row["revision"] for row in await db.fetch(OPEN)}


async def sheets(db: Db, case_ids: Sequence[UUID]) -> dict[UUID, Sheet]:
    rows = await db.fetch(STATES, case_ids) if case_ids else ()
    known = await tracks.seen_by(db, case_ids) if case_ids else {}
    return {
        row["case_id"]: sheet(
            Matching.model_validate_json(row["state"]), known.get(row["case_id"], frozenset())
        )
        for row in rows
    }

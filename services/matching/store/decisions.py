"""Why was a case offered so? Every decision as it was made, the newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.matching.domain.why import Decision
from shared.runtime.postgres import Db

# A case's decisions, the newest first.
OF_CASE = """
    SELECT seq, decided_at, decision FROM decisions
    WHERE case_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3
"""
KNOWN = "SELECT EXISTS (SELECT FROM cases WHERE case_id = $1)"


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision with its number and moment."""

    seq: int
    decided_at: datetime
    decision: Decision


async def of_case(db: Db, case_id: UUID, before: int, most: int) -> list[Kept]:
    rows = await db.fetch(OF_CASE, case_id, before, most)
    return [
        Kept(row["seq"], row["decided_at"], Decision.model_validate_json(row["decision"]))
        for row in rows
    ]


async def known(db: Db, case_id: UUID) -> bool:
    found: bool = await db.fetchval(KNOWN, case_id)
    return found

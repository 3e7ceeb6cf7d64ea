"""What does a reader see: the offers and cases they hold, and what happened to them?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.matching.domain.state import Matching
from shared.contracts.base import ReaderId
from shared.runtime.postgres import Db

# The cases that a reader holds.
HELD = """
    SELECT state FROM cases WHERE case_id IN (
        SELECT case_id FROM assignments
        WHERE reader = $1 AND standing IN ('offered', 'assigned'))
"""
# What a reader's stream shows after an entry.
LOG = """
    SELECT seq, event_type, event FROM worklist_log
    WHERE reader = $1 AND seq > $2 ORDER BY seq LIMIT $3
"""
LAST = "SELECT coalesce(max(seq), 0) FROM worklist_log WHERE reader = $1"
# What no stream resumes from any more.
PRUNE = "DELETE FROM worklist_log WHERE recorded_at < $1"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened to a case of the reader's; `event` is JSON."""

    seq: int
    event_type: str
    event: str


async def held(db: Db, reader: ReaderId) -> list[Matching]:
    rows = await db.fetch(HELD, reader)
    return [Matching.model_validate_json(row["state"]) for row in rows]


async def last(db: Db, reader: ReaderId) -> int:
    seq: int = await db.fetchval(LAST, reader)
    return seq


async def log(db: Db, reader: ReaderId, after: int, most: int) -> Sequence[Entry]:
    return [Entry(*row.values()) for row in await db.fetch(LOG, reader, after, most)]


async def prune(db: Db, before: datetime) -> None:
    await db.execute(PRUNE, before)

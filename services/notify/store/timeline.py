"""What does a partner's timeline hold, and from where on has a reader not seen it?"""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record
from pydantic import JsonValue

from shared.contracts.base import CaseId
from shared.runtime.postgres import Db

# Notified when lines were added.
CHANNEL = "notify_timeline"

# A partner's lines after a position, none of which can still be preceded by a later commit.
TIMELINE_AFTER = """
    SELECT tx::text::bigint AS tx, seq, id, case_id, type, at, facts FROM timeline
    WHERE partner = $1 AND (tx, seq) > ($2::text::xid8, $3::bigint)
      AND tx < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY tx, seq LIMIT $4
"""
# All lines of a case.
TIMELINE_OF = """
    SELECT tx::text::bigint AS tx, seq, id, case_id, type, at, facts FROM timeline
    WHERE case_id = $1 AND partner = $2 ORDER BY tx, seq
"""


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a reader of the timeline has read; as text it is an event id of the stream."""

    tx: int = 0
    seq: int = 0

    @classmethod
    def read(cls, text: str) -> "Position":
        tx, _, seq = text.partition("-")
        return cls(int(tx), int(seq))

    def __str__(self) -> str:
        return f"{self.tx}-{self.seq}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline."""

    position: Position
    id: UUID
    case_id: UUID
    type: str
    at: datetime
    facts: dict[str, JsonValue]


async def timeline_after(db: Db, partner: str, after: Position, most: int = 500) -> list[Line]:
    rows = await db.fetch(TIMELINE_AFTER, partner, str(after.tx), after.seq, most)
    return [_line(row) for row in rows]


async def timeline_of(db: Db, case_id: CaseId, partner: str) -> list[Line]:
    return [_line(row) for row in await db.fetch(TIMELINE_OF, case_id, partner)]


def _line(row: Record) -> Line:
    where = Position(row["tx"], row["seq"])
    shown = json.loads(row["facts"])
    return Line(where, row["id"], row["case_id"], row["type"], row["at"], shown)

"""How do all the clocks stand? For operations: opaque ids, and no more of a case than its state."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.matching.domain.stages import STAGES, CaseStage
from shared.contracts.base import PartnerId
from shared.runtime.postgres import Db

RUNNING: Final = ("in_time", "at_risk", "breached", "paused")

# A page of running clocks, the most urgent first.
BOARD = """
    SELECT case_id, partner, service_level, assignment, stage, standing, at_risk, breached, due_at
    FROM cases
    WHERE standing IN ('in_time', 'at_risk', 'breached', 'paused')
      AND ($1::text IS NULL OR partner = $1) AND ($2::text IS NULL OR standing = $2)
      AND (due_at, case_id) > ($3, $4)
    ORDER BY due_at, case_id LIMIT $5
"""
# How many clocks stand how, in which stage, and the next deadline among them.
SUMMARY = """
    SELECT stage, standing, count(*) AS cases, min(due_at) AS next_due_at FROM cases
    WHERE standing IN ('in_time', 'at_risk', 'breached', 'paused') GROUP BY stage, standing
"""

# The live board: each partner's levels and stages, with the oldest case and what is expected.
LANES = """
    SELECT partner, service_level, stage,
           count(*) FILTER (WHERE standing = 'in_time') AS in_time,
           count(*) FILTER (WHERE standing = 'at_risk') AS at_risk,
           count(*) FILTER (WHERE standing = 'breached') AS breached,
           count(*) FILTER (WHERE standing = 'paused') AS paused,
           (array_agg(case_id ORDER BY started_at, case_id))[1] AS oldest,
           coalesce(min(started_at), min(seen_at)) AS oldest_started_at,
           min(due_at) FILTER (WHERE standing <> 'paused') AS next_due_at,
           count(*) FILTER (WHERE expected_at > due_at) AS expected_late,
           max(expected_at) AS last_expected_at
    FROM cases LEFT JOIN forecasts USING (case_id)
    WHERE standing IN ('in_time', 'at_risk', 'breached', 'paused')
    GROUP BY partner, service_level, stage ORDER BY min(due_at), partner, service_level, stage
"""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: after this deadline and case."""

    due_at: datetime
    case_id: UUID


START: Final = Position(datetime.min.replace(tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class Line:
    """One case on the board."""

    case_id: UUID
    partner: PartnerId
    service_level: str
    assignment: str
    stage: CaseStage
    standing: str
    at_risk: bool
    breached: bool
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """The cases of one stage and standing."""

    stage: CaseStage
    standing: str
    cases: int
    next_due_at: datetime | None


async def board(
    db: Db, partner: str | None, standing: str | None, after: Position, most: int
) -> list[Line]:
    rows = await db.fetch(BOARD, partner, standing, after.due_at, after.case_id, most)
    return [Line(**row) for row in rows]


async def summary(db: Db) -> list[Group]:
    """Give every stage and standing, those without a case too, so that a figure falls to zero."""
    found = {(row["stage"], row["standing"]): row for row in await db.fetch(SUMMARY)}
    return [
        Group(**found.get((stage, standing), _none(stage, standing)))
        for stage in STAGES
        for standing in RUNNING
    ]


async def lanes(db: Db) -> list[dict[str, Any]]:
    return [dict(row) for row in await db.fetch(LANES)]


def _none(stage: CaseStage, standing: str) -> dict[str, Any]:
    return {"stage": stage, "standing": standing, "cases": 0, "next_due_at": None}

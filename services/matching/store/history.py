"""What is kept of a case besides its state? Who worked when, why, and who ordered what."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from prometheus_client import Counter, Histogram

from services.matching.domain.events import Decided, OrderGiven, ReadingNoted
from services.matching.domain.need import need_of_part
from services.matching.domain.stages import CaseStage, meant
from services.matching.domain.state import Closed, Matching, brief_of
from shared.contracts.base import Event
from shared.contracts.envelope import Recorded
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    EscalationRaised,
    SlaAtRisk,
    SlaBreached,
    StageCompleted,
)
from shared.runtime.handle import Change
from shared.runtime.postgres import Db

# When a case was accepted, and the work RVU it is.
ACCEPTED = """
    UPDATE assignments SET accepted_at = taken.at, rvu = taken.rvu
    FROM unnest($1::text[], $2::timestamptz[], $3::double precision[])
        AS taken (assignment, at, rvu)
    WHERE assignments.assignment = taken.assignment
"""
# When its reader began.
BEGUN = """
    UPDATE assignments SET begun_at = begun.at
    FROM unnest($1::text[], $2::timestamptz[]) AS begun (assignment, at)
    WHERE assignments.assignment = begun.assignment
"""
# When its report was signed.
ENDED = """
    UPDATE assignments SET ended_at = ended.at
    FROM unnest($1::uuid[], $2::timestamptz[]) AS ended (case_id, at)
    WHERE assignments.case_id = ended.case_id AND standing = 'done'
"""
# Why it was offered so, or to nobody.
DECIDED = """
    INSERT INTO decisions (case_id, decided_at, decision)
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::jsonb[])
"""
# What an operator ordered.
ORDERED = """
    INSERT INTO orders (case_id, subject, what, terms, ordered_at)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[])
"""

STAGE_SECONDS = Histogram(
    "overread_stage_seconds",
    "Time that a stage took, pauses out",
    ["stage"],
    buckets=(60, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 48 * 3600, 96 * 3600),
)
AT_RISK = Counter("overread_sla_at_risk_total", "Clocks that were called at risk", ["stage"])
BREACHES = Counter("overread_sla_breaches_total", "Clocks that breached", ["stage", "party"])
RUNGS = Counter("overread_escalations_total", "Rungs that were climbed", ["stage", "role"])

Line = tuple[Any, ...]


async def keep(db: Db, changes: Sequence[Change[Matching]]) -> None:
    """Keep each event's line in the table that is its own."""
    lines: dict[str, list[Line]] = {}
    for change in changes:
        for recorded in change.recorded:
            _count(recorded.event)
            find = LINES.get(type(recorded.event))
            for query, line in find(change.state, recorded) if find else ():
                lines.setdefault(query, []).append(line)
    for query, each in lines.items():
        await db.execute(query, *zip(*each, strict=True))


def _accepted(state: Matching, one: Recorded) -> Iterator[tuple[str, Line]]:
    brief, event = brief_of(state.assignment), one.event
    if isinstance(event, AssignmentAccepted) and brief:
        need = need_of_part(brief.need, event.regions) if event.regions else brief.need
        yield ACCEPTED, (event.assignment, one.recorded_at, need.rvu)


def _begun(_state: Matching, one: Recorded) -> Iterator[tuple[str, Line]]:
    if isinstance(one.event, ReadingNoted):
        yield BEGUN, (one.event.assignment, one.recorded_at)


def _ended(state: Matching, one: Recorded) -> Iterator[tuple[str, Line]]:
    if isinstance(state.assignment, Closed) and state.assignment.reason == "read":
        yield ENDED, (one.event.case_id, one.recorded_at)


def _decided(_state: Matching, one: Recorded) -> Iterator[tuple[str, Line]]:
    if isinstance(one.event, Decided):
        yield DECIDED, (one.event.case_id, one.recorded_at, one.event.decision.model_dump_json())


def _ordered(_state: Matching, one: Recorded) -> Iterator[tuple[str, Line]]:
    if isinstance(one.event, OrderGiven):
        order, terms = one.event, json.dumps(one.event.terms)
        yield ORDERED, (order.case_id, order.by, order.order, terms, one.recorded_at)


LINES: Final[Mapping[type[Event], Callable[[Matching, Recorded], Iterator[tuple[str, Line]]]]] = {
    AssignmentAccepted: _accepted,
    ReadingNoted: _begun,
    AssignmentClosed: _ended,
    Decided: _decided,
    OrderGiven: _ordered,
}


def _count(event: Event) -> None:
    """Count for the figures. A batch that is rolled back and done again counts twice, rarely."""
    match event:
        case StageCompleted():
            STAGE_SECONDS.labels(_stage(event)).observe(event.took.total_seconds())
        case SlaAtRisk():
            AT_RISK.labels(_stage(event)).inc()
        case SlaBreached():
            BREACHES.labels(_stage(event), event.party).inc()
        case EscalationRaised():
            RUNGS.labels(_stage(event), event.role).inc()
        case _:
            pass


def _stage(event: StageCompleted | SlaAtRisk | SlaBreached | EscalationRaised) -> CaseStage:
    return meant(event.stage, adjudication=event.adjudication)

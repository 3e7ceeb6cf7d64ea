"""How is a case loaded and saved? One row, with columns for the questions of many cases."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.matching.domain.events import Decided
from services.matching.domain.plan import waiting
from services.matching.domain.state import (
    AskedReader,
    Clock,
    Matching,
    NotStarted,
    Running,
    Standstill,
    Stopped,
    brief_of,
    going,
)
from services.matching.store.contracts import contracts
from shared.contracts.base import CaseId, Event
from shared.contracts.envelope import Recorded
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentReleased,
    AssignmentRevoked,
    CaseOpened,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    PoolBroadened,
    SlaAtRisk,
    SlaBreached,
)
from shared.runtime.handle import Change
from shared.runtime.postgres import Db

ROUND: Final = "matching_round"
WORKLIST: Final = "matching_worklist"

# What is known of these cases.
LOAD = "SELECT case_id, state FROM cases WHERE case_id = ANY($1::uuid[])"
# The cases' states, with what other queries look at.
SAVE = """
    INSERT INTO cases (case_id, partner, state, assignment, wants_reader, service_level, stage,
                       standing, at_risk, breached, due_at)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::text[], $5::boolean[],
                         $6::text[], $7::text[], $8::text[], $9::boolean[], $10::boolean[],
                         $11::timestamptz[])
    ON CONFLICT (case_id) DO UPDATE SET
        partner = excluded.partner, state = excluded.state, assignment = excluded.assignment,
        wants_reader = excluded.wants_reader, service_level = excluded.service_level,
        stage = excluded.stage, standing = excluded.standing, at_risk = excluded.at_risk,
        breached = excluded.breached, due_at = excluded.due_at, revision = cases.revision + 1,
        touched = excluded.touched
"""
# Everybody who was asked, and what became of it.
SAVE_ASSIGNMENTS = """
    INSERT INTO assignments (assignment, case_id, reader, standing, expires_at)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    ON CONFLICT (assignment) DO UPDATE SET standing = excluded.standing
    WHERE assignments.standing <> excluded.standing
"""
# When a case was accepted, and the work RVU it is.
ACCEPTED = """
    UPDATE assignments SET accepted_at = taken.at, rvu = taken.rvu
    FROM unnest($1::text[], $2::timestamptz[], $3::double precision[])
        AS taken (assignment, at, rvu)
    WHERE assignments.assignment = taken.assignment
"""
# Why it was offered so, or to nobody.
DECIDED = """
    INSERT INTO decisions (case_id, decided_at, decision)
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::jsonb[])
"""
# Writers to one reader's log take turns until they commit; in one order, so that none deadlock.
LOCK_READERS = """
    SELECT pg_advisory_xact_lock(hashtextextended('worklist:' || reader, 0))
    FROM (SELECT unnest($1::text[]) AS reader ORDER BY 1 OFFSET 0) AS readers
"""
# What happened, for the streams of the readers it concerns.
LOG = """
    INSERT INTO worklist_log (reader, event_type, event, recorded_at)
    SELECT reader, event_type, event, recorded_at
    FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[])
        WITH ORDINALITY AS entry (reader, event_type, event, recorded_at, position)
    ORDER BY position
"""
NOTIFY = "SELECT pg_notify(channel, '') FROM unnest($1::text[]) AS channel"

# After these a case may want a reader, or a reader may have room for a case.
STIRRING: Final = (
    CaseOpened,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    AssignmentReleased,
    AssignmentRevoked,
    AssignmentClosed,
    PoolBroadened,
    ClockResumed,
)
# These concern whoever holds the case, and name no reader.
HOLDERS: Final = (
    AssignmentClosed,
    ClockStarted,
    ClockPaused,
    ClockResumed,
    SlaAtRisk,
    SlaBreached,
)


async def load(db: Db, case_ids: Sequence[CaseId]) -> Mapping[CaseId, Matching]:
    """Give every case asked for, known or not, with the contracts in force."""
    in_force = await contracts(db)
    rows = await db.fetch(LOAD, case_ids)
    known = {row["case_id"]: Matching.model_validate_json(row["state"]) for row in rows}
    fresh = Matching()
    return {
        case_id: known.get(case_id, fresh).model_copy(update={"contracts": in_force})
        for case_id in case_ids
    }


async def save(db: Db, changes: Sequence[Change[Matching]]) -> None:
    rows = [astuple(_row(change.case_id, change.state)) for change in changes]
    await db.execute(SAVE, *zip(*rows, strict=True))
    asked = [
        (one.assignment, change.case_id, one.reader, one.standing, one.expires_at)
        for change in changes
        for one in _asked(change.state)
    ]
    if asked:
        await db.execute(SAVE_ASSIGNMENTS, *zip(*asked, strict=True))
    await _keep(db, changes)
    channels = await _log(db, changes)
    if any(isinstance(one.event, STIRRING) for change in changes for one in change.recorded):
        channels.append(ROUND)
    if channels:
        await db.execute(NOTIFY, channels)


@dataclass(frozen=True, slots=True)
class _Row:
    case_id: UUID
    partner: str | None
    state: str
    assignment: str
    wants_reader: bool
    service_level: str | None
    stage: str | None
    standing: str | None
    at_risk: bool
    breached: bool
    due_at: datetime | None


def _row(case_id: CaseId, state: Matching) -> _Row:
    brief, clock = brief_of(state.assignment), going(state.clock)
    wanted = clock is not None and waiting(state.assignment, clock.due_at) is not None
    return _Row(
        case_id=case_id,
        partner=brief.need.partner if brief else None,
        state=state.model_dump_json(),
        assignment=state.assignment.kind,
        wants_reader=wanted,
        service_level=clock.service_level if clock else None,
        stage=clock.stage if clock else None,
        standing=standing(state.clock),
        at_risk=clock is not None and clock.at_risk,
        breached=clock is not None and clock.breached,
        due_at=clock.due_at if clock else None,
    )


def standing(clock: Clock) -> str | None:
    """Say how a clock stands in a word; None before it started."""
    match clock:
        case NotStarted():
            return None
        case Stopped(outcome="breached"):
            return "late"
        case Stopped():
            return clock.outcome
        case Standstill():
            return "paused"
        case Running():
            return "breached" if clock.breached else "at_risk" if clock.at_risk else "in_time"


def _asked(state: Matching) -> tuple[AskedReader, ...]:
    brief = brief_of(state.assignment)
    return brief.asked if brief else ()


async def _keep(db: Db, changes: Sequence[Change[Matching]]) -> None:
    """Keep what was accepted and when, and why it was offered."""
    taken, decided = [], []
    for change in changes:
        brief = brief_of(change.state.assignment)
        for one in change.recorded:
            if isinstance(one.event, AssignmentAccepted) and brief:
                taken.append((one.event.assignment, one.recorded_at, brief.need.rvu))
            elif isinstance(one.event, Decided):
                text = one.event.decision.model_dump_json()
                decided.append((change.case_id, one.recorded_at, text))
    if taken:
        await db.execute(ACCEPTED, *zip(*taken, strict=True))
    if decided:
        await db.execute(DECIDED, *zip(*decided, strict=True))


async def _log(db: Db, changes: Sequence[Change[Matching]]) -> list[str]:
    entries = [entry for change in changes for entry in _entries(change)]
    if not entries:
        return []
    await db.execute(LOCK_READERS, sorted({entry[0] for entry in entries}))
    await db.execute(LOG, *zip(*entries, strict=True))
    return [WORKLIST]


def _entries(change: Change[Matching]) -> Iterator[tuple[str, str, str, datetime]]:
    holders = [one.reader for one in _asked(change.state) if one.standing in _HOLDING]
    for recorded in change.recorded:
        for reader in _concerned(recorded.event, holders):
            yield reader, recorded.event.ce_type(), _shown(recorded), recorded.recorded_at


_HOLDING: Final = ("offered", "assigned", "done")


def _concerned(event: Event, holders: Sequence[str]) -> Sequence[str]:
    if isinstance(event, HOLDERS):
        return holders
    reader: Any = getattr(event, "reader", None)
    return () if reader is None else (reader,)


def _shown(recorded: Recorded) -> str:
    fields = recorded.event.model_dump(mode="json")
    return json.dumps(fields | {"recorded_at": recorded.recorded_at.isoformat()})

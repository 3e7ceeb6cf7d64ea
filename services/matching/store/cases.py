"""How is a case loaded and saved? One row, with columns for the questions of many cases."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from services.matching.domain.author import UNKNOWN
from services.matching.domain.due import waits_on
from services.matching.domain.state import (
    AskedReader,
    Assignment,
    Clock,
    Matching,
    NotStarted,
    Offered,
    Open,
    Running,
    Standstill,
    Stopped,
    Unfillable,
    assigned_in,
    brief_of,
    everybody,
    going,
    searches,
    under,
)
from services.matching.domain.waiting import waiting
from services.matching.store import tracks
from services.matching.store.authors import authors
from services.matching.store.contracts import contracts
from services.matching.store.history import keep
from shared.contracts.base import CaseId, Event
from shared.contracts.envelope import Recorded
from shared.contracts.matching import (
    AssignmentClosed,
    AssignmentReleased,
    AssignmentRevoked,
    CaseOpened,
    CaseSplit,
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
from shared.runtime.states import States

ROUND: Final = "matching_round"
WORKLIST: Final = "matching_worklist"
HOOKS: Final = "matching_webhooks"

# What is known of these cases.
LOAD = "SELECT case_id, state FROM cases WHERE case_id = ANY($1::uuid[])"
# The cases' states, with what other queries look at.
SAVE = """
    INSERT INTO cases (case_id, partner, state, assignment, wants_reader, service_level, stage,
                       standing, at_risk, breached, due_at, intake, owner, started_at, field, rvu,
                       holder, delivery, patient)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::json[], $4::text[], $5::boolean[],
                         $6::text[], $7::text[], $8::text[], $9::boolean[], $10::boolean[],
                         $11::timestamptz[], $12::text[], $13::text[], $14::timestamptz[],
                         $15::text[], $16::double precision[], $17::text[], $18::interval[],
                         $19::text[])
    ON CONFLICT (case_id) DO UPDATE SET
        partner = excluded.partner, state = excluded.state, assignment = excluded.assignment,
        wants_reader = excluded.wants_reader, service_level = excluded.service_level,
        stage = excluded.stage, standing = excluded.standing, at_risk = excluded.at_risk,
        breached = excluded.breached, due_at = excluded.due_at, intake = excluded.intake,
        owner = excluded.owner, started_at = excluded.started_at, field = excluded.field,
        rvu = excluded.rvu, holder = excluded.holder, delivery = excluded.delivery,
        patient = excluded.patient,
        revision = cases.revision + 1,
        touched = excluded.touched
"""
# Everybody who was asked, and what became of it.
SAVE_ASSIGNMENTS = """
    INSERT INTO assignments (assignment, case_id, reader, standing, expires_at)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    ON CONFLICT (assignment) DO UPDATE SET standing = excluded.standing
    WHERE assignments.standing <> excluded.standing
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
    CaseSplit,
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

STATES = States(TypeAdapter(Matching))


async def load(db: Db, case_ids: Sequence[CaseId]) -> Mapping[CaseId, Matching]:
    """Give every case asked for, known or not, with what is in force and on the roster now."""
    in_force = await contracts(db)
    rows = await db.fetch(LOAD, case_ids)
    known = {row["case_id"]: STATES.read(row["state"]) for row in rows}
    briefs = [brief for one in known.values() if (brief := brief_of(one.assignment)) is not None]
    found = await authors(db, (one.need for one in briefs))
    fresh = Matching()
    return {
        case_id: known.get(case_id, fresh).model_copy(
            update={"contracts": in_force, "author": found.get(case_id, UNKNOWN)}
        )
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
    await keep(db, changes)
    await tracks.count(db, changes)
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
    intake: str | None
    owner: str | None
    started_at: datetime | None
    field: str | None
    rvu: float | None
    holder: str | None
    delivery: timedelta | None
    patient: str | None


def _row(case_id: CaseId, state: Matching) -> _Row:
    brief, clock = brief_of(state.assignment), going(state.clock)
    wanted = clock is not None and bool(waiting(state.assignment, clock.due_at))
    return _Row(
        case_id=case_id,
        partner=brief.need.partner if brief else _partner(state),
        state=STATES.text(state),
        assignment=state.assignment.kind,
        wants_reader=wanted,
        service_level=clock.service_level if clock else None,
        stage=clock.stage if clock else None,
        standing=standing(state.clock),
        at_risk=clock is not None and clock.at_risk,
        breached=clock is not None and clock.breached,
        due_at=clock.due_at if clock else None,
        intake=state.intake.standing if state.intake else None,
        owner=owner(state),
        started_at=clock.started_at if clock else None,
        field=brief.need.subspecialty if brief else None,
        rvu=brief.need.rvu if brief else None,
        holder=_holder(state.assignment),
        delivery=clock.due_at - clock.owed_at if clock else None,
        patient=brief.need.patient if brief else None,
    )


def _holder(where: Assignment) -> str | None:
    """Give whose queue it is in: nobody's while a part waits, and then that of its first reader."""
    if any(isinstance(one, Open | Unfillable | Offered) for one in searches(under(where))):
        return None
    return next((one.reader for one in assigned_in(where)), None)


def _partner(state: Matching) -> str | None:
    return state.intake.partner if state.intake else None


def owner(state: Matching) -> str | None:
    """Say who has to do something for the case to go on; None where nobody has, or nobody knows."""
    match state.clock:
        case Running():
            return waits_on(state.clock, state.assignment)
        case Standstill():
            return state.clock.party
        case NotStarted() if state.intake is not None:
            return OWNERS.get(state.intake.standing)
        case _:
            return None


# Whose turn it is before the acceptance; ended cases are nobody's.
OWNERS: Final = {"collecting": "platform", "owed_by_partner": "partner"}


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
    return everybody(brief) if brief else ()


async def _log(db: Db, changes: Sequence[Change[Matching]]) -> list[str]:
    entries = [entry for change in changes for entry in _entries(change)]
    if not entries:
        return []
    await db.execute(LOCK_READERS, sorted({entry[0] for entry in entries}))
    await db.execute(LOG, *zip(*entries, strict=True))
    return [WORKLIST, HOOKS]


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

"""How do intake's cases lie in its schema, and what can partners read of them?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.events import CaseAmended, CaseDescribed
from services.intake.domain.outline import outline
from services.intake.domain.state import STATE, Cancelled, Known, Rejected, State, Unknown
from shared.contracts.base import CaseId
from shared.contracts.intake import CaseCancelled, CaseRejected
from shared.contracts.topics import PUBLISHED
from shared.runtime.handle import Change
from shared.runtime.postgres import Db
from shared.runtime.states import States

LOG_CHANNEL = "intake_log"

# The states of some cases.
LOAD = "SELECT case_id, state FROM cases WHERE case_id = ANY($1::uuid[])"
# Write the states of some cases.
SAVE = """
    INSERT INTO cases (case_id, partner, submitted_at, state)
    SELECT case_id, partner, submitted_at, state::json
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[])
        AS changed (case_id, partner, submitted_at, state)
    ON CONFLICT (case_id) DO UPDATE SET state = excluded.state
"""
# Forget what some cases announced, before it is written anew.
WITHDRAW = "DELETE FROM announced WHERE case_id = ANY($1::uuid[])"
# Write what some open cases announce.
ANNOUNCE = """
    INSERT INTO announced (case_id, position, partner, study, accession, patient, since)
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[],
                         $7::timestamptz[])
"""
# One writer of a partner's log at a time, so that its numbers appear in order and a reader who
# goes on after the last one misses none. Sorted, so that two writers can't wait for each other.
LOCK_LOG = """
    SELECT pg_advisory_xact_lock(hashtextextended('intake.log:' || partner, 0))
    FROM unnest($1::text[]) AS partner
"""
# Write the log, and wake those who follow it.
APPEND_LOG = """
    INSERT INTO log (partner, case_id, event_id, type, at, data)
    SELECT partner, case_id, event_id, type, at, data::jsonb
    FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[])
        WITH ORDINALITY AS entry (partner, case_id, event_id, type, at, data, place)
    ORDER BY place
"""
WAKE_READERS = "SELECT pg_notify($1, '')"
# What a partner (or, with null, an operator) has not read of the log.
READ_LOG = """
    SELECT seq, case_id, event_id, type, at, data FROM log
    WHERE seq > $2 AND ($1::text IS NULL OR partner = $1) ORDER BY seq LIMIT $3
"""
# A page of cases, newest first, after the place where the last page ended.
PAGE = """
    SELECT case_id, submitted_at, state FROM cases
    WHERE ($1::text IS NULL OR partner = $1)
      AND ($2::timestamptz IS NULL OR (submitted_at, case_id) < ($2, $3::uuid))
    ORDER BY submitted_at DESC, case_id DESC LIMIT $4
"""


STATES = States(STATE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One published event as the log keeps it."""

    seq: int
    case_id: CaseId
    event_id: UUID
    type: str
    at: datetime
    data: dict[str, object]


async def load(db: Db, cases: Sequence[CaseId]) -> Mapping[CaseId, State]:
    rows = await db.fetch(LOAD, cases)
    return {CaseId(row["case_id"]): STATES.read(row["state"]) for row in rows}


async def save(db: Db, changes: Sequence[Change[State]]) -> None:
    known = [(change, change.state) for change in changes if not isinstance(change.state, Unknown)]
    await db.execute(
        SAVE,
        [change.case_id for change, _ in known],
        [state.file.request.partner for _, state in known],
        [state.file.submitted_at for _, state in known],
        [STATES.text(state) for _, state in known],
    )
    await _announce(db, known)
    await _log(db, known)


async def _announce(db: Db, known: Sequence[tuple[Change[State], Known]]) -> None:
    """Keep the table of announced studies equal to what the open cases say."""
    telling = (CaseDescribed, CaseAmended, CaseCancelled, CaseRejected)
    changed = [
        (change, state)
        for change, state in known
        if any(isinstance(one.event, telling) for one in change.recorded)
    ]
    if not changed:
        return
    await db.execute(WITHDRAW, [change.case_id for change, _ in changed])
    rows = [
        (
            change.case_id,
            position,
            state.file.request.partner,
            study.study,
            study.accession,
            state.file.request.patient,
            change.recorded[-1].recorded_at,
        )
        for change, state in changed
        if not isinstance(state, Rejected | Cancelled)
        for position, study in enumerate(state.file.request.studies)
    ]
    if rows:
        await db.execute(ANNOUNCE, *map(list, zip(*rows, strict=True)))


async def _log(db: Db, known: Sequence[tuple[Change[State], Known]]) -> None:
    rows = [
        (
            state.file.request.partner,
            one.case_id,
            one.event_id,
            type(one.event).ce_type(),
            one.recorded_at,
            json.dumps(outline(one.event)),
        )
        for change, state in known
        for one in change.recorded
        if type(one.event) in PUBLISHED
    ]
    if rows:
        await db.execute(LOCK_LOG, sorted({row[0] for row in rows}))
        await db.execute(APPEND_LOG, *map(list, zip(*rows, strict=True)))
        await db.execute(WAKE_READERS, LOG_CHANNEL)


async def read_log(db: Db, partner: str | None, after: int, most: int) -> list[Entry]:
    return [
        Entry(
            row["seq"],
            CaseId(row["case_id"]),
            row["event_id"],
            row["type"],
            row["at"],
            json.loads(row["data"]),
        )
        for row in await db.fetch(READ_LOG, partner, after, most)
    ]


async def page(
    db: Db, partner: str | None, after: tuple[datetime, UUID] | None, most: int
) -> list[tuple[CaseId, datetime, State]]:
    rows = await db.fetch(PAGE, partner, *(after or (None, None)), most)
    return [
        (CaseId(row["case_id"]), row["submitted_at"], STATES.read(row["state"])) for row in rows
    ]

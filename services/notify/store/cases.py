"""How do the cases of one batch get into the schema and out of it? In bulk, with their lines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from services.notify.domain.events import Noted
from services.notify.domain.state import STATE, Delivery, State, dossier_of
from services.notify.domain.timeline import facts
from services.notify.store.timeline import CHANNEL
from shared.contracts.base import CaseId, Event
from shared.contracts.topics import PUBLISHED
from shared.runtime.handle import Change
from shared.runtime.postgres import Db
from shared.runtime.states import States

# The cases of a batch as they stand.
LOAD = "SELECT case_id, state FROM cases WHERE case_id = ANY($1::uuid[])"
# The cases of a batch as they are from now on.
SAVE = """
    INSERT INTO cases (case_id, partner, kind, overdue_from, state)
    SELECT case_id, partner, kind, overdue_from, state::json
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
        AS one (case_id, partner, kind, overdue_from, state)
    ON CONFLICT (case_id) DO UPDATE SET
        partner = excluded.partner, kind = excluded.kind,
        overdue_from = excluded.overdue_from, state = excluded.state
"""
# Their deliveries, for the operators' list. What did not change keeps its time.
SAVE_DELIVERIES = """
    INSERT INTO deliveries
        (delivery, case_id, partner, channel, audience, progress, attempts, cause, retry_at,
         changed_at)
    SELECT delivery, case_id, partner, channel, audience, progress, attempts, cause, retry_at, $10
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                $7::int[], $8::text[], $9::timestamptz[])
        AS one (delivery, case_id, partner, channel, audience, progress, attempts, cause, retry_at)
    ON CONFLICT (delivery) DO UPDATE SET
        progress = excluded.progress, attempts = excluded.attempts, cause = excluded.cause,
        retry_at = excluded.retry_at, changed_at = excluded.changed_at
    WHERE (deliveries.progress, deliveries.attempts) IS DISTINCT FROM
          (excluded.progress, excluded.attempts)
"""
# Lines of the timeline, in the order in which they were decided.
APPEND = """
    INSERT INTO timeline (id, partner, case_id, type, at, facts)
    SELECT id, partner, case_id, type, at, facts::jsonb
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[])
        WITH ORDINALITY AS one (id, partner, case_id, type, at, facts, n)
    ORDER BY n
"""
WAKE = "SELECT pg_notify($1, '')"

STATES = States(STATE)


async def load(db: Db, cases: Sequence[CaseId]) -> Mapping[CaseId, State]:
    rows = await db.fetch(LOAD, cases)
    return {CaseId(row["case_id"]): STATES.read(row["state"]) for row in rows}


async def save(db: Db, changes: Sequence[Change[State]]) -> None:
    changed = [change for change in changes if not _only_noted(change)]
    if changed:
        await _save_cases(db, changed)
        await _save_deliveries(db, changed)
    lines = [line for change in changes for line in _lines(change)]
    if lines:
        await db.execute(APPEND, *_columns(lines))
        await db.execute(WAKE, CHANNEL)


def _only_noted(change: Change[State]) -> bool:
    """Tell whether a known case got lines of its timeline and nothing else: most inputs do that."""
    return dossier_of(change.state) is not None and all(
        isinstance(recorded.event, Noted) for recorded in change.recorded
    )


async def _save_cases(db: Db, changes: Sequence[Change[State]]) -> None:
    rows = [
        (
            change.case_id,
            dossier.partner if (dossier := dossier_of(change.state)) else None,
            change.state.kind,
            dossier.reports[0].kept_at if dossier and dossier.identity_overdue else None,
            STATES.text(change.state),
        )
        for change in changes
    ]
    await db.execute(SAVE, *_columns(rows))


async def _save_deliveries(db: Db, changes: Sequence[Change[State]]) -> None:
    rows = [
        _delivery(change.case_id, dossier.partner, one)
        for change in changes
        if (dossier := dossier_of(change.state))
        for one in dossier.deliveries
    ]
    if rows:
        await db.execute(SAVE_DELIVERIES, *_columns(rows), changes[0].recorded[0].recorded_at)


def _delivery(case_id: CaseId, partner: str, one: Delivery) -> tuple[Any, ...]:
    what = (one.delivery, case_id, partner, one.channel, one.audience)
    return (*what, one.progress, one.attempts, one.cause, one.retry_at)


def _lines(change: Change[State]) -> Iterator[tuple[Any, ...]]:
    dossier = dossier_of(change.state)
    if dossier is None:
        return
    for recorded in change.recorded:
        told = _told(recorded.event)
        if told is not None:
            what, shown = told
            whose = (recorded.event_id, dossier.partner, change.case_id)
            yield (*whose, what, recorded.recorded_at, json.dumps(shown))


def _told(event: Event) -> tuple[str, dict[str, JsonValue]] | None:
    """Say how an event reads on the timeline; None when it doesn't belong there."""
    if isinstance(event, Noted):
        return (event.what, event.facts) if event.partner is not None else None
    return (event.ce_type(), facts(event)) if type(event) in PUBLISHED else None


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]

"""How does a case lie in deid's own schema? All SQL of the service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from services.deid.domain.state import Cancelled, Known, State, Unknown
from shared.contracts.base import CaseId
from shared.runtime.handle import Change
from shared.runtime.postgres import Db
from shared.runtime.states import States

# The cases of one batch; those never seen are not among them.
LOAD_CASES = "SELECT case_id, state FROM cases WHERE case_id = ANY($1::uuid[])"
# Each case's new state replaces the old one.
SAVE_CASES = """
    INSERT INTO cases (case_id, partner, state, kind, waiting)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::json[], $4::text[], $5::int[])
    ON CONFLICT (case_id) DO UPDATE SET partner = coalesce(excluded.partner, cases.partner),
        state = excluded.state, kind = excluded.kind, waiting = excluded.waiting
"""
# Cases that wait for an operator, those that came first at the top.
WAITING = """
    SELECT seq, case_id, partner, kind, waiting FROM cases
    WHERE waiting > 0 AND seq > $1 ORDER BY seq LIMIT $2
"""
# Which of these pseudonyms a case of the partner bears, whenever it was.
BORNE = """
    SELECT DISTINCT state #>> '{dossier,pseudonym}' AS pseudonym FROM cases
    WHERE partner = $1 AND state #>> '{dossier,pseudonym}' = ANY($2::text[])
"""
# An operator looks at something that is not clean.
LOOK = "INSERT INTO looks (case_id, item, frame, by, at) VALUES ($1, $2, $3, $4, $5)"

STATES: States[State] = States(TypeAdapter(State))


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A case in the operators' list; `waiting` counts undecided instances and documents."""

    seq: int
    case_id: CaseId
    partner: str
    kind: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Look:
    """One look of one operator; `frame` for an image."""

    case_id: CaseId
    item: str
    frame: int | None
    by: str
    at: datetime


async def load(db: Db, cases: Sequence[CaseId]) -> Mapping[CaseId, State]:
    rows = await db.fetch(LOAD_CASES, cases)
    return {CaseId(row["case_id"]): STATES.read(row["state"]) for row in rows}


async def save(db: Db, changes: Sequence[Change[State]]) -> None:
    await db.execute(
        SAVE_CASES,
        [change.case_id for change in changes],
        [_partner(change.state) for change in changes],
        [STATES.text(change.state) for change in changes],
        [change.state.kind for change in changes],
        [_waiting(change.state) for change in changes],
    )


async def waiting(db: Db, after: int, limit: int) -> Sequence[WaitingCase]:
    rows = await db.fetch(WAITING, after, limit)
    return [WaitingCase(**dict(row)) for row in rows]


async def record_look(db: Db, look: Look) -> None:
    await db.execute(LOOK, look.case_id, look.item, look.frame, look.by, look.at)


async def borne(db: Db, partner: str, pseudonyms: Sequence[str]) -> frozenset[str]:
    rows = await db.fetch(BORNE, partner, pseudonyms)
    return frozenset(row["pseudonym"] for row in rows)


def _partner(state: State) -> str | None:
    return None if isinstance(state, Unknown | Cancelled) else state.dossier.partner


def _waiting(state: State) -> int:
    if isinstance(state, Unknown | Cancelled):
        return 0
    texts = sum(text.waiting for text in state.dossier.texts)
    return texts + _held(state)


def _held(state: Known) -> int:
    return len(state.dossier.undecided())

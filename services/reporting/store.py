"""How does a case lie in reporting's own schema? All SQL of the service."""

from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from services.reporting.domain.state import Held, Split, State
from shared.contracts.base import CaseId
from shared.runtime.handle import Change
from shared.runtime.postgres import Db
from shared.runtime.states import States

# The cases of one batch; those never seen are not among them.
LOAD_CASES = "SELECT case_id, state FROM cases WHERE case_id = ANY($1::uuid[])"
# Each case's new state replaces the old one.
SAVE_CASES = """
    INSERT INTO cases (case_id, partner, state)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::json[])
    ON CONFLICT (case_id) DO UPDATE SET partner = excluded.partner, state = excluded.state
"""

STATES: States[State] = States(TypeAdapter(State))


async def load(db: Db, cases: Sequence[CaseId]) -> Mapping[CaseId, State]:
    rows = await db.fetch(LOAD_CASES, cases)
    return {CaseId(row["case_id"]): STATES.read(row["state"]) for row in rows}


async def save(db: Db, changes: Sequence[Change[State]]) -> None:
    await db.execute(
        SAVE_CASES,
        [change.case_id for change in changes],
        [_partner(change.state) for change in changes],
        [STATES.text(change.state) for change in changes],
    )


def _partner(state: State) -> str | None:
    if isinstance(state, Held):
        return state.assignment.partner
    each = (*state.desks, *state.material.regional) if isinstance(state, Split) else ()
    return next((one.assignment.partner for one in each), None)

"""A tiny service for the runner's tests: it counts what it is told, and passes the count on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.contracts.base import CaseId, DeadlineReached
from shared.contracts.deid import DeidentificationFailed, DeidentificationPlanned
from shared.contracts.envelope import Recorded, derived_id
from shared.contracts.intake import InformationProvided
from shared.decider import Deadline, Decider, Job
from shared.runtime.handle import Change
from shared.runtime.postgres import Db

SERVICE = "deid"
NAMESPACE = UUID("6f1d1c1e-6b1e-4c61-9b1c-0e6a7d1f2a3b")
CREATE = """
    CREATE TABLE IF NOT EXISTS tallies (
        case_id uuid PRIMARY KEY, count integer NOT NULL CHECK (count >= 0), due timestamptz,
        note text)
"""
LOAD = "SELECT case_id, count, due, note FROM tallies WHERE case_id = ANY($1::uuid[])"
SAVE = """
    INSERT INTO tallies (case_id, count, due, note)
    SELECT * FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::text[])
    ON CONFLICT (case_id) DO UPDATE
        SET count = excluded.count, due = excluded.due, note = excluded.note
"""


@dataclass(frozen=True)
class Tally:
    """How many inputs this case has seen."""

    count: int = 0
    due: datetime | None = None
    note: Any = None


class Explodes(Exception):  # noqa: N818 - what it does
    """A bug in decide."""


def decide(state: Tally, received: Any, now: datetime) -> list[Any]:
    match received:
        case InformationProvided(partner="explode"):
            raise Explodes(f"DOE^JANE {received.case_id}")
        case InformationProvided(partner="ignore"):
            return []
        case InformationProvided(partner="verbose"):
            much = tuple(f"{n:064}" for n in range(20_000))
            return [
                DeidentificationPlanned(case_id=received.case_id, partner="north", studies=much)
            ]
        case InformationProvided():
            studies = (str(state.count + 1), received.partner)
            return [
                DeidentificationPlanned(
                    case_id=received.case_id, partner=received.partner, studies=studies
                )
            ]
        case DeadlineReached():
            return [
                DeidentificationFailed(
                    case_id=received.case_id, partner="due", reason=received.kind
                )
            ]
        case _:
            return [received]


def evolve(state: Tally, event: Any) -> Tally:
    match event:
        # Three states that no database takes: a constraint, a NUL, a type the driver refuses.
        case DeidentificationPlanned(partner="constraint"):
            return replace(state, count=-1_000_000)
        case DeidentificationPlanned(partner="nul"):
            return replace(state, count=state.count + 1, note="DOE^JANE\0")
        case DeidentificationPlanned(partner="closed"):
            return replace(state, count=state.count + 1, note=("DOE^JANE", "connection is closed"))
        case DeidentificationPlanned(partner="alarm"):
            due = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
            return replace(state, count=state.count + 1, due=due)
        case DeidentificationFailed(partner="due"):
            return replace(state, count=state.count + 1, due=None)
        case _:
            return replace(state, count=state.count + 1)


def deadlines(state: Tally) -> list[Deadline]:
    return [Deadline("alarm", state.due)] if state.due else []


def jobs(event: Any) -> list[Job]:
    match event:
        case DeidentificationPlanned(partner="work"):
            return [Job("work", {"n": 1})]
        case _:
            return []


async def load(db: Db, cases: Sequence[CaseId]) -> Mapping[CaseId, Tally]:
    rows = await db.fetch(LOAD, list(cases))
    return {CaseId(row["case_id"]): Tally(row["count"], row["due"], row["note"]) for row in rows}


async def save(db: Db, changes: Sequence[Change[Tally]]) -> None:
    await db.execute(
        SAVE,
        [one.case_id for one in changes],
        [one.state.count for one in changes],
        [one.state.due for one in changes],
        [one.state.note for one in changes],
    )


TALLY: Decider[Tally, Any, Any] = Decider(Tally(), decide, evolve, deadlines, jobs)


def case(number: int) -> CaseId:
    return CaseId(derived_id(NAMESPACE, "case", number))


def told(number: int, nth: int, partner: str = "north") -> Recorded:
    """The nth event for a case, as intake would have recorded it."""
    event = InformationProvided(case_id=case(number), partner=partner)
    at = datetime.fromisoformat("2026-11-02T12:00:00+00:00") + timedelta(seconds=nth)
    return Recorded(event, derived_id(case(number), "told", nth, partner), at)

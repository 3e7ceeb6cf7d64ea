"""Which service runs in the one-hop benchmark? One like the real ones.

It keeps what it was told of a case as jsonb, decides one event of a kilobyte for each input, and
publishes it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from shared.contracts.base import CaseId, Event, Frozen, OpaqueId, PartnerId
from shared.contracts.deid import CaseDeidentified, CleanDocument, CleanStudy
from shared.contracts.intake import CaseAccepted, CaseSupplemented, RawStudy
from shared.decider import Decider
from shared.runtime.handle import Change
from shared.runtime.postgres import Db
from shared.runtime.states import States

NAME = "deid"
WANTED: Mapping[str, type[Event]] = {e.ce_type(): e for e in (CaseAccepted, CaseSupplemented)}

CREATE = """
    CREATE TABLE IF NOT EXISTS cases (
        case_id uuid PRIMARY KEY, partner text, state json NOT NULL, kind text NOT NULL)
"""
# The cases of one batch.
LOAD = "SELECT case_id, state FROM cases WHERE case_id = ANY($1::uuid[])"
# Each case's new state replaces the old one.
SAVE = """
    INSERT INTO cases (case_id, partner, state, kind)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::json[], $4::text[])
    ON CONFLICT (case_id) DO UPDATE SET state = excluded.state, kind = excluded.kind
"""


class Unknown(Frozen):
    """Nothing was heard of the case yet."""

    kind: Literal["unknown"] = "unknown"


class Clean(Frozen):
    """What the readers may see so far."""

    kind: Literal["clean"] = "clean"
    partner: PartnerId
    pseudonym: OpaqueId
    studies: tuple[CleanStudy, ...]
    supplement: int


State: TypeAlias = Annotated[Unknown | Clean, Field(discriminator="kind")]
STATES: States[State] = States(TypeAdapter(State))


def decide(state: State, received: Event, _now: datetime) -> Sequence[Event]:
    if not isinstance(received, CaseAccepted | CaseSupplemented):
        return ()
    case_id = received.case_id
    [original, *_] = [manifest for study in received.studies for manifest in study.manifests]
    known = state.supplement + 1 if isinstance(state, Clean) else 0
    return (
        CaseDeidentified(
            case_id=case_id,
            partner=received.partner,
            pseudonym="p-4f1c2a9d8e7b6a50",
            studies=tuple(_clean(one) for one in received.studies[:1]),
            documents=(CleanDocument(kind="first_report", status="released", content=original),),
            instances_cleaned=120,
            supplement=known,
        ),
    )


def evolve(_state: State, event: Event) -> State:
    if not isinstance(event, CaseDeidentified):
        return _state
    return Clean(
        partner=event.partner,
        pseudonym=event.pseudonym,
        studies=event.studies,
        supplement=event.supplement,
    )


async def load(db: Db, cases: Sequence[CaseId]) -> Mapping[CaseId, State]:
    rows = await db.fetch(LOAD, cases)
    return {CaseId(row["case_id"]): STATES.read(row["state"]) for row in rows}


async def save(db: Db, changes: Sequence[Change[State]]) -> None:
    await db.execute(SAVE, *columns([(one.case_id, one.state) for one in changes]))


def columns(states: Sequence[tuple[CaseId, State]]) -> tuple[list[Any], ...]:
    """The rows of SAVE as its parameters."""
    return (
        [case_id for case_id, _ in states],
        ["st-brigid" for _ in states],
        [STATES.text(state) for _, state in states],
        [state.kind for _, state in states],
    )


def _clean(raw: RawStudy) -> CleanStudy:
    return CleanStudy(
        study=raw.study,
        modality=raw.modality,
        body_region=raw.body_region,
        instance_count=raw.instance_count,
        manifest=raw.manifests[0],
        certificate=raw.manifests[0],
    )


DECIDER: Decider[State, Event, Event] = Decider(Unknown(), decide, evolve)

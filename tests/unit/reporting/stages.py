"""How far has a second reading come? Specs in each state, reached by the reader's own steps."""

from typing import Any
from uuid import UUID

from services.reporting.domain.canonical import sha256
from services.reporting.domain.decide import REPORTING
from services.reporting.domain.inputs import AddAddendum
from services.reporting.domain.signing import addendum_document
from services.reporting.domain.state import Signed, State
from shared.contracts.base import Event
from shared.contracts.intake import CaseCancelled
from shared.contracts.matching import AssignmentClosed, AssignmentReleased, AssignmentRevoked
from shared.contracts.report import AddendumDocument, Claim, Opinion
from shared.testing.spec import NOON, Spec
from tests.unit.reporting.cases import (
    CASE,
    READER,
    accepted,
    assigned,
    compared,
    deidentified,
    draft,
    finalize,
    lock,
    reveal,
    start,
    stored,
)

ARRIVED = (accepted(), deidentified(), assigned())


RELEASED = AssignmentReleased(case_id=CASE, assignment="a-1", reader=READER, reason="too_busy")
REVOKED = AssignmentRevoked(case_id=CASE, assignment="a-1", reader=READER, reason="late")
CANCELLED = CaseCancelled(case_id=CASE, partner="st-elsewhere", by="integrator")
CLOSED = AssignmentClosed(case_id=CASE, reason="cancelled")


def after(*inputs: Any) -> Spec[State, Any, Event]:
    spec = Spec(REPORTING, REPORTING.initial)
    for received in inputs:
        spec = spec.then(received)
    return spec


def reading() -> Spec[State, Any, Event]:
    return after(*ARRIVED, start())


def locked(written: Opinion | None = None) -> Spec[State, Any, Event]:
    return reading().then(draft(written)).then(lock())


def comparing() -> Spec[State, Any, Event]:
    return locked().then(reveal()).then(compared())


def final() -> Spec[State, Any, Event]:
    spec = comparing()
    return spec.then(finalize(spec.state))


def addendum(
    state: State, text: str = "Seen again.", *claims: Claim, request: UUID = CASE
) -> AddAddendum:
    assert isinstance(state, Signed)
    document = addendum_document(CASE, state, text, claims, NOON)
    digest = sha256(document) if isinstance(document, AddendumDocument) else "0" * 64
    return AddAddendum(
        case_id=CASE,
        reader=READER,
        text=text,
        claims=claims,
        document=stored(digest),
        signed_at=NOON,
        request=request,
    )


def names(events: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


def refusal(spec: Spec[State, Any, Event], received: Any) -> str:
    step = spec.when(received)
    assert step.refused is not None, step.events
    assert step.state == spec.state
    assert step.events == ()
    return step.refused.code

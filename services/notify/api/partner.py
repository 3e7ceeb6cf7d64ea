"""What may a partner ask? The result with its patient's name, the timeline, and to acknowledge."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, JsonValue

from services.notify.domain.inputs import Acknowledge
from services.notify.domain.state import Dossier, State, dossier_of
from services.notify.gateways.result import NoResultError, Purpose, Results
from services.notify.store import timeline
from services.notify.store.timeline import Line, Position
from shared.contracts.base import CaseId
from shared.contracts.envelope import derived_id
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.http import (
    ServerEvent,
    event_stream,
    idempotency_key,
    last_event_id,
    refusal,
)
from shared.runtime.service import Core

FHIR = "application/fhir+json"
IDLE_SECONDS = 1.0  # how late a line may be when its wake-up was lost or came too early
PAGE = 500

Partner = Annotated[Principal, Depends(require("partner"))]
Key = Annotated[str, Depends(idempotency_key)]


class TimelineEntry(BaseModel):
    """One thing that happened, in any of the services. No patient data is in it."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    case_id: UUID
    type: str
    at: datetime
    facts: dict[str, JsonValue]


class Timeline(BaseModel):
    """All that happened to a case, in the order in which it became known here."""

    case_id: UUID
    state: str
    entries: list[TimelineEntry]


class Standing(BaseModel):
    """How far a case's result is, and where to go on."""

    model_config = ConfigDict(frozen=True)

    case_id: UUID
    state: str
    links: dict[str, str]


@dataclass(frozen=True)
class PartnerEdge:
    """The handlers and what they need."""

    core: Core[State]
    results: Results

    async def standing(self, case_id: UUID, who: Partner) -> Standing:
        """Say how far the case is. This is where the link in a clinician's mail leads."""
        _, state = await self._own(case_id, who)
        return _standing(case_id, state)

    async def result(self, case_id: UUID, who: Partner) -> Response:
        """Give the signed result as a FHIR R4 Bundle; each reading is recorded."""
        dossier, _ = await self._own(case_id, who)
        purpose = Purpose(who=who.subject, why="result")
        try:
            body = await self.results.fhir(CaseId(case_id), dossier, purpose)
        except NoResultError as error:
            raise _no_result(error.cause) from None
        return Response(body, media_type=FHIR, headers={"cache-control": "no-store"})

    async def timeline(self, case_id: UUID, who: Partner) -> Timeline:
        """Give all that happened to the case so far."""
        dossier, state = await self._own(case_id, who)
        async with self.core.pool.acquire() as db:
            lines = await timeline.timeline_of(db, CaseId(case_id), dossier.partner)
        return Timeline(case_id=case_id, state=state, entries=[_entry(line) for line in lines])

    async def stream(
        self, who: Partner, last: Annotated[str | None, Depends(last_event_id)]
    ) -> StreamingResponse:
        """Stream what happens to the partner's cases, from the beginning or after an event."""
        try:
            position = Position.read(last) if last else Position()
        except ValueError:
            raise Problem(
                400,
                "rejected",
                "Last-Event-ID is none of this stream's. Leave it out to begin at the beginning.",
            ) from None

        def source(_: str | None) -> AsyncIterator[ServerEvent]:
            return self._follow(who.partner, position)

        return event_stream(source, last)

    async def acknowledge(self, case_id: UUID, who: Partner, key: Key) -> Standing:
        """Say that the result was seen. Again: the same answer, one acknowledgement."""
        received = Acknowledge(case_id=CaseId(case_id), partner=who.partner, by=who.subject)
        input_id = derived_id(case_id, "acknowledge", who.partner, who.subject, key)
        outcome = await self.core.runner.submit(received, input_id=input_id)
        if outcome.refused is not None:
            raise refusal(outcome.refused)
        if outcome.duplicate:
            await self._own(case_id, who)
        return _standing(case_id, outcome.state.kind)

    async def _own(self, case_id: UUID, who: Principal) -> tuple[Dossier, str]:
        """Find a case of the caller's own; another's is as unknown as one that never was."""
        state = await self.core.runner.state(CaseId(case_id))
        dossier = dossier_of(state)
        if dossier is None or dossier.partner != who.partner:
            raise Problem(404, "not-found", "There is no such case.")
        return dossier, state.kind

    async def _follow(self, partner: str, position: Position) -> AsyncIterator[ServerEvent]:
        while True:
            async with self.core.pool.acquire() as db:
                lines = await timeline.timeline_after(db, partner, position, PAGE)
            for line in lines:
                position = line.position
                yield ServerEvent(str(position), line.type, _entry(line))
            if len(lines) < PAGE:
                await self._news()

    async def _news(self) -> None:
        await self.core.wakeups.wait(timeline.CHANNEL, IDLE_SECONDS)


def router(core: Core[State], results: Results) -> APIRouter:
    edge = PartnerEdge(core, results)
    routes = APIRouter(tags=["partner"])
    routes.get("/v1/cases/{case_id}")(edge.standing)
    routes.get("/v1/cases/{case_id}/result", response_class=Response)(edge.result)
    routes.get("/v1/cases/{case_id}/timeline")(edge.timeline)
    routes.get("/v1/timeline/stream", response_class=StreamingResponse)(edge.stream)
    routes.post("/v1/cases/{case_id}/acknowledge")(edge.acknowledge)
    return routes


def _standing(case_id: UUID, state: str) -> Standing:
    names = ("result", "timeline", "acknowledge")
    links = {name: f"/v1/cases/{case_id}/{name}" for name in names}
    return Standing(case_id=case_id, state=state, links=links)


def _entry(line: Line) -> TimelineEntry:
    return TimelineEntry(
        id=line.id, case_id=line.case_id, type=line.type, at=line.at, facts=line.facts
    )


def _no_result(cause: str) -> Problem:
    if cause == "not-ready":
        return Problem(404, "no-result-yet", "There is no signed result yet.")
    return Problem(503, "unavailable", f"The result can't be given now ({cause}); we were told.")

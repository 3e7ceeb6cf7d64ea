"""How does a partner tell us something? POST /v1/events, a CloudEvent, answered 202."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from services.intake.api import description
from services.intake.api.answers import Taken
from services.intake.api.cloud import PartnerEvent, read_event
from services.intake.api.edge import Edge
from services.intake.api.once import Asking, once
from services.intake.api.schema import OfCase
from services.intake.api.translate import Sender, to_input
from services.intake.domain.state import Unknown
from shared.contracts.base import CaseId
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.http import idempotency_key


def router(edge: Edge) -> APIRouter:
    routes = APIRouter(tags=["events"])

    @routes.post("/v1/events", status_code=202, openapi_extra=description.events())
    async def take_event(
        request: Request, who: Annotated[Principal, Depends(require("partner"))]
    ) -> Taken:
        """Take a CloudEvent; the same key (Idempotency-Key, else source and id) acts once."""
        partner, terms = await edge.partner(who)
        event = await read_event(request, edge.settings.event_bytes)
        sender = Sender(partner, terms, who.subject, event.pointer)
        asking = _asking(edge, sender, event, request.headers.get("idempotency-key"))
        case_id = await _case_id(edge, sender, event, asking)
        return await once(
            edge, asking, case_id, lambda: to_input(edge, sender, case_id, event.asked)
        )

    return routes


def _asking(edge: Edge, sender: Sender, event: PartnerEvent, header: str | None) -> Asking:
    """Digest key and body: a partner may have put anything into either."""
    key = f"event {event.key}" if header is None else f"key {idempotency_key(header)}"
    digests = edge.digests(sender.partner)
    body = digests.of("body", event.canonical.decode())
    return Asking(sender.partner, digests.of("key", key), body, event.pointer)


async def _case_id(edge: Edge, sender: Sender, event: PartnerEvent, asking: Asking) -> CaseId:
    """Give the case that this submission opens, or the sender's own one that the event names."""
    if not isinstance(event.asked, OfCase):
        return edge.digests(sender.partner).case_id(asking.key)
    case_id = CaseId(event.asked.case_id)
    state = await edge.core.runner.state(case_id)
    if isinstance(state, Unknown) or state.file.request.partner != sender.partner:
        raise Problem(404, "not-found", "There is no such case.", f"{event.pointer}/case_id")
    return case_id

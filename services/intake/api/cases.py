"""How does a partner see how its cases stand? One, a page, a stream; and takes one back."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from services.intake.api.answers import CaseAnswer, Page, Taken, case_answer
from services.intake.api.edge import Edge, opaque, sees
from services.intake.api.once import Asking, once
from services.intake.api.stream import following, place
from services.intake.domain.inputs import CancelCase
from services.intake.domain.state import Unknown
from services.intake.store import cases
from shared.contracts.base import CaseId
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.http import event_stream, idempotency_key, last_event_id

Who = Annotated[Principal, Depends(require("partner", "operator"))]
LARGEST_PAGE: Final = 100


def router(edge: Edge) -> APIRouter:
    routes = APIRouter(prefix="/v1/cases", tags=["cases"])

    @routes.get("")
    async def list_cases(
        who: Who,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 25,
    ) -> Page:
        """List the caller's cases, newest first."""
        after = _page_place(cursor) if cursor else None
        async with edge.core.pool.acquire() as db:
            rows = await cases.page(db, sees(who), after, limit + 1)
        shown = [(case, at, s) for case, at, s in rows[:limit] if not isinstance(s, Unknown)]
        last = _cursor(shown[-1][1], shown[-1][0]) if len(rows) > limit else None
        return Page(cases=tuple(case_answer(case, s) for case, _, s in shown), next=last)

    @routes.get("/stream", response_class=Response)
    async def stream_cases(
        who: Who, after: Annotated[str | None, Depends(last_event_id)]
    ) -> Response:
        """Follow the events of the caller's cases; go on after Last-Event-ID."""
        place(after)
        return event_stream(following(edge.core, sees(who)), after)

    @routes.get("/{case_id}")
    async def get_case(case_id: UUID, who: Who) -> CaseAnswer:
        """Tell how far a case has come, and what is still missing."""
        state = await edge.core.runner.state(CaseId(case_id))
        if isinstance(state, Unknown) or sees(who) not in (None, state.file.request.partner):
            raise Problem(404, "not-found", "There is no such case.")
        return case_answer(CaseId(case_id), state)

    @routes.delete("/{case_id}", status_code=202)
    async def cancel_case(
        case_id: UUID,
        who: Who,
        key: Annotated[str, Depends(idempotency_key)],
    ) -> Taken:
        """Withdraw a case. Twice is the same as once."""
        owner = sees(who) or f"operator:{who.subject}"
        digests = edge.digests(owner)
        asking = Asking(owner, digests.of("key", key), digests.of("body", "cancel", str(case_id)))

        async def cancel() -> CancelCase:
            by = opaque(who.subject, digests)
            return CancelCase(case_id=CaseId(case_id), partner=sees(who), by=by)

        return await once(edge, asking, CaseId(case_id), cancel)

    return routes


def _cursor(submitted_at: datetime, case_id: CaseId) -> str:
    return base64.urlsafe_b64encode(f"{submitted_at.isoformat()} {case_id}".encode()).decode()


def _page_place(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, case_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        found = datetime.fromisoformat(at), UUID(case_id)
    except (binascii.Error, ValueError):
        found = None
    if found is None or found[0].tzinfo is None:
        raise Problem(422, "invalid-request", "The cursor is not one of ours: leave it out.")
    return found

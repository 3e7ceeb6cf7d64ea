"""When does a reader work, by their own calendar? They import it themselves, or operations do."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel

from services.matching.domain.duty import Period, PeriodKind
from services.matching.domain.state import Matching
from services.matching.gateways import calendar
from services.matching.store import calendars, roster
from shared.contracts.base import OpaqueId, ReaderId
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.service import Core

LARGEST: Final = 512 * 1024
# So that a body is described in OpenAPI that FastAPI does not parse.
BODY: Final = {
    "requestBody": {"required": True, "content": {"text/calendar": {"schema": {"type": "string"}}}}
}

Myself = Annotated[Principal, Depends(require("reader"))]
Operator = Annotated[Principal, Depends(require("operator"))]
Source = Annotated[OpaqueId, Path()]
Kind = Annotated[PeriodKind, Query(description="what an event without categories counts as")]


class Imported(BaseModel):
    """What the calendar says from now to `reaches`; it is unfolded further day by day."""

    reader: ReaderId
    source: OpaqueId
    periods: tuple[Period, ...]
    reaches: AwareDatetime


def router(core: Core[Matching]) -> APIRouter:
    routes = APIRouter(prefix="/v1")
    desk = Calendars(core)
    mine, office = "/calendars/{source}", "/admin/readers/{reader_id}/calendars/{source}"
    routes.put(mine, tags=["readers"], openapi_extra=BODY)(desk.put_mine)
    routes.delete(mine, tags=["readers"], status_code=204)(desk.delete_mine)
    routes.put(office, tags=["operators"], openapi_extra=BODY)(desk.put)
    routes.delete(office, tags=["operators"], status_code=204)(desk.delete)
    return routes


class Calendars:
    """The routes; each method's docstring is the route's description."""

    def __init__(self, core: Core[Matching]) -> None:
        self.core = core

    async def put_mine(
        self, source: Source, request: Request, who: Myself, kind: Kind = "duty"
    ) -> Imported:
        """Import one of the reader's calendars (RFC 5545); it replaces what it said before."""
        return await self._imported(who.subject, source, request, kind, who.subject)

    async def delete_mine(self, source: Source, who: Myself) -> None:
        """Forget the calendar and its periods."""
        await self._dropped(who.subject, source, who.subject)

    async def put(
        self,
        reader_id: Annotated[ReaderId, Path()],
        source: Source,
        request: Request,
        who: Operator,
        kind: Kind = "duty",
    ) -> Imported:
        """Import a calendar for a reader."""
        return await self._imported(reader_id, source, request, kind, who.subject)

    async def delete(
        self, reader_id: Annotated[ReaderId, Path()], source: Source, who: Operator
    ) -> None:
        """Forget a reader's calendar and its periods."""
        await self._dropped(reader_id, source, who.subject)

    async def _imported(
        self, reader: ReaderId, source: str, request: Request, kind: PeriodKind, by: str
    ) -> Imported:
        body, now = await request.body(), clock.now()
        if len(body) > LARGEST:
            raise Problem(413, "body-too-large", f"A calendar has at most {LARGEST} bytes.")
        async with self.core.pool.acquire() as db, db.transaction():
            known = await calendars.lock(db, reader)
            if known is None:
                raise Problem(404, "not-found", "The roster has no such reader.")
            try:
                text = await asyncio.to_thread(calendar.cleaned, body)
                found = await asyncio.to_thread(calendar.periods, text, known, kind, source, now)
            except calendar.CalendarBroken as error:
                raise Problem(422, "invalid-request", f"{error}.", "#") from None
            one, reaches = calendars.Calendar(reader, source, kind, text), now + calendar.AHEAD
            await calendars.keep(db, known, one, calendars.Unfolded(found, reaches), now)
            await roster.record(db, by, f"calendar:{reader}:{source}", "{}", now)
        return Imported(reader=reader, source=source, periods=found, reaches=reaches)

    async def _dropped(self, reader: ReaderId, source: str, by: str) -> None:
        now = clock.now()
        async with self.core.pool.acquire() as db, db.transaction():
            known = await calendars.lock(db, reader)
            if known is None:
                raise Problem(404, "not-found", "The roster has no such reader.")
            await calendars.drop(db, known, source, now)
            await roster.record(db, by, f"calendar:{reader}:{source}", "null", now)

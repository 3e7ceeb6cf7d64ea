"""Is a reader there? Their app says so again and again, and its silence says the rest."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.matching.domain.state import Matching
from services.matching.store import presence, roster
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.service import Core

Who = Annotated[Principal, Depends(require("reader"))]


class Heartbeat(BaseModel):
    """A sign of life, good for `seconds`. Send the next before half of them are over."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["available", "away"] = "available"
    seconds: Annotated[int, Field(ge=10, le=3600)] = 90


class Availability(BaseModel):
    """What is known of the reader now. `expires_at`: when silence begins."""

    status: Literal["available", "away"]
    on_shift: bool
    expires_at: AwareDatetime


def router(core: Core[Matching]) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["readers"])

    @routes.post("/availability")
    async def beat(told: Heartbeat, who: Who) -> Availability:
        """Say that the reader is there, or away. Silence withdraws offers, and leased cases."""
        now = clock.now()
        until = now + timedelta(seconds=told.seconds)
        async with core.pool.acquire() as db, db.transaction():
            known = await roster.reader(db, who.subject)
            if known is None:
                raise Problem(404, "not-found", "You are not on the roster.")
            await presence.beat(db, who.subject, until, now, there=told.status == "available")
        return Availability(status=told.status, on_shift=known.on_shift(now), expires_at=until)

    @routes.delete("/availability", status_code=204)
    async def forget(who: Who) -> None:
        """End the heartbeats: from now on the shift alone says whether the reader is there."""
        async with core.pool.acquire() as db, db.transaction():
            await presence.forget(db, who.subject)

    return routes

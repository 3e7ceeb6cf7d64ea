"""How does everything stand now? The live board, the expected times, and the accounts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel

from services.matching.domain.stages import CaseStage
from services.matching.domain.state import Matching
from services.matching.store import board, watch
from services.matching.store.watch import ACCOUNTED
from services.matching.watch import GRACE
from shared.contracts.base import PartnerId, ServiceLevel
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.http import ServerEvent, event_stream, last_event_id
from shared.runtime.service import Core

LOOK_SECONDS: Final = 2.0
SHOWN: Final = 500

Who = Annotated[Principal, Depends(require("operator"))]
After = Annotated[str | None, Depends(last_event_id)]


class Lane(BaseModel):
    """The running clocks of one partner, level and stage.

    `oldest` was accepted first, at `oldest_started_at`. `expected_late`: of the calm ones too, how
    many the queue ahead will make late; `last_expected_at`: when the last report is expected.
    """

    partner: PartnerId
    service_level: ServiceLevel
    stage: CaseStage
    in_time: int
    at_risk: int
    breached: int
    paused: int
    oldest: UUID
    oldest_started_at: AwareDatetime
    next_due_at: AwareDatetime | None
    expected_late: int
    last_expected_at: AwareDatetime | None


class LiveBoard(BaseModel):
    """Every lane that has a case."""

    at: AwareDatetime
    lanes: tuple[Lane, ...]


class Astray(BaseModel):
    """A case in no account. `fault` says what is wrong; docs/operations.md what to do."""

    case_id: UUID
    fault: str


class Accounts(BaseModel):
    """Every known case is in one account; `astray` lists those that are not, up to 500."""

    at: AwareDatetime
    running: int
    waiting: int
    ended: int
    unaccounted: int
    astray: tuple[Astray, ...]


def router(core: Core[Matching]) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["operators"])
    wall = Wall(core)
    routes.get("/board/live")(wall.live)
    routes.get("/board/stream", response_class=StreamingResponse)(wall.stream)
    routes.get("/operations/reconciliation")(wall.reconciliation)
    return routes


class Wall:
    """The routes; each method's docstring is the route's description."""

    def __init__(self, core: Core[Matching]) -> None:
        self.core = core

    async def live(self, who: Who) -> LiveBoard:  # noqa: ARG002 - authorises
        """Show every partner's levels and stages: in time, at risk, breached, paused, expected."""
        return LiveBoard(at=clock.now(), lanes=await self._lanes())

    async def stream(self, who: Who, after: After) -> StreamingResponse:  # noqa: ARG002 - authorises
        """Follow the live board: the whole of it whenever something changed."""
        return event_stream(self._boards, after)

    async def reconciliation(self, who: Who) -> Accounts:  # noqa: ARG002 - authorises
        """Prove that no case is lost: running with a clock, waiting with an owner, or ended."""
        now = clock.now()
        async with self.core.pool.acquire() as db:
            sums = await watch.sums(db, now - GRACE)
            astray = await watch.astray(db, now - GRACE, SHOWN)
            ended = await watch.ended(db)
        counted = {account: sums.pop(account, 0) for account in ACCOUNTED}
        counted["ended"] += ended
        return Accounts(
            at=now,
            **counted,
            unaccounted=sum(sums.values()),
            astray=tuple(Astray(case_id=one.case_id, fault=one.fault) for one in astray),
        )

    async def _boards(self, _last: str | None) -> AsyncIterator[ServerEvent]:
        shown: tuple[Lane, ...] | None = None
        while True:
            now, seen = clock.now(), await self._lanes()
            if seen != shown:
                shown = seen
                yield ServerEvent(now.isoformat(), "board", LiveBoard(at=now, lanes=seen))
            await asyncio.sleep(LOOK_SECONDS)

    async def _lanes(self) -> tuple[Lane, ...]:
        async with self.core.pool.acquire() as db:
            return tuple(Lane.model_validate(row) for row in await board.lanes(db))

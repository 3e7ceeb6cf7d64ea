"""What may operations order of a case? Wait, go on, be faster, be read by another; all recorded."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.matching.domain.inputs import (
    ChangeLevel,
    Ordered,
    PauseCase,
    PauseReason,
    ResumeCase,
    TakeBack,
    TakeBackReason,
)
from services.matching.domain.state import Matching, going
from services.matching.store import orders, roster
from services.matching.store.cases import standing
from shared.contracts.base import BodyRegion, CaseId, ReaderId, ServiceLevel
from shared.contracts.envelope import derived_id
from shared.contracts.matching import Party
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.http import refusal
from shared.runtime.service import Core

Who = Annotated[Principal, Depends(require("operator"))]


class Told(BaseModel):
    """An order's body: an unknown field is an error that names it."""

    model_config = ConfigDict(extra="forbid")


class Pause(Told):
    """Why the case waits, and on whom."""

    reason: PauseReason
    party: Party


class Resume(Told):
    """Which reason is gone. The case goes on when none is left."""

    reason: PauseReason


class Level(Told):
    """The level under whose terms the clock counts from its original start."""

    service_level: ServiceLevel


class Reassign(Told):
    """Why it is taken back; and who is asked instead, or the optimiser chooses.

    `region`: only the part of a split case which that is in.
    """

    reason: TakeBackReason
    reader: ReaderId | None = None
    region: BodyRegion | None = None


class Standing(BaseModel):
    """Where the case stands after the order."""

    case_id: UUID
    assignment: str
    clock: str | None
    due_at: AwareDatetime | None


class Order(BaseModel):
    """An order as it was carried out."""

    seq: int
    subject: str
    what: str
    terms: dict[str, Any]
    ordered_at: AwareDatetime


def router(core: Core[Matching]) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["operators"])
    counter = Counter(core)
    routes.post("/cases/{case_id}/pause")(counter.pause)
    routes.post("/cases/{case_id}/resume")(counter.resume)
    routes.post("/cases/{case_id}/service-level")(counter.change_level)
    routes.post("/cases/{case_id}/reassign")(counter.reassign)
    routes.get("/cases/{case_id}/orders")(counter.orders)
    return routes


class Counter:
    """The routes; each method's docstring is the route's description."""

    def __init__(self, core: Core[Matching]) -> None:
        self.core = core

    async def pause(self, case_id: UUID, why: Pause, who: Who) -> Standing:
        """Let the clock stand and ask nobody; standing offers are withdrawn."""
        case = CaseId(case_id)
        return await self._submitted(
            PauseCase(case_id=case, by=who.subject, reason=why.reason, party=why.party)
        )

    async def resume(self, case_id: UUID, why: Resume, who: Who) -> Standing:
        """Drop a reason for waiting. After the last one the clock runs, later by the pause."""
        return await self._submitted(
            ResumeCase(case_id=CaseId(case_id), by=who.subject, reason=why.reason)
        )

    async def change_level(self, case_id: UUID, level: Level, who: Who) -> Standing:
        """Give the case another level; offers whose window is too long for it are withdrawn."""
        return await self._submitted(
            ChangeLevel(case_id=CaseId(case_id), by=who.subject, service_level=level.service_level)
        )

    async def reassign(self, case_id: UUID, how: Reassign, who: Who) -> Standing:
        """Take the case from whoever has it; the named reader is asked if all rules let them."""
        now, given = clock.now(), Given()
        if how.reader is not None:
            given = await self._reader(how.reader, now)
        return await self._submitted(
            TakeBack(
                case_id=CaseId(case_id),
                by=who.subject,
                reason=how.reason,
                region=how.region,
                **given,
            )
        )

    async def orders(self, case_id: UUID, who: Who) -> tuple[Order, ...]:  # noqa: ARG002 - authorises
        """List what operators ordered of the case, in order."""
        async with self.core.pool.acquire() as db:
            rows = await orders.of_case(db, case_id)
        return tuple(Order.model_validate(row) for row in rows)

    async def _reader(self, name: ReaderId, now: datetime) -> "Given":
        async with self.core.pool.acquire() as db:
            found = await roster.candidate(db, name, now)
        if found is None:
            raise Problem(422, "invalid-request", "The roster has no such reader.", "#/reader")
        return Given(to=found.reader, load=found.load, work=found.work)

    async def _submitted(self, ordered: Ordered) -> Standing:
        verb, moment = type(ordered).__name__, clock.now().isoformat()
        input_id = derived_id(ordered.case_id, verb, ordered.by, moment)
        outcome = await self.core.runner.submit(ordered, input_id=input_id)
        if outcome.refused is not None:
            raise refusal(outcome.refused)
        ticking = going(outcome.state.clock)
        return Standing(
            case_id=ordered.case_id,
            assignment=outcome.state.assignment.kind,
            clock=standing(outcome.state.clock),
            due_at=ticking.due_at if ticking else None,
        )


class Given(dict[str, Any]):
    """The reader who is to be asked, with their load and work; empty: nobody in particular."""

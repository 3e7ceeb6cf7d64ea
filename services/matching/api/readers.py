"""What may a reader do? See what they hold, STAT first, and answer offers. Only their own."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

import orjson
from fastapi import APIRouter, Depends, Path
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.matching.domain.inputs import (
    AcceptOffer,
    DeclineOffer,
    DeclineReason,
    ReleaseAssignment,
    ReleaseReason,
)
from services.matching.domain.stages import CaseStage
from services.matching.domain.state import (
    AskedReader,
    Brief,
    Matching,
    asked_of,
    assigned_in,
    brief_of,
    everybody,
    going,
)
from services.matching.store import roster, worklist
from services.matching.store.cases import WORKLIST, standing
from services.matching.store.roster import Mine
from shared.contracts.base import CaseId, OpaqueId, ServiceLevel
from shared.contracts.envelope import derived_id
from shared.contracts.intake import ReasonForReview
from shared.contracts.matching import Explanation, Role
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.http import ServerEvent, event_stream, last_event_id, refusal
from shared.runtime.service import Core

PAGE: Final = 200
LOOK_AGAIN_SECONDS: Final = 1.0  # a lost notification costs this much
LONGEST_NUMBER: Final = 18  # digits of a bigint, safely

Who = Annotated[Principal, Depends(require("reader"))]
After = Annotated[str | None, Depends(last_event_id)]
Assignment = Annotated[OpaqueId, Path()]


class Decline(BaseModel):
    """Why not. A code: free text could name a patient."""

    model_config = ConfigDict(extra="forbid")

    reason: DeclineReason


class Release(BaseModel):
    """Why it goes back."""

    model_config = ConfigDict(extra="forbid")

    reason: ReleaseReason


class Item(BaseModel):
    """A case that the reader was offered or has. Times are RFC 3339.

    `due_at` is the case's deadline; `report_due_at` leaves time for the delivery. `clock` is
    `in_time`, `at_risk`, `breached` or `paused`.
    """

    case_id: CaseId
    assignment: OpaqueId
    standing: Literal["offered", "assigned", "reading"]
    role: Role
    service_level: ServiceLevel
    stage: CaseStage
    clock: str
    due_at: AwareDatetime
    report_due_at: AwareDatetime
    expires_at: AwareDatetime | None
    modalities: tuple[str, ...]
    body_regions: tuple[str, ...]
    subspecialty: str
    reason_for_review: ReasonForReview
    explanation: Explanation


class Worklist(BaseModel):
    """What the reader holds, STAT first, then by deadline; the stream goes on after the event."""

    offers: tuple[Item, ...]
    assignments: tuple[Item, ...]
    last_event_id: str


class Answered(BaseModel):
    """What became of the offer or assignment. `report_due_at`: when an accepted one is owed."""

    case_id: CaseId
    assignment: OpaqueId
    standing: str
    report_due_at: AwareDatetime | None

    @classmethod
    def of(cls, mine: Mine, assignment: str, state: Matching) -> Self:
        asked = asked_of(state.assignment, assignment)
        return cls(
            case_id=mine.case_id,
            assignment=assignment,
            standing=asked.standing if asked else "unknown",
            report_due_at=_owed_at(state, assignment),
        )


def router(core: Core[Matching]) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["readers"])
    desk = Desk(core)
    routes.get("/worklist")(desk.worklist)
    routes.get("/worklist/stream", response_class=StreamingResponse)(desk.stream)
    routes.post("/offers/{assignment}/accept")(desk.accept)
    routes.post("/offers/{assignment}/decline")(desk.decline)
    routes.post("/assignments/{assignment}/release")(desk.release)
    return routes


class Desk:
    """The routes; each method's docstring is the route's description."""

    def __init__(self, core: Core[Matching]) -> None:
        self.core = core

    async def worklist(self, who: Who) -> Worklist:
        """Give the offers that stand and the cases the reader has."""
        async with self.core.pool.acquire() as db:
            last = await worklist.last(db, who.subject)
            states = await worklist.held(db, who.subject)
        items = [item for state in states for item in _items(state, who.subject)]
        stat_first = sorted(items, key=lambda one: (one.service_level != "emergent", one.due_at))
        return Worklist(
            offers=tuple(one for one in stat_first if one.standing == "offered"),
            assignments=tuple(one for one in stat_first if one.standing != "offered"),
            last_event_id=str(last),
        )

    async def stream(self, who: Who, after: After) -> StreamingResponse:
        """Follow what happens to the reader's offers and cases; resumes after Last-Event-ID."""
        first = _place(after)

        async def source(_last: str | None) -> AsyncIterator[ServerEvent]:
            seen = first
            while True:
                async with self.core.pool.acquire() as db:
                    entries = await worklist.log(db, who.subject, seen, PAGE)
                for entry in entries:
                    yield ServerEvent(str(entry.seq), entry.event_type, orjson.loads(entry.event))
                    seen = entry.seq
                if not entries:
                    await self.core.wakeups.wait(WORKLIST, LOOK_AGAIN_SECONDS)

        return event_stream(source, after)

    async def accept(self, assignment: Assignment, who: Who) -> Answered:
        """Take the case. Of several who were asked the first gets it; again: the same answer."""
        mine = await self._mine(assignment, who)
        received = AcceptOffer(
            case_id=mine.case_id,
            assignment=assignment,
            reader=mine.reader,
            load=mine.load,
            work=mine.work,
        )
        return await self._submitted(mine, received)

    async def decline(self, assignment: Assignment, why: Decline, who: Who) -> Answered:
        """Refuse the offer; the case goes to the next best reader, and never back."""
        mine = await self._mine(assignment, who)
        received = DeclineOffer(
            case_id=mine.case_id, assignment=assignment, reader=who.subject, reason=why.reason
        )
        return await self._submitted(mine, received)

    async def release(self, assignment: Assignment, why: Release, who: Who) -> Answered:
        """Give an accepted case back; it goes to another reader, and never back."""
        mine = await self._mine(assignment, who)
        received = ReleaseAssignment(
            case_id=mine.case_id, assignment=assignment, reader=who.subject, reason=why.reason
        )
        return await self._submitted(mine, received)

    async def _mine(self, assignment: str, who: Principal) -> Mine:
        async with self.core.pool.acquire() as db:
            mine = await roster.mine(db, assignment, who.subject, clock.now())
        if mine is None:
            raise Problem(404, "not-found", "You have no such offer or assignment.")
        return mine

    async def _submitted(
        self, mine: Mine, received: AcceptOffer | DeclineOffer | ReleaseAssignment
    ) -> Answered:
        """Submit each attempt as one of its own: the case knows by itself what was said before."""
        verb, now = type(received).__name__, clock.now().isoformat()
        input_id = derived_id(mine.case_id, verb, received.assignment, now)
        outcome = await self.core.runner.submit(received, input_id=input_id)
        if outcome.refused is not None:
            raise refusal(outcome.refused)
        return Answered.of(mine, received.assignment, outcome.state)


def _owed_at(state: Matching, assignment: str) -> datetime | None:
    each = (one.due_at for one in assigned_in(state.assignment) if one.assignment == assignment)
    return next(each, None)


def _items(state: Matching, reader: str) -> list[Item]:
    brief = brief_of(state.assignment)
    clock_ = going(state.clock)
    if brief is None or clock_ is None:
        return []
    mine = [
        one
        for one in everybody(brief)
        if one.reader == reader and one.standing in ("offered", "assigned")
    ]
    begun = {one.assignment for one in assigned_in(state.assignment) if one.reading}
    shared: dict[str, Any] = {
        "case_id": brief.need.case_id,
        "service_level": brief.need.service_level,
        "stage": clock_.stage,
        "clock": standing(state.clock),
        "due_at": clock_.due_at,
        "report_due_at": clock_.owed_at,
        "modalities": brief.need.modalities,
        "subspecialty": brief.need.subspecialty,
        "reason_for_review": brief.need.reason_for_review,
    }
    return [
        Item(
            **shared,
            assignment=one.assignment,
            role=_role(one, brief),
            body_regions=one.regions or brief.need.body_regions,
            standing="reading" if one.assignment in begun else one.standing,
            expires_at=one.expires_at if one.standing == "offered" else None,
            explanation=one.explanation,
        )
        for one in mine
    ]


def _role(one: AskedReader, brief: Brief) -> Role:
    if one.beside:
        return "ai_reader"
    return "region_reader" if one.regions else brief.role


def _place(last: str | None) -> int:
    """Give the number of the last entry that was seen."""
    if last is None:
        return 0
    if not (last.isascii() and last.isdigit() and len(last) <= LONGEST_NUMBER):
        raise Problem(400, "rejected", "The header Last-Event-ID is none of ours: leave it out.")
    return int(last)

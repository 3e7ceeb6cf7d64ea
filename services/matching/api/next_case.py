"""A reader is free: which case do they get? The best one for the whole pool, at once."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AwareDatetime, BaseModel

from services.matching.domain.beginning import begun_first
from services.matching.domain.chosen import HeldBack
from services.matching.domain.directed import Directed
from services.matching.domain.inputs import TakeCase
from services.matching.domain.nothing import Nothing, Reason, nothing
from services.matching.domain.proposing import Facts, take
from services.matching.domain.state import Assigned, Matching, assigned_in
from services.matching.reading_room import ReadingRoom
from services.matching.store import nothing as kept
from services.matching.store import presence, roster, worklist
from shared.contracts.base import CaseId, Code, ReaderId
from shared.contracts.envelope import derived_id
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.service import Core

# Others ask too: so many cases may be gone before one is theirs.
TRIES: Final = 8
LOOK_AGAIN: Final = 30  # seconds
REASON: Final = "Overread-Reason"
NONE_NOW: Final = f"Nothing for this reader now, and why in {REASON}; ask again later."
GONE: Final = "Somebody else was faster."

Operator = Annotated[Principal, Depends(require("operator"))]
Who = Annotated[Principal, Depends(require("reader"))]


class NextCase(BaseModel):
    """The case that is theirs now, and the assignment under which the worklist shows it."""

    case_id: CaseId
    assignment: str


class NoCase(BaseModel):
    """Why a reader who asked got none: `times` for this reason since then, last `last_at`.

    `waiting` cases were looked at, of which `theirs` are for them to read and held back.
    """

    reason: Reason
    says: str
    policy: Code
    waiting: int
    theirs: int
    since: AwareDatetime
    last_at: AwareDatetime
    times: int


class NoCaseFor(NoCase):
    """The same for operations: with the cases that were held back, and for whom."""

    held_back: tuple[HeldBack, ...]


def router(core: Core[Matching], room: ReadingRoom) -> APIRouter:
    routes, desk = APIRouter(prefix="/v1", tags=["readers"]), Asking(core, room)
    routes.post(
        "/readers/me/next-case",
        response_model=NextCase,
        responses={204: {"description": NONE_NOW}},
    )(desk.next_case)
    routes.get("/readers/me/next-case")(desk.why_none)
    routes.get("/admin/readers/{reader_id}/held-back", tags=["operators"])(desk.held_back)
    return routes


class Asking:
    """The routes; each method's docstring is the route's description."""

    def __init__(self, core: Core[Matching], room: ReadingRoom) -> None:
        self.core = core
        self.room = room

    async def next_case(self, who: Who) -> NextCase | Response:
        """Ask for the next case: it is assigned at once. One that was not begun comes first.

        Who gets nothing waits: what comes soon after is offered to the best of those who do.
        """
        found = await _begun_or_next(self.core, self.room, who.subject)
        if isinstance(found, NextCase):
            return found
        async with self.core.pool.acquire() as db:
            await kept.keep(db, who.subject, found, clock.now())
        headers = {"Retry-After": str(LOOK_AGAIN), REASON: found.reason}
        return Response(status_code=204, headers=headers)

    async def why_none(self, who: Who) -> NoCase:
        """Say why this reader got no case when they last asked in vain."""
        async with self.core.pool.acquire() as db:
            found = await kept.last(db, who.subject, 1)
        if not found:
            raise Problem(404, "not-found", "You have not asked in vain.")
        return NoCase(**_told(found[0]))

    async def held_back(
        self,
        reader_id: Annotated[ReaderId, Path()],
        who: Operator,  # noqa: ARG002 - authorises
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> tuple[NoCaseFor, ...]:
        """Say why a reader who asked got no case, the newest first: a row for each reason."""
        async with self.core.pool.acquire() as db:
            found = await kept.last(db, reader_id, limit)
        return tuple(NoCaseFor(**_told(one), held_back=one.nothing.held_back) for one in found)


def _told(one: kept.Kept) -> dict[str, Any]:
    return one.nothing.model_dump(exclude={"held_back"}) | {
        "since": one.since,
        "last_at": one.last_at,
        "times": one.times,
    }


async def _begun_or_next(
    core: Core[Matching], room: ReadingRoom, subject: ReaderId
) -> NextCase | Nothing:
    now, refused = clock.now(), None
    async with core.pool.acquire() as db:
        known = await roster.candidate(db, subject, now)
        if known is None:
            raise Problem(404, "not-found", "The roster has no such reader.")
        if (unbegun := begun_first(await worklist.held(db, subject), subject)) is not None:
            return _shown(unbegun)
        await presence.ask(db, subject, now)  # before the look: what comes after it may be theirs
    # One who asks at a time, so that two do not reach for the same case; and nobody who waits
    # for their turn keeps a connection from whose turn it is.
    async with room.lock:
        async with core.pool.acquire() as db:
            directed, loads = await room.look(db, now), await roster.loads(db)
            work = await roster.work(db, directed.pool.staff.columns.counted_from(now))
        facts = Facts(room.world.version, loads, room.away, work | {subject: known.work})
        for _ in range(TRIES):
            received = _best(directed, facts, subject, now)
            if received is None:
                break
            room.forget(directed, received.case_id)
            found = await _taken(core, received, now)
            if isinstance(found, NextCase):
                async with core.pool.acquire() as db:
                    await presence.served(db, subject)
                return found
            refused = found
        return nothing(directed, directed.pool.staff.index.get(subject), now, refused)


def _best(directed: Directed, facts: Facts, subject: ReaderId, now: datetime) -> TakeCase | None:
    number = directed.pool.staff.index.get(subject)
    choice = None if number is None else directed.next_for(number, now.timestamp())
    return None if choice is None else take(directed, choice, facts, now)


async def _taken(core: Core[Matching], received: TakeCase, now: datetime) -> NextCase | str:
    """Take it, or hear why not: gone, or not theirs to read. The next best one may be."""
    subject = received.reader.id
    input_id = derived_id(received.case_id, "TakeCase", subject, now.isoformat())
    outcome = await core.runner.submit(received, input_id=input_id)
    for one in assigned_in(outcome.state.assignment):
        if one.reader == subject:
            return _shown(one)
    return outcome.refused.detail if outcome.refused is not None else GONE


def _shown(one: Assigned) -> NextCase:
    return NextCase(case_id=one.brief.need.case_id, assignment=one.assignment)

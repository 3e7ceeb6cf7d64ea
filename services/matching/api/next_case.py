"""A reader is free: which case do they get? The best one for the whole pool, at once."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from services.matching.domain.directed import Directed
from services.matching.domain.inputs import TakeCase
from services.matching.domain.proposing import Facts, take
from services.matching.domain.state import Matching, assigned_in
from services.matching.reading_room import ReadingRoom
from services.matching.store import roster, worklist
from shared.contracts.base import CaseId, ReaderId
from shared.contracts.envelope import derived_id
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.service import Core

# Others ask too: so many cases may be gone before one is theirs.
TRIES: Final = 8
LOOK_AGAIN: Final = 30  # seconds

Who = Annotated[Principal, Depends(require("reader"))]


class NextCase(BaseModel):
    """The case that is theirs now, and the assignment under which the worklist shows it."""

    case_id: CaseId
    assignment: str


def router(core: Core[Matching], room: ReadingRoom) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["readers"])

    @routes.post(
        "/readers/me/next-case",
        response_model=NextCase,
        responses={204: {"description": "Nothing for this reader now; ask again later."}},
    )
    async def next_case(who: Who) -> NextCase | Response:
        """Ask for the next case: it is assigned at once. One that was not begun comes first."""
        found = await _begun_or_next(core, room, who.subject)
        if found is not None:
            return found
        return Response(status_code=204, headers={"Retry-After": str(LOOK_AGAIN)})

    return routes


async def _begun_or_next(
    core: Core[Matching], room: ReadingRoom, subject: ReaderId
) -> NextCase | None:
    now = clock.now()
    async with core.pool.acquire() as db:
        known = await roster.candidate(db, subject, now)
        if known is None:
            raise Problem(404, "not-found", "The roster has no such reader.")
        if (unbegun := _unbegun(await worklist.held(db, subject), subject)) is not None:
            return unbegun
    # One who asks at a time, so that two do not reach for the same case; and nobody who waits
    # for their turn keeps a connection from whose turn it is.
    async with room.lock:
        async with core.pool.acquire() as db:
            directed, loads = await room.look(db, now), await roster.loads(db)
            work = await roster.work(db, room.world.readers.values(), now)
        facts = Facts(room.world.version, loads, room.away, work | {subject: known.work})
        for _ in range(TRIES):
            received = _best(directed, facts, subject, now)
            if received is None:
                return None
            room.forget(directed, received.case_id)
            if (found := await _taken(core, received, now)) is not None:
                return found
    return None


def _best(directed: Directed, facts: Facts, subject: ReaderId, now: datetime) -> TakeCase | None:
    number = directed.pool.staff.index.get(subject)
    choice = None if number is None else directed.next_for(number, now.timestamp())
    return None if choice is None else take(directed, choice, facts, now)


async def _taken(core: Core[Matching], received: TakeCase, now: datetime) -> NextCase | None:
    subject = received.reader.id
    input_id = derived_id(received.case_id, "TakeCase", subject, now.isoformat())
    outcome = await core.runner.submit(received, input_id=input_id)
    for one in assigned_in(outcome.state.assignment):
        if one.reader == subject:
            return NextCase(case_id=received.case_id, assignment=one.assignment)
    return None  # gone, or not theirs to read: the next best one


def _unbegun(held: list[Matching], subject: ReaderId) -> NextCase | None:
    for one in (one for state in held for one in assigned_in(state.assignment)):
        if one.reader == subject and not one.reading:
            return NextCase(case_id=one.brief.need.case_id, assignment=one.assignment)
    return None

"""A reader is free: which case do they get? The best one for the whole pool, at once."""

from datetime import datetime
from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from services.matching.domain.directed import Choice, Directed
from services.matching.domain.eligibility import Candidate
from services.matching.domain.hours import intervals
from services.matching.domain.inputs import TakeCase
from services.matching.domain.plan import Waiting
from services.matching.domain.policy import DIRECTED
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.reader import Reader
from services.matching.domain.rota import Rota
from services.matching.domain.staff import Staff
from services.matching.domain.state import Assigned, Matching, Offered, brief_of, going
from services.matching.store import presence, roster, worklist
from services.matching.store.world import World
from shared.contracts.base import CaseId, ReaderId
from shared.contracts.envelope import derived_id
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.postgres import Db
from shared.runtime.service import Core

# Others ask too: so many cases may be gone before one is theirs.
TRIES: Final = 8
LOOK_AGAIN: Final = 30  # seconds
# The rota looks this far ahead for a right subspecialist who will come.
AHEAD_DAYS: Final = 5

Who = Annotated[Principal, Depends(require("reader"))]


class NextCase(BaseModel):
    """The case that is theirs now, and the assignment under which the worklist shows it."""

    case_id: CaseId
    assignment: str


def router(core: Core[Matching]) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["readers"])

    @routes.post(
        "/readers/me/next-case",
        response_model=NextCase,
        responses={204: {"description": "Nothing for this reader now; ask again later."}},
    )
    async def next_case(who: Who) -> NextCase | Response:
        """Ask for the next case: it is assigned at once. One that was not begun comes first."""
        found = await _begun_or_next(core, who.subject)
        if found is not None:
            return found
        return Response(status_code=204, headers={"Retry-After": str(LOOK_AGAIN)})

    return routes


async def _begun_or_next(core: Core[Matching], subject: ReaderId) -> NextCase | None:
    now = clock.now()
    async with core.pool.acquire() as db:
        candidate = await roster.candidate(db, subject, now)
        if candidate is None:
            raise Problem(404, "not-found", "The roster has no such reader.")
        held = await worklist.held(db, subject)
        if (unbegun := _unbegun(held)) is not None:
            return unbegun
        directed = await _directed(db, held, now)
    for _ in range(TRIES):
        choice = directed.next_for(directed.pool.staff.index[subject], now.timestamp())
        if choice is None:
            return None
        received = _take(directed, choice, candidate)
        input_id = derived_id(received.case_id, "TakeCase", subject, now.isoformat())
        outcome = await core.runner.submit(received, input_id=input_id)
        where = outcome.state.assignment
        if isinstance(where, Assigned) and where.reader == subject:
            return NextCase(case_id=received.case_id, assignment=where.assignment)
        directed.pool.drop(received.case_id)  # gone, or not theirs to read: the next best one
    return None


def _unbegun(held: list[Matching]) -> NextCase | None:
    for state in held:
        where = state.assignment
        if isinstance(where, Assigned) and not where.reading:
            case_id = CaseId(where.brief.need.case_id)
            return NextCase(case_id=case_id, assignment=where.assignment)
    return None


def _take(directed: Directed, choice: Choice, candidate: Candidate) -> TakeCase:
    return TakeCase(
        case_id=directed.pool.entry(choice.row).need.case_id,
        reader=candidate.reader,
        load=candidate.load,
        work=candidate.work,
        explanation=directed.explain(choice),
        broad=choice.broad,
    )


async def _directed(db: Db, held: list[Matching], now: datetime) -> Directed:
    """Lay out what waits, and this reader's own offers, over the roster as it stands."""
    world = World()
    readers, _ = await world.roster(db)
    rota = Rota.of([intervals(one, now, _ahead(now)) for one in readers.values()])
    pool = Pool(Staff(readers), rota, DIRECTED)
    entries = [_entry(one) for one in await world.waiting(db)]
    entries += [entry for state in held if (entry := _offered(state))]
    for entry in entries:
        pool.add(entry, now.timestamp())
    directed = Directed(pool)
    away = await presence.away(db, now)
    loads = await roster.loads(db)
    for n, reader in enumerate(readers.values()):
        directed.present[n] = reader.on_shift(now) and reader.id not in away
        directed.free_at[n] = now.timestamp() + _until_free(reader, loads)
    gone = [one in away for one in readers]
    directed.free_at[gone] = np.inf
    return directed


def _until_free(reader: Reader, loads: dict[ReaderId, int]) -> float:
    """Forecast, in seconds, how long what a reader holds will take."""
    return loads.get(reader.id, 0) * DIRECTED.reading_of("routine").total_seconds()


def _ahead(now: datetime) -> datetime:
    return datetime.fromtimestamp(now.timestamp() + AHEAD_DAYS * 86400, now.tzinfo)


def _entry(one: Waiting) -> Entry:
    return Entry(one.need, one.due_at.timestamp(), one.refused, one.earlier)


def _offered(state: Matching) -> Entry | None:
    brief, running = brief_of(state.assignment), going(state.clock)
    if not isinstance(state.assignment, Offered) or brief is None or running is None:
        return None
    return Entry(brief.need, running.due_at.timestamp(), brief.refused, brief.earlier)

"""What can an operations team see and repair in any service? Parked events, stuck jobs, figures."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from shared.runtime import clock, jobs, outbox, parking, replay, timers
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem, is_weather
from shared.runtime.postgres import Db, Pool
from shared.runtime.telemetry import metrics

MEASURE_SECONDS = 5.0
ANSWER_SECONDS = 2.0
PAGE = 100
Operator = Annotated[Principal, Depends(require("operator"))]


class Reason(BaseModel):
    """Why a parked message is given up; it is kept with who said so."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=200)


async def answers(pool: Pool) -> bool:
    """Tell whether the database answers now."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), pool.acquire() as db:
            await db.fetchval("SELECT 1")
    except Exception as error:
        if not is_weather(error):
            raise
        return False
    return True


def router(live: Any) -> APIRouter:
    """Give the operator's routes of one service; `live` is its `service.Running`."""
    operations = APIRouter(prefix="/v1/operations", tags=["operations"])
    operations.include_router(_parked_routes(live))
    operations.include_router(_job_routes(live))
    return operations


def _parked_routes(live: Any) -> APIRouter:
    operations = APIRouter()
    pool: Pool = live.core.pool
    runner = live.core.runner.runner
    wanted = live.service.wanted

    @operations.get("/parked")
    async def parked(_: Operator, after: int = 0) -> dict[str, Any]:
        """List parked events, oldest first; `next` asks for the following page."""
        async with pool.acquire() as db:
            rows = await parking.listed(db, after=after, limit=PAGE)
        return {"parked": rows, "next": rows[-1]["id"] if len(rows) == PAGE else None}

    @operations.post("/parked/{parked_id}/replay")
    async def replay_parked(parked_id: int, who: Operator) -> dict[str, Any]:
        """Replay the whole queue of the event's case, in order, until one fails again."""
        done = await replay.replay(runner, wanted, parked_id, by=who.subject, now=clock.now())
        if not done:
            raise _nothing_parked()
        return _told(done)

    @operations.post("/parked/{parked_id}/discard")
    async def discard_parked(parked_id: int, why: Reason, who: Operator) -> dict[str, Any]:
        """Give an event up, with a reason; what waited behind it is replayed."""
        done = await replay.discard(
            runner, wanted, parked_id, by=who.subject, reason=why.reason, now=clock.now()
        )
        if done is None:
            raise _nothing_parked()
        return _told(done)

    return operations


def _job_routes(live: Any) -> APIRouter:
    operations = APIRouter()
    pool: Pool = live.core.pool

    @operations.get("/jobs")
    async def stuck_jobs(_: Operator) -> dict[str, Any]:
        """List jobs that failed too often to be tried again unseen."""
        async with pool.acquire() as db:
            rows = await db.fetch(jobs.STUCK, PAGE)
        return {"stuck": [dict(row) for row in rows]}

    @operations.post("/jobs/{job_id}/retry")
    async def retry_job(job_id: UUID, _: Operator) -> dict[str, Any]:
        """Let a stuck job be tried again."""
        async with pool.acquire() as db:
            found = await db.fetchval(jobs.UNSTICK, job_id, clock.now())
        if found is None:
            raise Problem(404, "not-found", "No stuck job has this id.")
        live.core.wakeups.wake(f"{live.service.name}_jobs")
        return {"retried": str(found)}

    return operations


def _nothing_parked() -> Problem:
    return Problem(404, "not-found", "Nothing is parked under this id.")


def _told(done: list[replay.Replayed]) -> dict[str, Any]:
    return {
        "replayed": [one.parked_id for one in done if one.done],
        "parked_again": [{"id": one.parked_id, "cause": one.cause} for one in done if not one.done],
    }


async def measure_for_ever(live: Any) -> None:
    """Keep the gauges true that no step of the runner sets."""
    while True:
        async with live.core.pool.acquire() as db:
            await _measure(db)
        await asyncio.sleep(MEASURE_SECONDS)


async def _measure(db: Db) -> None:
    now = clock.now()
    [waiting] = await db.fetch(outbox.DEPTH)
    metrics.OUTBOX_DEPTH.set(waiting["depth"])
    metrics.OUTBOX_OLDEST.set(_seconds(now, waiting["oldest"]))
    metrics.TIMERS_LAG.set(_seconds(now, await db.fetchval(timers.OLDEST_DUE, now)))
    metrics.TIMERS.set(await db.fetchval(timers.COUNT))
    held = await parking.counted(db)
    metrics.PARKED_NOW.set(held.guilty + held.behind)
    [work] = await db.fetch(jobs.WAITING)
    metrics.JOBS_WAITING.set(work["all"] - work["stuck"])
    metrics.JOBS_STUCK.set(work["stuck"])


def _seconds(now: datetime, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())

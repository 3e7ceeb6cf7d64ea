"""Who sees to it that open cases are offered? One replica at a time, as soon as something stirs.

The loop does the I/O around the pure plan: it reads who waits and who is free, and submits what
the plan proposes to the cases' decider like anybody else, which asks all rules again. A leader
that lost its lock without knowing can therefore do no harm: its proposals are refused.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from prometheus_client import Gauge, Histogram

from services.matching.domain.inputs import NobodyFits, OfferCase
from services.matching.domain.plan import Proposal, Round, recalls
from services.matching.domain.state import Matching
from services.matching.store import board, roster, worklist
from services.matching.store.cases import ROUND
from services.matching.store.world import World, lead
from shared.contracts.envelope import derived_id
from shared.runtime import clock
from shared.runtime.postgres import Db
from shared.runtime.service import Core

# Shifts begin and licences end without an event; a look at all of it is this far apart at most.
THOROUGH_SECONDS = 5.0
CANDIDATE_SECONDS = 1.0
SUBMITTED_TOGETHER = 200
LOG_LASTS = timedelta(days=14)

ROUND_SECONDS = Histogram(
    "overread_matching_round_seconds",
    "Time of one round of the optimiser, its submissions included",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
WAITING = Gauge("overread_matching_waiting_cases", "Cases that want a reader asked")
FREE = Gauge("overread_matching_free_readers", "Readers on shift with room for a case")
CLOCKS = Gauge("overread_case_clocks", "Running clocks", ["stage", "standing"])
REMAINING = Gauge(
    "overread_case_sla_remaining_seconds",
    "Time to the next deadline; below zero when it is over",
    ["stage", "standing"],
)


@dataclass(frozen=True, slots=True)
class Optimiser:
    """Plans offers for ever, whenever it leads."""

    core: Core[Matching]

    async def run(self) -> None:
        while True:
            async with self.core.pool.acquire() as db:
                if await lead(db):
                    try:
                        await self._lead(db)
                    finally:
                        _silence()
            await asyncio.sleep(CANDIDATE_SECONDS)

    async def _lead(self, db: Db) -> None:
        """Work with the connection that holds the lock: without it nothing can be read."""
        world, thorough_at = World(), -math.inf
        while True:
            began = clock.ticks()
            thorough = began - thorough_at >= THOROUGH_SECONDS
            await self._round(db, world, thorough=thorough)
            ROUND_SECONDS.observe(clock.ticks() - began)
            if thorough:
                thorough_at = began
                await self._look_around(db)
            await self.core.wakeups.wait(ROUND, THOROUGH_SECONDS)

    async def _round(self, db: Db, world: World, *, thorough: bool) -> None:
        now = clock.now()
        readers, changed = await world.roster(db)
        waiting = await world.waiting(db)
        proposals: list[Proposal] = []
        if thorough or changed:
            proposals += recalls(await world.held(db), readers, now)
            world.forget()
        this = Round(readers, await roster.loads(db), now, thorough or changed)
        proposals += this.plan(waiting)
        WAITING.set(len(waiting))
        FREE.set(len(this.free))
        for some in _chunks(proposals):
            await asyncio.gather(*(self._submit(one, now) for one in some))

    async def _submit(self, proposal: Proposal, now: datetime) -> None:
        input_id = derived_id(proposal.case_id, *_identity(proposal), now.isoformat())
        await self.core.runner.submit(proposal, input_id=input_id)

    async def _look_around(self, db: Db) -> None:
        """Refresh the figures, and drop what no stream asks for any more."""
        now = clock.now()
        await worklist.prune(db, now - LOG_LASTS)
        for group in await board.summary(db):
            CLOCKS.labels(group.stage, group.standing).set(group.cases)
            if group.next_due_at is None:
                remaining = math.nan
            else:
                remaining = (group.next_due_at - now).total_seconds()
            REMAINING.labels(group.stage, group.standing).set(remaining)


def _silence() -> None:
    """Leave the figures to the next leader: two replicas' would add up."""
    for gauge in (CLOCKS, REMAINING):
        gauge.clear()
    WAITING.set(0)
    FREE.set(0)


def _identity(proposal: Proposal) -> tuple[str, ...]:
    match proposal:
        case NobodyFits():
            return ("nobody",)
        case OfferCase():
            return ("offer", proposal.reader.id)
        case _:
            return ("offline", proposal.reader)


def _chunks(proposals: Sequence[Proposal]) -> Iterator[list[Proposal]]:
    """Few enough at once that each is answered before its submitter loses patience."""
    rest = iter(proposals)
    while some := list(islice(rest, SUBMITTED_TOGETHER)):
        yield some

"""Who sees to it that open cases are offered? One replica at a time, as soon as something stirs.

The loop does the I/O around the pure plan: it reads who waits and who is free, and submits what
the plan proposes to the cases' decider like anybody else, which asks all rules again. A leader
that lost its lock without knowing can therefore do no harm: its proposals are refused.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar, get_args
from uuid import UUID

from prometheus_client import Gauge, Histogram

from services.matching.domain.beside import wanted
from services.matching.domain.directed import Directed
from services.matching.domain.inputs import (
    NobodyFits,
    OfferCase,
    OutdoOffer,
    ReadBeside,
    SplitCase,
)
from services.matching.domain.plan import Proposal, Round
from services.matching.domain.policy import Policy
from services.matching.domain.proposing import Facts, disturb, hand
from services.matching.domain.recall import desks, recalls
from services.matching.domain.rivals import outdo
from services.matching.domain.splitting import splits
from services.matching.domain.state import Matching
from services.matching.domain.waiting import Waiting
from services.matching.reading_room import InForce, ReadingRoom
from services.matching.store import board, presence, roster, worklist
from services.matching.store.cases import ROUND
from services.matching.store.world import World, lead
from shared.contracts.base import ReaderId, ServiceLevel
from shared.contracts.envelope import derived_id
from shared.runtime import clock
from shared.runtime.postgres import Db, session
from shared.runtime.service import Core

# Shifts begin and licences end without an event; a look at all of it is this far apart at most.
THOROUGH_SECONDS = 5.0
CANDIDATE_SECONDS = 1.0
# Rounds begin this far apart at least: the first event is answered at once, a burst together.
GATHER_SECONDS = 0.02
TOGETHER = 200
Item = TypeVar("Item")
LOG_LASTS = timedelta(days=14)
LEVELS = get_args(ServiceLevel)

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
    """Plans offers for ever, whenever it leads: in rounds, and where time is short."""

    core: Core[Matching]
    rules: InForce

    async def run(self) -> None:
        async with session(self.core.pool) as db:
            while not await lead(db):  # noqa: ASYNC110 - a lock tells nobody that it is free
                await asyncio.sleep(CANDIDATE_SECONDS)
            try:
                await self._lead(db)
            finally:
                _silence()

    async def _lead(self, db: Db) -> None:
        """Work with the connection that holds the lock: without it nothing can be read."""
        rounds, thorough_at = Rounds(db, ReadingRoom(self.rules)), -math.inf
        while True:
            began = clock.ticks()
            await self._round(rounds, thorough=False)  # what stirred waits for nothing else
            if began - thorough_at >= THOROUGH_SECONDS:
                thorough_at = began
                await self._round(rounds, thorough=True)
                await self._look_around(db)
            if rounds.unsure:
                await self._recall(rounds)
            await asyncio.sleep(max(0.0, GATHER_SECONDS - (clock.ticks() - began)))
            await self.core.wakeups.wait(ROUND, THOROUGH_SECONDS)

    async def _round(self, rounds: "Rounds", *, thorough: bool) -> None:
        began = clock.ticks()
        await self._submit(await rounds.next(clock.now(), thorough=thorough))
        ROUND_SECONDS.observe(clock.ticks() - began)

    async def _recall(self, rounds: "Rounds") -> None:
        """Look over all that is held, some at a time: what stirs meanwhile waits for no more."""
        async for proposals in rounds.recalled(clock.now()):
            await self._submit(proposals)
            if self.core.wakeups.woken(ROUND):
                await self.core.wakeups.wait(ROUND, 0)
                await self._round(rounds, thorough=False)

    async def _submit(self, proposals: Sequence[Proposal]) -> None:
        now = clock.now()
        for some in _chunks(proposals):
            await asyncio.gather(
                *(self.core.runner.submit(one, input_id=_input_id(one, now)) for one in some)
            )

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


@dataclass(slots=True)
class Rounds:
    """The rounds of one leader, each over no more than what may have changed.

    `unsure`: who holds cases may hold some of them no longer, see `recalled`.
    """

    db: Db
    room: ReadingRoom
    world: World = field(default_factory=World)
    free: set[ReaderId] = field(default_factory=set)
    policy: Policy | None = None
    unsure: bool = False
    _directed: Directed | None = None

    async def next(self, now: datetime, *, thorough: bool) -> list[Proposal]:
        """Plan over all that wait if somebody became free, or the roster or the policy changed.

        Otherwise over what stirred: for the others nobody was free last time either.
        """
        readers, changed = await self.world.roster(self.db)
        changed |= self._amended()
        away = await presence.away(self.db, now)
        this = Round(
            readers,
            await roster.loads(self.db),
            now,
            thorough or changed,
            work=await roster.work(self.db, self.world.staff.columns.counted_from(now)),
            away=away.keys(),
            version=self.world.version,
            staff=self.world.staff,
            tracks=await self.world.tracks(self.db, now, changed=changed),
        )
        self.unsure |= thorough or changed
        came = this.free if changed else this.free - self.free
        if thorough or changed or came:
            waiting = await self.world.waiting(self.db)
            WAITING.set(len(waiting))
            self.world.forget()
        else:
            waiting = await self.world.stirred(self.db)
        proposals: list[Proposal] = [*splits(waiting, self.world.staff, now)]
        proposals += this.plan(await self._pushed(waiting, now))
        if self._directs:
            facts = Facts(self.world.version, this.loads, away.keys(), this.work)
            proposals += self._urgent(facts, now)
        proposals += await self._outdone(this, came)
        proposals += wanted(waiting, readers, this.loads)
        self.free = this.free
        FREE.set(len(this.free))
        return proposals

    async def recalled(self, now: datetime) -> AsyncIterator[list[Proposal]]:
        """Give what its reader may hold no longer, of some of all that is held at a time.

        The roster is the one of the last round: the next one must find out that it changed.
        """
        self.unsure = False
        away, alive = await presence.away(self.db, now), await presence.alive(self.db, now)
        every, author = await self.world.held(self.db), self.world.staff.columns.author
        others = desks(every, self.room.rules.policy, alive, author)
        for some in _chunks(every):
            yield list(recalls(some, self.world.readers, now, away, others))
            await asyncio.sleep(0)  # others of this process go on in between

    def _amended(self) -> bool:
        """Tell whether another policy came into force since the last round."""
        old, self.policy = self.policy, self.room.rules.policy
        return old is not None and old is not self.policy

    @property
    def _directs(self) -> bool:
        return not set(LEVELS) <= self.room.rules.policy.push

    async def _pushed(self, waiting: list[Waiting], now: datetime) -> list[Waiting]:
        """Give those that are offered in rounds, and those for which nobody will come."""
        if not self._directs:
            return waiting
        async with self.room.lock:
            self._directed = await self.room.look(self.db, now)
            alone = self.room.deserted(self._directed, now)
        push = self.room.rules.policy.push
        return [one for one in waiting if one.need.service_level in push or one.need.slot in alone]

    async def _outdone(self, this: Round, came: AbstractSet[ReaderId]) -> list[Proposal]:
        """Offer pushed cases to who came and fits clearly better than who does not answer."""
        policy = self.room.rules.policy
        if not came or not policy.better.at_most or not policy.push:
            return []
        pushed = [
            one
            for one in await self.world.silent(self.db)
            if one.case.need.service_level in policy.push
        ]
        return list(outdo(this.later, pushed, came, policy.better))

    def _urgent(self, facts: Facts, now: datetime) -> Iterator[Proposal]:
        directed = self._directed
        if directed is not None:
            for entry, urge in self.room.urges(directed, now):
                make = hand if urge.waited else disturb
                yield make(directed, entry, urge, facts, now)


def _silence() -> None:
    """Leave the figures to the next leader: two replicas' would add up."""
    for gauge in (CLOCKS, REMAINING):
        gauge.clear()
    WAITING.set(0)
    FREE.set(0)


def _input_id(proposal: Proposal, now: datetime) -> UUID:
    return derived_id(proposal.case_id, *_identity(proposal), now.isoformat())


def _identity(proposal: Proposal) -> tuple[str, ...]:
    match proposal:
        case NobodyFits():
            return ("nobody", str(proposal.part))
        case SplitCase():
            return ("split",)
        case OutdoOffer():
            return ("outdo", proposal.reader.id, str(proposal.part))
        case OfferCase():
            return ("offer", proposal.reader.id, str(proposal.part))
        case ReadBeside():
            return ("beside", proposal.reader.id)
        case _:
            return ("offline", proposal.reader)


def _chunks(each: Iterable[Item]) -> Iterator[list[Item]]:
    """Few enough at once that each is answered before its submitter loses patience."""
    rest = iter(each)
    while some := list(islice(rest, TOGETHER)):
        yield some

"""Who gets the next case, and who is disturbed for one? One replica's picture of the reading room.

It is kept between questions, and only what changed is read again. It decides nothing for good:
what comes of it is submitted to the case's decider, which asks every rule again.
"""

import asyncio
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.matching.domain import handing
from services.matching.domain.directed import Directed
from services.matching.domain.duties import Duties, seat
from services.matching.domain.policy import Policy
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.sheet import NOTHING, Opening, Sheet, asked
from services.matching.domain.staff import Mask, Staff
from services.matching.domain.urging import Crew, Urge, nobody, urged
from services.matching.store import presence, sheets
from services.matching.store.world import World
from shared.contracts.base import CaseId, ReaderId
from shared.runtime.postgres import Db

# The shifts are laid out so far ahead, and anew after an hour.
AHEAD: Final = timedelta(days=5)
ANEW: Final = timedelta(hours=1)


@dataclass(slots=True)
class InForce:
    """The policy in force; another takes its place when its file changes."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class Layout:
    """The pool as it was laid out for a roster, a policy and an hour."""

    directed: Directed
    duties: Duties
    at: datetime


@dataclass(slots=True)
class ReadingRoom:
    """What waits and who is there, under the policy in force.

    `lock` is held from the look to the answer; `away` are those who said so, or fell silent;
    `asking` those who asked for a case in vain and wait. `_came`: what began to wait since the look
    before.
    """

    rules: InForce
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    world: World = field(default_factory=World)
    crew: Crew = field(default_factory=nobody)
    away: AbstractSet[ReaderId] = frozenset()
    asking: AbstractSet[ReaderId] = frozenset()
    _layout: Layout | None = None
    _known: dict[UUID, tuple[int, Sheet]] = field(default_factory=dict)
    _came: list[CaseId] = field(default_factory=list)

    async def look(self, db: Db, now: datetime) -> Directed:
        """Take note of what changed since the last look."""
        layout, fresh = await self._laid_out(db, now)
        found = await sheets.revisions(db)
        for case_id in self._known.keys() - found.keys():
            self.forget(layout.directed, CaseId(case_id))
        stale = [one for one, number in found.items() if self._known.get(one, (-1,))[0] != number]
        changed = await sheets.sheets(db, stale)
        for case_id in changed:
            self.forget(layout.directed, CaseId(case_id))
        self._known |= {one: (found[one], sheet) for one, sheet in changed.items()}
        held = [each for _, one in self._known.values() for each in one.holdings]
        self.away = (await presence.away(db, now)).keys()
        layout.directed.learn(await self.world.tracks(db, now, changed=fresh))
        self.crew = seat(layout.directed, layout.duties, held, self.away, now.timestamp())
        self.asking = await presence.asking(db, now - self.rules.policy.waits)
        for case_id in self._known if fresh else changed:
            for row in self._place(layout.directed, case_id, now):
                if not fresh:
                    layout.directed.hold(row, now.timestamp())
        if fresh:
            layout.directed.forecast(now.timestamp())
        self._came = [o.entry.need.slot for one in changed.values() for o in one.openings]
        return layout.directed

    async def _laid_out(self, db: Db, now: datetime) -> tuple[Layout, bool]:
        """Give the layout, and whether it is a new one."""
        readers, changed = await self.world.roster(db)
        old, policy = self._layout, self.rules.policy
        if old and not changed and now - old.at < ANEW and old.directed.pool.policy is policy:
            return old, False
        each = tuple(readers.values())
        duties = await asyncio.to_thread(Duties.of, each, now, now + AHEAD)
        pool = Pool(Staff(dict(readers)), duties.shifts, policy)
        directed = Directed(pool)
        if old is not None:
            directed.demand = old.directed.demand.moved(pool.staff, now.timestamp())
        self._layout = Layout(directed, duties, now)
        return self._layout, True

    def _place(self, directed: Directed, case_id: UUID, now: datetime) -> list[int]:
        """Lay a case into the pool; one that is kept for somebody is theirs alone."""
        _, known = self._known[case_id]
        rows = []
        for one in known.openings:
            row = directed.add(one.entry, now.timestamp())
            rows.append(row)
            theirs = self._theirs(directed, row, one)
            if theirs is not None:
                directed.pool.right[row] &= theirs
                directed.pool.able[row] &= theirs
        return rows

    def _theirs(self, directed: Directed, row: int, one: Opening) -> Mask | None:
        """Tell whose a case is: who was offered a pushed one, or waited for this; None: anybody's.

        What was handed to somebody bears the policy's name; others were asked by how well they fit.
        """
        if self.pushes(one.entry):
            return directed.pool.asked[row] if one.offers else None
        name = self.rules.policy.name
        handed = [out.reader for out in one.offers if out.policy == name]
        return directed.pool.staff.mask(handed) if handed else None

    def forget(self, directed: Directed, case_id: CaseId) -> None:
        """Leave a case out until it is read again: it was given away, or refused to somebody."""
        _, known = self._known.pop(UUID(str(case_id)), (0, NOTHING))
        for one in known.openings:
            directed.pool.drop(one.entry.need.slot)

    def pushes(self, entry: Entry) -> bool:
        return entry.need.service_level in self.rules.policy.push

    def urges(self, directed: Directed, now: datetime) -> Iterator[tuple[Entry, Urge]]:
        """Give who gets what came of those who wait, and whom to ask where time runs out.

        Nobody is asked for a case twice.
        """
        at, pool, idle = now.timestamp(), directed.pool, self._idle(directed)
        directed.stir(at)
        for row in self._stirring(directed, idle, at):
            entry = pool.entry(row)
            if self.pushes(entry):
                continue
            handed = handing.best(directed, row, idle, at) if idle.any() else None
            if handed is not None:
                idle[handed.choice.reader] = False
                pool.asked[row, handed.choice.reader] = True
                yield entry, handed
                continue
            _, known = self._known.get(UUID(str(entry.need.case_id)), (0, NOTHING))
            offers = (o for one in known.openings if one.entry is entry for o in one.offers)
            out = asked(offers, pool.staff.index)
            for one in list(urged(directed, row, out, self.crew, at)):
                pool.asked[row, one.choice.reader] = True
                yield entry, one

    def _idle(self, directed: Directed) -> Mask:
        each = [one for _, one in self._known.values()] if self.asking else []
        busy = {held.reader for one in each for held in one.holdings}
        busy |= {out.reader for one in each for opening in one.openings for out in opening.offers}
        return handing.idle(directed, self.asking, busy)

    def _stirring(self, directed: Directed, idle: Mask, at: float) -> list[int]:
        """Give the cases to look at, the most urgent first; what came is, if anybody waits."""
        rows = directed.stirring(idle, at)
        if not idle.any():
            return rows
        pool = directed.pool
        came = {pool.rows[slot] for slot in self._came if slot in pool.rows}
        return sorted({*rows, *came}, key=lambda row: (float(pool.latest[row]), row))

    def deserted(self, directed: Directed, now: datetime) -> set[CaseId]:
        """Give the cases, or their parts, for which nobody will come who may read them."""
        return set(directed.pool.slots(directed.deserted(now.timestamp())))

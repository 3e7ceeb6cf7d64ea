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

from services.matching.domain.directed import Directed
from services.matching.domain.duties import Duties, seat
from services.matching.domain.policy import Policy
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.sheet import NOTHING, Sheet, asked
from services.matching.domain.staff import Staff
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

    `lock` is held from the look to the answer; `away` are those who said so, or fell silent.
    """

    rules: InForce
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    world: World = field(default_factory=World)
    crew: Crew = field(default_factory=nobody)
    away: AbstractSet[ReaderId] = frozenset()
    _layout: Layout | None = None
    _known: dict[UUID, tuple[int, Sheet]] = field(default_factory=dict)

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
        for case_id in self._known if fresh else changed:
            for row in self._place(layout.directed, case_id, now):
                if not fresh:
                    layout.directed.hold(row, now.timestamp())
        if fresh:
            layout.directed.forecast(now.timestamp())
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
        """Lay a case into the pool; a pushed one is only theirs to whom it was offered."""
        _, known = self._known[case_id]
        rows = []
        for one in known.openings:
            row = directed.add(one.entry, now.timestamp())
            rows.append(row)
            if one.offers and self.pushes(one.entry):
                theirs = directed.pool.asked[row]
                directed.pool.right[row] &= theirs
                directed.pool.able[row] &= theirs
        return rows

    def forget(self, directed: Directed, case_id: CaseId) -> None:
        """Leave a case out until it is read again: it was given away, or refused to somebody."""
        _, known = self._known.pop(UUID(str(case_id)), (0, NOTHING))
        for one in known.openings:
            directed.pool.drop(one.entry.need.slot)

    def pushes(self, entry: Entry) -> bool:
        return entry.need.service_level in self.rules.policy.push

    def urges(self, directed: Directed, now: datetime) -> Iterator[tuple[Entry, Urge]]:
        """Give whom to ask for the cases that run out of time; nobody is asked for one twice."""
        at, pool = now.timestamp(), directed.pool
        directed.stir(at)
        for row in directed.stirring(directed.present & False, at):
            entry = pool.entry(row)
            if self.pushes(entry):
                continue
            _, known = self._known.get(UUID(str(entry.need.case_id)), (0, NOTHING))
            offers = (o for one in known.openings if one.entry is entry for o in one.offers)
            out = asked(offers, pool.staff.index)
            for one in list(urged(directed, row, out, self.crew, at)):
                pool.asked[row, one.choice.reader] = True
                yield entry, one

    def deserted(self, directed: Directed, now: datetime) -> set[CaseId]:
        """Give the cases, or their parts, for which nobody will come who may read them."""
        return set(directed.pool.slots(directed.deserted(now.timestamp())))

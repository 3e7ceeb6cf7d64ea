"""A reader is free: which case is the best one for the whole pool? Or which reader for a case?

A reader gets the case whose reading must begin soonest, among those of their own subspecialties
and those that no right subspecialist is forecast to reach in time. Everything else is held back
for a right subspecialist who will come. Times are seconds since 1970.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from services.matching.domain.columns import Rows
from services.matching.domain.liking import Likings
from services.matching.domain.need import GENERAL
from services.matching.domain.pace import Paces
from services.matching.domain.policy import Policy
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.readiness import Demand
from services.matching.domain.rota import NEVER, Seconds, instant
from services.matching.domain.staff import Mask
from services.matching.domain.track import Track
from shared.contracts.base import ReaderId
from shared.contracts.matching import Explanation, Ineligible, ScoreTerm

FORECAST_MOST: Final = 600


def urgency(latest: Seconds, last: Seconds, owed: Seconds, now: float, policy: Policy) -> Seconds:
    """Say how soon each must be begun, in [0, 1]; what is too late steps back, for a while.

    Until `last` a case that should have been begun by `latest` may still be saved by a reading
    that is quicker than most: nothing is more urgent.
    """
    slack = np.where(now <= last, np.maximum(latest - now, 0), latest - now)
    half = policy.urgent_within.total_seconds()
    late = np.clip((now - owed) / policy.late_after.total_seconds(), 0, 1)
    behind = policy.late_share + (1 - policy.late_share) * late
    return np.asarray(np.where(slack >= 0, half / (half + np.maximum(slack, 0)), behind))


def urgency_then(
    latest: datetime | None,
    last: datetime | None,
    owed: datetime | None,
    at: datetime,
    policy: Policy,
) -> float:
    """Say the same of one case, of moments that were kept; None: long ago."""
    begin, begun, due = (np.array([instant(one)]) for one in (latest, last, owed))
    return float(urgency(begin, begun, due, at.timestamp(), policy)[0])


def weighed(terms: Mapping[str, Seconds], weights: Mapping[str, float], count: int) -> Seconds:
    """Add up the terms of so many pairs."""
    return sum((weights[name] * value for name, value in terms.items()), np.zeros(count))


def depth(wanted: str, fields: Sequence[str]) -> float:
    """Prefer whose first-named field it is: 1 for the first, 1/2 for the second, and so on."""
    if wanted == GENERAL:
        return 1.0
    return 1 / (1 + fields.index(wanted)) if wanted in fields else 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A pair of case (its row) and reader (their number), and why: each term and its weight."""

    row: int
    reader: int
    broad: bool
    score: float
    terms: Mapping[str, float]
    weights: Mapping[str, float]


@dataclass
class Directed:
    """The policy at work over one pool.

    `present`: whose app is on; `free_at`: when each of them is forecast to end what they do;
    `likings`: what is known of each; `demand`: the urgent cases that came.
    """

    pool: Pool
    likings: Likings = field(init=False)
    present: Mask = field(init=False)
    free_at: Seconds = field(init=False)
    demand: Demand = field(init=False)
    _forecast_at: float = field(default=-NEVER, init=False)
    _stirred_at: float = field(default=-NEVER, init=False)

    def __post_init__(self) -> None:
        readers = len(self.pool.staff.readers)
        self.present = np.zeros(readers, bool)
        self.free_at = np.zeros(readers)
        self.likings = Likings(self.pool.staff, {})
        self.demand = Demand(self.pool.staff)

    def learn(self, tracks: Mapping[ReaderId, Track]) -> None:
        """Take note of what readers have done; cases that come from now on are timed by it."""
        if tracks is not self.likings.tracks:
            self.likings = Likings(self.pool.staff, tracks)
            self.pool.paces = Paces.of(self.pool.staff, tracks)

    def add(self, entry: Entry, now: float) -> int:
        """Take a case in, or take note of what changed about it; give its row."""
        pool, need = self.pool, entry.need
        row = pool.add(entry, now)
        begin_by = pool.owed[row] - pool.reading[row] * pool.policy.cautious
        self.demand.saw(need, float(begin_by) - need.accepted_at.timestamp(), now)
        return row

    def next_for(self, reader: int, now: float) -> Choice | None:
        """Give the best case for a reader who is free; None: nothing, or it is held for others."""
        self.stir(now)
        rows = self.free_for(reader, now)
        if not len(rows):
            return None
        return self._best(rows, np.full(len(rows), reader), self.terms(rows, reader, now))

    def terms(self, rows: Rows, reader: int, now: float) -> dict[str, Seconds]:
        """Give what tells the cases for one reader apart, each in [0, 1]."""
        pool = self.pool
        mine = pool.right[rows, reader]
        return self.likings.cases(reader, pool.kinds, rows) | {
            "urgency": self.urgency(rows, now),
            "depth": np.where(mine, self._depths(rows, reader), 0.0),
            "scarcity": 1 / np.maximum(1, (pool.able[rows] & self.present).sum(axis=1)),
        }

    def reader_for(self, row: int, idle: Mask, now: float) -> Choice | None:
        """Give the best of the readers who wait for a case; None: it is held for others."""
        pool = self.pool
        who = np.flatnonzero(idle & pool.right[row])
        if not len(who):
            if not pool.released[row]:
                pool.released[row] = self._hopeless(row, now)
            if not pool.released[row]:
                return None
            who = np.flatnonzero(idle & pool.able[row])
            if not len(who):
                return None
        terms = self.weigh(row, who, now)
        while len(who):
            choice = self._best(np.full(len(who), row), who, terms)
            if not self.put_off(np.array([row]), choice.reader, now)[0]:
                return choice
            others = who != choice.reader
            who, terms = who[others], {name: value[others] for name, value in terms.items()}
        return None

    def weigh(self, row: int, who: Rows, now: float) -> dict[str, Seconds]:
        """Give what tells the readers for one case apart, each in [0, 1]."""
        entry = self.pool.entry(row)
        return self.likings.readers(entry.need, entry.seen_by, who) | {
            "urgency": np.repeat(self.urgency(np.array([row]), now), len(who)),
            "depth": np.array([self._depth(row, int(one)) for one in who]),
        }

    def stir(self, now: float) -> None:
        """Forecast again if the last forecast is too old."""
        if now - self._forecast_at >= self.pool.policy.forecast_every.total_seconds():
            self.forecast(now)

    def stirring(self, idle: Mask, now: float) -> list[int]:
        """Give the cases to look at without being asked: somebody is idle, or time is short.

        What is late already is looked at as often as is forecast: it waits for a reader anyway.
        """
        pool = self.pool
        short = pool.latest - now < pool.policy.interrupt_within.total_seconds()
        anew = self._stirred_at != self._forecast_at
        if not anew:
            short &= pool.last >= now
        self._stirred_at = self._forecast_at
        readers = np.flatnonzero(idle)
        some = (pool.able[:, readers] & (pool.right[:, readers] | pool.released[:, None])).any(1)
        rows = np.flatnonzero(pool.waits & (short | some))
        rows = rows[short[rows] | self._served(rows, readers, now, anew=anew)]
        return [int(row) for row in rows[np.argsort(pool.latest[rows], kind="stable")]]

    def forecast(self, now: float) -> None:
        """Say which waiting cases no right subspecialist will reach in time.

        The cases are laid out one after another, the most urgent first, each at the right
        subspecialist who is free first. What can't be begun in time so is released.
        """
        pool, policy = self.pool, self.pool.policy
        self._forecast_at = now
        if not pool.staff.readers:
            return
        rows = np.flatnonzero(pool.waits)
        rows = rows[np.argsort(pool.latest[rows], kind="stable")][:FORECAST_MOST]
        # who is rostered and absent is no hope until their next shift
        from_then = pool.rota.from_then(np.maximum(self.free_at, now))
        pool.released[rows] = False
        paced = pool.paces.measured
        for row in rows:
            starts = np.where(pool.right[row], from_then, NEVER)
            first = int(starts.argmin())
            pool.awaited[row], pool.awaited_at[row] = first, starts[first]
            if starts[first] > pool.latest[row] - pool.margin[row]:
                pool.released[row] = True
            else:
                lasts = (
                    float(pool.lasts(int(row), np.array([first]))[0])
                    if paced
                    else pool.reading[row]
                )
                end = starts[first] + lasts * policy.forecast_load
                from_then[first] = pool.rota.next_from(first, end)

    def urgency(self, rows: Rows, now: float) -> Seconds:
        """Say how soon each must be begun, in [0, 1]; what is too late steps back, for a while."""
        pool = self.pool
        return urgency(pool.latest[rows], pool.last[rows], pool.owed[rows], now, pool.policy)

    def soonest(self, row: int, now: float) -> float:
        """Give when the first of all who may read it is forecast to be free; inf: never."""
        who = self.pool.able[row]
        if not who.any():
            return NEVER
        return float(self.pool.rota.from_then(np.maximum(self.free_at, now))[who].min())

    def deserted(self, now: float) -> Rows:
        """Give the cases for which nobody who may read them is forecast to be free, ever."""
        pool = self.pool
        comes = np.isfinite(pool.rota.from_then(np.maximum(self.free_at, now)))
        return np.flatnonzero(pool.waits & ~pool.able[:, comes].any(axis=1))

    def _hopeless(self, row: int, now: float) -> bool:
        """Tell whether no right subspecialist is forecast to be free before it is too late."""
        pool = self.pool
        who = pool.right[row]
        if not who.any():
            return True
        from_then = pool.rota.from_then(np.maximum(self.free_at, now))[who]
        return bool(from_then.min() > pool.latest[row] - pool.margin[row])

    def _best(self, rows: Rows, readers: Rows, terms: Mapping[str, Seconds]) -> Choice:
        weights = self.pool.policy.weights.of(terms)
        scores = weighed(terms, weights, len(rows))
        best = int(np.argmax(scores))
        row, reader = int(rows[best]), int(readers[best])
        return Choice(
            row,
            reader,
            broad=not self.pool.right[row, reader],
            score=float(scores[best]),
            terms={name: float(value[best]) for name, value in terms.items()},
            weights=weights,
        )

    def held_back(self, reader: int, now: float) -> Rows:
        """Give what a reader may read and does not get: held for others, or put off."""
        each = np.flatnonzero(self.pool.waits & self.pool.able[:, reader])
        return each[~np.isin(each, self.free_for(reader, now))]

    def free_for(self, reader: int, now: float) -> Rows:
        """Give the cases of which this reader gets one."""
        pool = self.pool
        mine = pool.right[:, reader] | pool.released
        rows = np.flatnonzero(pool.waits & pool.able[:, reader] & mine)
        return rows[~self.put_off(rows, reader, now)]

    def put_off(self, rows: Rows, reader: int, now: float) -> Mask:
        """Tell which cases this reader had better not begin, to be ready for urgent ones."""
        pool, found = self.pool, self.pool.may_wait(rows, now)
        if found.any():
            lasts, which = np.unique(pool.reading[rows], return_inverse=True)
            free = pool.rota.from_then(np.maximum(self.free_at, now))
            lost = self.demand.lost(reader, lasts, free, pool.rota, now)
            found &= (lost > pool.policy.keep_ready)[which]
        return found

    def _served(self, rows: Rows, readers: Rows, now: float, *, anew: bool) -> Mask:
        """Tell which cases one of these readers would get; what may wait, only if `anew`."""
        pool, found = self.pool, ~self.pool.may_wait(rows, now)
        if not anew:
            return found
        for one in readers:
            left = np.flatnonzero(pool.able[rows, one] & ~found)
            mine = pool.right[rows[left], one] | pool.released[rows[left]]
            left = left[mine]
            if len(left):
                found[left] |= ~self.put_off(rows[left], int(one), now)
        return found

    def hold(self, row: int, now: float) -> None:
        """Say of one case alone whether it is held: the next forecast may be minutes away."""
        pool = self.pool
        pool.released[row] = self._hopeless(row, now)
        if pool.right[row].any():
            from_then = pool.rota.from_then(np.maximum(self.free_at, now))
            starts = np.where(pool.right[row], from_then, NEVER)
            first = int(starts.argmin())
            pool.awaited[row], pool.awaited_at[row] = first, starts[first]

    def _depths(self, rows: Rows, reader: int) -> Seconds:
        return np.array([self._depth(int(row), reader) for row in rows])

    def _depth(self, row: int, reader: int) -> float:
        """Prefer whose first-named field it is: 1 for the first, 1/2 for the second, and so on."""
        fields = self.pool.staff.readers[reader].subspecialties
        return depth(self.pool.entry(row).need.subspecialty, fields)

    def explain(self, choice: Choice, excluded: tuple[Ineligible, ...] = ()) -> Explanation:
        """Say why: the terms that decided, in the order in which they weigh."""
        able = self.pool.able[choice.row] & self.present
        return Explanation(
            score=round(choice.score, 4),
            terms=told(choice.terms, choice.weights),
            eligible=int(able.sum()),
            excluded=excluded,
            policy=self.pool.policy.name,
        )


def told(terms: Mapping[str, float], weights: Mapping[str, float]) -> tuple[ScoreTerm, ...]:
    """Show terms, those first that count most; what weighs alike stays in its order."""
    each = sorted(terms.items(), key=lambda one: -weights[one[0]])
    return tuple(
        ScoreTerm(term=name, value=round(value, 4), weight=weights[name]) for name, value in each
    )

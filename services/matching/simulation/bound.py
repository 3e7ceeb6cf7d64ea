"""How many breaches could nobody have avoided? A linear programme that knows the future.

It gives every case up to one reading in its own window, cut into slots, at readers who may read it
and are there, none of whom reads longer in a slot than the slot lasts. Everything that a real
schedule must keep besides is left out: a reading may be cut into pieces and spread over readers,
nobody declines, the app answers at once, fatigue and groups' conflicts are forgotten, and levels
with long targets need no time at all. Whatever a real schedule brings in on time is therefore a
solution here, so what the best solution leaves unread is a lower bound of the breaches.

The days are solved one by one: the cases of one day have all readers to themselves, which again
only leaves constraints out; and a bound of each part adds up to a bound of the whole. Where laying
the cases out one after another reads them all, that is the best solution, and none is computed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from services.matching.domain.columns import Rows
from services.matching.domain.need import need_of
from services.matching.domain.rota import Rota, Seconds
from services.matching.simulation.arrival import Arrival
from services.matching.simulation.world import World

SLOT: Final = 900.0
LEVELS: Final = ("emergent", "urgent")
DAY: Final = 86400.0
NEARLY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Chances:
    """Who could bring a case in on time with nothing else to do: an entry each, in seconds.

    `ends` is until when the reader would have to be at it, at the latest.
    """

    readers: Rows
    begins: Seconds
    ends: Seconds
    reading: Seconds


@dataclass(frozen=True, slots=True)
class Bound:
    """`impossible`: nobody who may read was there in time. `breaches`: at least so many."""

    cases: int
    impossible: int
    breaches: float

    @property
    def breached(self) -> float:
        return self.breaches / max(1, self.cases)


def bound(world: World) -> Bound:
    there = Rota.of([one.present for one in world.traits])
    speeds = np.array([one.speed for one in world.traits])
    days: defaultdict[int, list[Chances]] = defaultdict(list)
    impossible = 0
    for case in world.cases:
        chances = _chances(world, there, speeds, case)
        if not len(chances.readers):
            impossible += 1
        elif case.accepted.service_level in LEVELS:
            days[int(case.at // DAY)].append(chances)
    unread = sum(_unread(one) for one in days.values())
    return Bound(len(world.cases), impossible, impossible + unread)


def _chances(world: World, there: Rota, speeds: Seconds, case: Arrival) -> Chances:
    """Give the readers who could bring the case in on time if they had nothing else."""
    need, scenario = need_of(case.accepted), world.scenario
    able = world.staff.able(need, datetime.fromtimestamp(case.at, UTC))
    may = able.broad.copy()
    may[list(world.staff.conflicted(need))] = False
    who = np.flatnonzero(may)
    slower = np.where(able.right[who], 1.0, scenario.beyond_field_slower)
    reading = case.minutes * speeds[who] * slower * 60
    owed = case.due_at - scenario.deliver_minutes * 60
    first = np.maximum(there.begins[who], case.opens_at)
    last = np.minimum(there.ends[who], (owed - reading)[:, None])
    n, shift = np.nonzero(first <= last)
    return Chances(who[n], first[n, shift], last[n, shift] + reading[n], reading[n])


def _unread(cases: Sequence[Chances]) -> float:
    """Solve one day: the least number of its cases that stay unread in time, fractions counted."""
    return 0.0 if _laid_out(cases) else _solved(cases)


def _laid_out(cases: Sequence[Chances]) -> bool:
    """Tell whether all are read if each in turn, the scarcest first, takes the first room left."""
    room: defaultdict[tuple[int, int], float] = defaultdict(lambda: SLOT)
    for case in sorted(cases, key=lambda one: (len(one.readers), one.ends.max())):
        left = 1.0  # of the reading
        for n, reader in enumerate(case.readers):
            for slot in _slots(case, n):
                share = min(
                    left,
                    room[reader, slot] / case.reading[n],
                    _within(case, n, slot) / case.reading[n],
                )
                room[reader, slot] -= share * case.reading[n]
                left -= share
                if left <= NEARLY:
                    break
            if left <= NEARLY:
                break
        else:
            return False
    return True


def _solved(cases: Sequence[Chances]) -> float:
    parts = [
        (row, case, n, slot)
        for row, case in enumerate(cases)
        for n in range(len(case.readers))
        for slot in _slots(case, n)
    ]
    cells = {(case.readers[n], slot) for _, case, n, slot in parts}
    index = {cell: n for n, cell in enumerate(cells, start=len(cases))}
    longest = np.array([_within(case, n, slot) / case.reading[n] for _, case, n, slot in parts])
    rows = [(row, index[case.readers[n], slot]) for row, case, n, slot in parts]
    shares = [(1.0, case.reading[n] / SLOT) for _, case, n, _ in parts]
    columns = np.repeat(np.arange(len(parts)), 2)
    limits = csr_array(
        (np.ravel(shares), (np.ravel(rows), columns)), shape=(len(cases) + len(cells), len(parts))
    )
    found = linprog(  # type: ignore[call-overload]  # its stubs know no sparse matrix
        -np.ones(len(parts)),
        A_ub=limits,
        b_ub=np.ones(len(cases) + len(cells)),
        bounds=[(0.0, most) for most in np.minimum(longest, 1)],
        method="highs",
    )
    if not found.success:
        raise RuntimeError(f"the bound's programme has no solution: {found.message}")
    return max(0.0, len(cases) + float(found.fun))


def _slots(case: Chances, n: int) -> range:
    return range(int(case.begins[n] // SLOT), int(np.ceil(case.ends[n] / SLOT)))


def _within(case: Chances, n: int, slot: int) -> float:
    """Give how long of a slot the chance leaves open."""
    begins, ends = float(case.begins[n]), float(case.ends[n])
    return max(0.0, min(ends, (slot + 1) * SLOT) - max(begins, slot * SLOT))

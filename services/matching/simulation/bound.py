"""How many breaches could nobody have avoided? A linear programme that knows the future.

It gives every case up to one reading in its own window, cut into slots, at readers who may read it
and are there, none of whom reads longer in a slot than the slot lasts. Everything that a real
schedule must keep besides is left out: a reading may be cut into pieces and spread over readers,
nobody declines, the app answers at once, fatigue and groups' conflicts are forgotten, and levels
with long targets need no time at all. Whatever a real schedule brings in on time is therefore a
solution here, so what the best solution leaves unread is a lower bound of the breaches.

The days are solved one by one: the cases of one day have all readers to themselves, which again
only leaves constraints out; and a bound of each part adds up to a bound of the whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from services.matching.domain.need import need_of
from services.matching.domain.staff import Staff
from services.matching.simulation.world import Arrival, World

SLOT: Final = 900.0
LEVELS: Final = ("emergent", "urgent")
DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Chance:
    """A case and reader, and until when the reader would have to be at it: both in seconds."""

    case: int
    reader: int
    begins: float
    ends: float
    reading: float


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
    staff = Staff({one.id: one for one in world.readers})
    days: defaultdict[int, list[Arrival]] = defaultdict(list)
    impossible, breaches = 0, 0.0
    for case in world.cases:
        if not any(True for _ in _chances(world, staff, 0, case)):
            impossible += 1
        elif case.accepted.service_level in LEVELS:
            days[int(case.at // DAY)].append(case)
    for cases in days.values():
        breaches += _unread(world, staff, cases)
    return Bound(len(world.cases), impossible, impossible + breaches)


def _chances(world: World, staff: Staff, number: int, case: Arrival) -> Iterable[Chance]:
    """Give the readers who could bring the case in on time if they had nothing else."""
    need = need_of(case.accepted)
    able = staff.able(need, datetime.fromtimestamp(case.at, UTC))
    out = staff.conflicted(need)
    owed = case.due_at - world.scenario.deliver_minutes * 60
    for reader in np.flatnonzero(able.broad):
        if int(reader) in out:
            continue
        reading = world.minutes(case, int(reader), right=bool(able.right[reader])) * 60
        for begins, ends in world.traits[reader].present:
            first, last = max(begins, case.opens_at), min(ends, owed - reading)
            if first <= last:
                yield Chance(number, int(reader), first, last + reading, reading)


def _unread(world: World, staff: Staff, cases: Sequence[Arrival]) -> float:
    """Solve one day: the least number of its cases that stay unread in time, fractions counted."""
    chances = [one for n, case in enumerate(cases) for one in _chances(world, staff, n, case)]
    parts = [(one, slot) for one in chances for slot in _slots(one)]
    if not parts:
        return 0.0
    cells = {(one.reader, slot) for one, slot in parts}
    index = {cell: n for n, cell in enumerate(cells, start=len(cases))}
    rows, columns, shares = [], [], []
    longest = np.array([_within(one, slot) / one.reading for one, slot in parts])
    for n, (one, slot) in enumerate(parts):
        rows += [one.case, index[one.reader, slot]]
        columns += [n, n]
        shares += [1.0, one.reading / SLOT]
    limits = csr_array((shares, (rows, columns)), shape=(len(cases) + len(cells), len(parts)))
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


def _slots(chance: Chance) -> range:
    return range(int(chance.begins // SLOT), int(np.ceil(chance.ends / SLOT)))


def _within(chance: Chance, slot: int) -> float:
    """Give how long of a slot the chance leaves open."""
    return max(0.0, min(chance.ends, (slot + 1) * SLOT) - max(chance.begins, slot * SLOT))

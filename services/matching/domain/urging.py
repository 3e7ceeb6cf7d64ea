"""Time is short and nobody is free: who is asked to set a case aside, and who on call is paged?

The case stays in the pool meanwhile. Who asks for a case and gets it has settled the matter, and
what the others were offered is withdrawn; so nothing waits for people who do not answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.matching.domain.directed import Choice, Directed
from services.matching.domain.policy import Policy
from services.matching.domain.staff import Mask

# Who knows the field comes first, whatever else speaks for somebody.
RIGHT: Final = 10.0
STANDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Crew:
    """Who may be disturbed: `interruptible` are at one case that can wait, `callable` on call."""

    interruptible: Mask
    callable: Mask


@dataclass(frozen=True, slots=True)
class Asked:
    """An offer of the case that stands."""

    reader: int
    paged: bool


@dataclass(frozen=True, slots=True)
class Urge:
    """Ask this reader now; the offer stands `until` then."""

    choice: Choice
    paged: bool
    until: float


def urged(
    directed: Directed, row: int, asked: Sequence[Asked], crew: Crew, now: float
) -> Iterator[Urge]:
    """Give whom to ask for a case now, besides those who were asked."""
    pool, policy = directed.pool, directed.pool.policy
    within, until = policy.interrupt_within.total_seconds(), float(pool.owed[row] - pool.reading[row])
    spare, soonest = float(pool.latest[row]) - now, directed.soonest(row, now)
    if now > until:
        # too late, and still somebody must read it
        if policy.pages and soonest - now > policy.late_after.total_seconds() and not asked:
            yield from _best(directed, row, crew.callable, now + STANDS, paged=True)
        return
    if spare < within and _wanted(policy, within - spare) > sum(not one.paged for one in asked):
        yield from _best(directed, row, crew.interruptible, until, paged=False)
    within = policy.page_within.total_seconds()
    if policy.pages and soonest > pool.latest[row]:
        if _wanted(policy, within - spare) > sum(one.paged for one in asked):
            yield from _best(directed, row, crew.callable, until, paged=True)


def _wanted(policy: Policy, since: float) -> int:
    """Say how many are to be asked by now: one more as each span goes by."""
    again = policy.ask_again.total_seconds()
    return 1 + int(min(max(since, 0.0), again * (policy.at_once - 1)) // again)


def _best(
    directed: Directed, row: int, among: Mask, until: float, *, paged: bool
) -> Iterator[Urge]:
    """Give the best of them: a right subspecialist; then who would be free the latest."""
    pool = directed.pool
    who = np.flatnonzero(among & pool.able[row] & ~pool.asked[row])
    if not len(who):
        return
    later = np.minimum(directed.free_at[who], until) / until
    reader = int(who[np.argmax(pool.right[row, who] * RIGHT + later)])
    choice = Choice(row, reader, broad=not pool.right[row, reader], score=1.0, terms={})
    yield Urge(choice, paged=paged, until=until)

"""Time is short and nobody is free: who is asked to set a case aside, and who on call is paged?

The case stays in the pool meanwhile. Who asks for a case and gets it has settled the matter, and
what the others were offered is withdrawn; so nothing waits for people who do not answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.matching.domain.directed import Choice, Directed
from services.matching.domain.grounds import Grounds, grounds
from services.matching.domain.policy import Policy
from services.matching.domain.staff import Mask

STANDS: Final = 60.0  # at least


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
    """Ask this reader now; the offer stands `until` then. `grounds`: who else was weighed.

    `waited`: they had asked for a case.
    """

    choice: Choice
    paged: bool
    until: float
    grounds: Grounds
    waited: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody is asked: by an offer that stands `until` then."""

    until: float
    now: float
    paged: bool


def nobody() -> Crew:
    """Give the crew of an empty roster."""
    return Crew(np.zeros(0, bool), np.zeros(0, bool))


def pressing(directed: Directed, row: int, asked: Sequence[Asked], now: float) -> tuple[bool, ...]:
    """Tell by which way one more is to be asked: interrupting, paging; nothing where neither."""
    pool, policy = directed.pool, directed.pool.policy
    spare = float(pool.latest[row]) - now
    last = float(pool.last[row])
    short = policy.interrupt_within.total_seconds() - spare
    interrupts = now <= last and short > 0 and _wanted(policy, short) > _out(asked, paged=False)
    if not policy.pages:
        return (True, False) if interrupts else ()
    soonest = directed.soonest(row, now)
    if now > last:  # too late, and still somebody must read it
        pages = soonest - now > policy.late_after.total_seconds() and not asked
    else:
        wanted = _wanted(policy, policy.page_within.total_seconds() - spare)
        pages = soonest > pool.latest[row] and wanted > _out(asked, paged=True)
    return (interrupts, pages) if interrupts or pages else ()


def urged(
    directed: Directed, row: int, asked: Sequence[Asked], crew: Crew, now: float
) -> Iterator[Urge]:
    """Give whom to ask for a case now, besides those who were asked."""
    until = max(float(directed.pool.last[row]), now + STANDS)
    ways = zip(pressing(directed, row, asked, now), (False, True), strict=False)
    for wanted, paged in ways:
        if wanted:
            among = crew.callable if paged else crew.interruptible
            yield from _best(directed, row, among, Way(until, now, paged=paged))


def _out(asked: Sequence[Asked], *, paged: bool) -> int:
    return sum(one.paged == paged for one in asked)


def _wanted(policy: Policy, since: float) -> int:
    """Say how many are to be asked by now: one more as each span goes by."""
    again = policy.ask_again.total_seconds()
    return 1 + int(min(max(since, 0.0), again * (policy.at_once - 1)) // again)


def _best(directed: Directed, row: int, among: Mask, how: Way) -> Iterator[Urge]:
    """Give the best of them, by what grounds.py says."""
    pool = directed.pool
    who = np.flatnonzero(among & pool.able[row] & ~pool.asked[row])
    if not len(who):
        return
    found = grounds(directed, row, who, how.until, how.now)
    best = found.best
    choice = Choice(
        row,
        int(who[best]),
        broad=not pool.right[row, who[best]],
        score=float(found.scores[best]),
        terms=found.of(best),
        weights=found.weights,
    )
    yield Urge(choice, how.paged, how.until, found)

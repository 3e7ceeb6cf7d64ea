"""A case comes, and readers wait for one: who gets it? The best of them, and it is kept for them.

They asked for the next case and there was none, or it was held for others. They hear of it as of an
offer, and have it at once when they ask again; who does not answer soon loses it to the others.
"""

from collections.abc import Iterable

import numpy as np

from services.matching.domain.directed import Directed
from services.matching.domain.handed import waited
from services.matching.domain.staff import Mask
from services.matching.domain.urging import Urge
from shared.contracts.base import ReaderId


def idle(directed: Directed, waiting: Iterable[ReaderId], busy: Iterable[ReaderId]) -> Mask:
    """Tell who asked for a case not long ago, is there, and holds and was offered none."""
    staff = directed.pool.staff
    return directed.present & staff.mask(waiting) & ~staff.mask(busy)


def best(directed: Directed, row: int, idle: Mask, now: float) -> Urge | None:
    """Give whom of those who wait a case is given to; None: nobody, or it is held for others.

    Who was asked for it before is not asked again so: it is theirs if they ask.
    """
    choice = directed.reader_for(row, idle & ~directed.pool.asked[row], now)
    if choice is None:
        return None
    pool = directed.pool
    among = idle & ~pool.asked[row] & (pool.able[row] if choice.broad else pool.right[row])
    grounds = waited(directed, row, np.flatnonzero(among), now)
    until = now + pool.policy.waits.total_seconds()
    return Urge(choice, paged=False, until=until, grounds=grounds, waited=True)

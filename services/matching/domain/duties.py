"""Who is there, who may be disturbed, and when will each be free? By roster and holdings.

All times are seconds since 1970; arrays follow the staff's order of readers.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from services.matching.domain.columns import Numbers
from services.matching.domain.directed import Directed
from services.matching.domain.hours import intervals, on_call
from services.matching.domain.pace import predicted
from services.matching.domain.policy import Policy
from services.matching.domain.reader import Reader
from services.matching.domain.rota import NEVER, Rota
from services.matching.domain.sheet import Holding
from services.matching.domain.staff import Mask
from services.matching.domain.urging import Crew
from shared.contracts.base import ReaderId

# What is still to be expected of a reading that took its usual time, as a share of that time.
OVERRUN: Final = 0.35


@dataclass(frozen=True)
class Duties:
    """Shifts and calls, as far ahead as they were laid out."""

    shifts: Rota
    calls: Rota

    @classmethod
    def of(cls, readers: Iterable[Reader], since: datetime, until: datetime) -> "Duties":
        each = tuple(readers)
        return cls(
            Rota.of([intervals(one, since, until) for one in each]),
            Rota.of([on_call(one, since, until) for one in each]),
        )


def there(rota: Rota, now: float) -> Mask:
    """Tell who is within one of their intervals."""
    return np.asarray(((rota.begins <= now) & (now < rota.ends)).any(axis=1))


def seat(
    directed: Directed,
    duties: Duties,
    held: Iterable[Holding],
    away: AbstractSet[ReaderId],
    now: float,
) -> Crew:
    """Tell the policy who is there and when each is free; give who may be disturbed."""
    staff, policy = directed.pool.staff, directed.pool.policy
    count = len(staff.readers)
    gone = np.array([one.id in away for one in staff.readers], bool)
    on_shift = there(duties.shifts, now)
    number, patient = np.zeros(count, int), np.ones(count, bool)
    free = np.full(count, now)
    for one in held:
        n = staff.index.get(one.reader)
        if n is not None:
            number[n] += 1
            patient[n] &= one.begun and can_wait(policy, one.due_at, now)
            usual = policy.reading_of(one.level).total_seconds()
            lasts = predicted(directed.likings.track(n), usual, one.rvu, policy.shrinkage)
            free[n] += _left(one, lasts, now)
    directed.present = on_shift & ~gone
    # who should be there and is not is no hope; who is on no shift may still come for the next
    directed.free_at = np.where(gone & on_shift, NEVER, free)
    room = np.array([one.capacity for one in staff.readers], int) > number
    called = there(duties.calls, now) & ~on_shift & ~gone
    return crew(directed.present & patient & room, number, called & (number == 0))


def crew(patient: Mask, number: Numbers, called: Mask) -> Crew:
    """Give who may be disturbed: at one case that can wait, or called, at home and at none."""
    return Crew(interruptible=patient & (number == 1), callable=called)


def can_wait(policy: Policy, due_at: float, now: float) -> bool:
    """Tell whether a case that somebody reads may be set aside."""
    return due_at - now > policy.patience.total_seconds()


def _left(one: Holding, usual: float, now: float) -> float:
    """Forecast how much of a reading is left, in seconds."""
    return max(one.since + usual - now, usual * OVERRUN) if one.begun else usual

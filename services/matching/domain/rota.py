"""Until when can a case still be begun by somebody who may read it? Shifts as arrays.

Seconds since 1970 throughout; rows follow the staff's order of readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.hours import Interval
from services.matching.domain.staff import Mask

Seconds: TypeAlias = NDArray[np.float64]
NEVER: Final = float("inf")


def moment(at: float) -> datetime | None:
    """Give a time of these as one of the calendar; None for NEVER, and for long ago."""
    return datetime.fromtimestamp(at, UTC) if np.isfinite(at) else None


def instant(at: datetime | None) -> float:
    """Give the reverse; None is long ago."""
    return -NEVER if at is None else at.timestamp()


@dataclass
class Rota:
    """Who is rostered when, as far ahead as the rota was made. `begins` and `ends`: (R, K)."""

    begins: Seconds
    ends: Seconds
    _window: Seconds = field(init=False)

    def __post_init__(self) -> None:
        self._window = self.ends.copy()

    @classmethod
    def of(cls, shifts: Sequence[Sequence[Interval]]) -> "Rota":
        most = max([1, *map(len, shifts)])
        begins = np.full((len(shifts), most), NEVER)
        ends = np.full((len(shifts), most), -NEVER)
        for n, each in enumerate(shifts):
            for k, (begin, end) in enumerate(each):
                begins[n, k], ends[n, k] = begin, end
        return cls(begins, ends)

    def absent(self, reader: int, now: float) -> None:
        """Strike the shift that a reader does not keep."""
        missed = (self.begins[reader] <= now) & (now < self.ends[reader])
        self.ends[reader][missed] = now
        self.begins[reader][missed & (self.begins[reader] > now)] = NEVER

    def latest_start(self, able: Mask, start_by: float, now: float) -> float:
        """Give the last moment, up to `start_by`, at which one of them is on shift; -inf: none."""
        begins, ends = self.begins[able], self.ends[able]
        fits = (begins <= start_by) & (ends > now)
        return float(np.minimum(ends[fits], start_by).max()) if fits.any() else -NEVER

    def from_then(self, at: Seconds) -> Seconds:
        """Give when each reader can begin who is free `at` then: at once, or with a later shift."""
        later = np.where(self.ends > at[:, None], np.maximum(self.begins, at[:, None]), NEVER)
        return np.asarray(later.min(axis=1))

    def next_from(self, reader: int, at: float) -> float:
        """Give when this reader can begin who is free `at` then."""
        begins, ends = self.begins[reader], self.ends[reader]
        later = np.maximum(begins[ends > at], at)
        return float(later.min()) if len(later) else NEVER

    def until(self, reader: int, now: float) -> float:
        """Give when the shift ends in which this reader is now; `now` where they are in none."""
        here = (self.begins[reader] <= now) & (now < self.ends[reader])
        return float(self.ends[reader][here].max(initial=now))


def seconds(moment: datetime) -> float:
    return moment.timestamp()

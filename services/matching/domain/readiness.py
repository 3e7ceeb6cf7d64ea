"""Who had better stay ready? A long reading is put off by whom the next urgent case may need alone.

What comes is taken to be like what came: urgent cases by who may read them, and how often. If a
reader begins a reading now, those cases are lost that come meanwhile, that nobody else who may read
them is forecast to begin in time, and that this reader would get to too late. Seconds throughout.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import numpy as np

from services.matching.domain.need import Need
from services.matching.domain.rota import NEVER, Rota, Seconds
from services.matching.domain.staff import Mask, Staff
from shared.contracts.base import CaseId

WATCHED: Final = ("emergent", "urgent")
LEAST: Final = 86400.0  # a few hours' cases say nothing of a day's
MEMORY: Final = 28 * 86400.0  # what is older than a month counts for half
REMEMBERED: Final = 4096


@dataclass(slots=True)
class Kind:
    """Cases of a level that the same readers may read: an example, and how many came.

    `within` is the time after its acceptance in which such a case must be begun.
    """

    need: Need
    able: Mask
    within: float
    count: float = 0.0


@dataclass
class Demand:
    """The urgent cases that came, by kind, since the first of them."""

    staff: Staff
    since: float = NEVER
    kinds: list[Kind] = field(default_factory=list)
    _index: dict[tuple[bytes, str], Kind] = field(default_factory=dict)
    _seen: dict[CaseId, None] = field(default_factory=dict)
    _tables: dict[int, tuple[int, list[Kind], Mask]] = field(default_factory=dict)

    def saw(self, need: Need, within: float, now: float) -> None:
        """Count a case, once."""
        if need.service_level not in WATCHED or need.case_id in self._seen:
            return
        self._seen[need.case_id] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self.since = min(self.since, now)
        self._count(need, within, 1.0, now)

    def moved(self, staff: Staff, now: float) -> "Demand":
        """Ask of another roster, or on another day, who may read what came."""
        share = 0.5 if now - self.since > MEMORY else 1.0
        found = Demand(staff, now - (now - self.since) * share, _seen=self._seen)
        for one in self.kinds:
            found._count(one.need, one.within, one.count * share, now)
        return found

    def lost(self, reader: int, lasts: Seconds, free: Seconds, rota: Rota, now: float) -> Seconds:
        """Forecast how many cases a reading costs, for each length that it may have.

        `free` is when each can begin something new, by what they do and by their shifts.
        """
        kinds, others = self._table(reader)
        found, ends = np.zeros(len(lasts)), rota.until(reader, now)
        if not kinds or ends <= now:
            return found
        other = np.where(others, free, NEVER).min(axis=1)
        within = np.array([one.within for one in kinds])
        counts = np.array([one.count for one in kinds])
        for n, length in enumerate(lasts):
            again = np.minimum(rota.next_from(reader, now + length), other)
            found[n] = np.clip(again - within - now, 0, min(length, ends - now)) @ counts
        return found / max(LEAST, now - self.since)

    def _count(self, need: Need, within: float, more: float, now: float) -> None:
        able = self.staff.able(need, datetime.fromtimestamp(now, UTC)).broad
        key = (able.tobytes(), need.service_level)
        if key not in self._index:
            self._index[key] = Kind(need, able, within)
            self.kinds.append(self._index[key])
        self._index[key].within = within
        self._index[key].count += more

    def _table(self, reader: int) -> tuple[list[Kind], Mask]:
        """Give the kinds that a reader may read, and who else may read each."""
        size, kinds, others = self._tables.get(reader, (-1, [], np.zeros((0, 0), bool)))
        if size != len(self.kinds):
            kinds = [one for one in self.kinds if one.able[reader]]
            others = np.array([one.able for one in kinds], bool)
            if kinds:
                others[:, reader] = False
            self._tables[reader] = (len(self.kinds), kinds, others)
        return kinds, others

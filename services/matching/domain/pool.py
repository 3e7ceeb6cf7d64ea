"""What waits, as arrays? Every waiting case with who may read it and when it must be begun.

Rows are cases, columns the staff's readers. A row is filled once, when a case comes, so that a
question about all of them costs a few vector operations and not a look at each case.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from services.matching.domain.columns import Rows
from services.matching.domain.eligibility import Earlier
from services.matching.domain.liking import Kinds
from services.matching.domain.need import Need
from services.matching.domain.pace import Paces
from services.matching.domain.policy import Policy
from services.matching.domain.rota import NEVER, Rota, Seconds
from services.matching.domain.staff import Mask, Staff
from shared.contracts.base import CaseId, ReaderId, ServiceLevel

FIRST: Final = 64
MINUTE: Final = 60.0
_ROWS: Final = (
    "waits", "released", "latest", "last", "owed", "spare", "reading", "margin", "right", "able",
    "asked", "awaited", "awaited_at", "rvu",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A case that waits: read by `owed_at`, so that its delivery still fits.

    `refused` will not read it; `asked` were asked, and are not asked again; `seen_by` have read the
    patient before; `thinking`: those of `asked` whose offer stands.
    """

    need: Need
    owed_at: float
    refused: frozenset[ReaderId] = frozenset()
    earlier: tuple[Earlier, ...] = ()
    asked: frozenset[ReaderId] = frozenset()
    seen_by: frozenset[ReaderId] = frozenset()
    thinking: frozenset[ReaderId] = frozenset()


@dataclass
class Pool:
    """The waiting cases. `released`: held back no longer for the right subspecialists.

    `awaited` is the right subspecialist who is forecast to begin a case first, at `awaited_at`.
    `paces`: how fast each of the staff was measured to read.
    """

    staff: Staff
    rota: Rota
    policy: Policy
    rows: dict[CaseId, int] = field(default_factory=dict)
    entries: list[Entry | None] = field(default_factory=lambda: [None] * FIRST)
    _spare: list[int] = field(default_factory=lambda: list(range(FIRST))[::-1])

    def __post_init__(self) -> None:
        readers = len(self.staff.readers)
        self.paces = Paces.of(self.staff, {})
        self.kinds = Kinds(np.zeros(FIRST, np.intp))
        self.rvu: Seconds = np.zeros(FIRST)
        self.waits: Mask = np.zeros(FIRST, bool)
        self.released: Mask = np.zeros(FIRST, bool)
        self.latest: Seconds = np.zeros(FIRST)
        self.last: Seconds = np.zeros(FIRST)
        self.owed: Seconds = np.zeros(FIRST)
        self.spare: Seconds = np.zeros(FIRST)
        self.reading: Seconds = np.zeros(FIRST)
        self.margin: Seconds = np.zeros(FIRST)
        self.right: Mask = np.zeros((FIRST, readers), bool)
        self.able: Mask = np.zeros((FIRST, readers), bool)
        self.asked: Mask = np.zeros((FIRST, readers), bool)
        self.awaited: Seconds = np.full(FIRST, -1.0)
        self.awaited_at: Seconds = np.full(FIRST, NEVER)

    def add(self, entry: Entry, now: float) -> int:
        """Take a case in, or take note of what changed about it; give its row."""
        need = entry.need
        row = self.rows.get(need.slot)
        if row is None:
            row = self._row()
            self.rows[need.slot] = row
        level = need.service_level
        self.entries[row] = entry
        self.waits[row] = True
        self.released[row] = False
        self.awaited[row], self.awaited_at[row] = -1, NEVER
        self.owed[row] = entry.owed_at
        self.spare[row] = (entry.owed_at - need.accepted_at.timestamp()) * self.policy.put_off
        self.margin[row] = self.policy.margin_of(level).total_seconds()
        self._masks(row, entry, now)
        self.kinds.put(row, need, entry.seen_by)
        self.rvu[row] = need.rvu
        self.reading[row] = self._typical(row, level)
        self.last[row] = entry.owed_at - self.reading[row] * self.policy.quickest
        start_by = entry.owed_at - self.reading[row] * self.policy.cautious
        self.latest[row] = self.rota.latest_start(self.able[row], start_by, now)
        return row

    def lasts(self, row: int, who: Rows | Mask) -> Seconds:
        """Predict how long each of these readers takes for a waiting case."""
        return self.predicted(self.entry(row).need.service_level, float(self.rvu[row]), who)

    def predicted(self, level: ServiceLevel, rvu: float, who: Rows | Mask) -> Seconds:
        """Predict how long each of these readers takes for a case of a level and so many RVU."""
        usual = self.policy.reading_of(level).total_seconds()
        return self.paces.predicted(who, usual, rvu, self.policy.shrinkage)

    def _typical(self, row: int, level: ServiceLevel) -> float:
        """Give what a reading takes in the mean of who should read it, in whole minutes."""
        usual = self.policy.reading_of(level).total_seconds()
        who = self.right[row] if self.right[row].any() else self.able[row]
        if not self.paces.measured or not who.any():
            return usual
        found = float(self.predicted(level, float(self.rvu[row]), who).mean())
        return max(MINUTE, round(found / MINUTE) * MINUTE)

    def may_wait(self, rows: Rows, now: float) -> Mask:
        """Tell which have so much time left that they may be put off for others' sake."""
        return np.asarray(self.latest[rows] - now > self.spare[rows])

    def drop(self, slot: CaseId) -> None:
        """Take a case out, or a part of it."""
        row = self.rows.pop(slot, None)
        if row is not None:
            self.waits[row] = False
            self.entries[row] = None
            self._spare.append(row)

    def entry(self, row: int) -> Entry:
        found = self.entries[row]
        assert found is not None, "a row that waits has its case"  # noqa: S101
        return found

    def _masks(self, row: int, entry: Entry, now: float) -> None:
        able = self.staff.able(entry.need, datetime.fromtimestamp(now, UTC))
        self.right[row] = able.right
        self.able[row] = able.broad
        out = [self.staff.index[one] for one in entry.refused if one in self.staff.index]
        out += self.staff.conflicted(entry.need, entry.earlier)
        self.right[row, out] = False
        self.able[row, out] = False
        self.asked[row] = False
        self.asked[row, [self.staff.index[o] for o in entry.asked if o in self.staff.index]] = True

    def _row(self) -> int:
        if not self._spare:
            self._grow()
        return self._spare.pop()

    def _grow(self) -> None:
        size = len(self.entries)
        for name in _ROWS:
            held: Any = getattr(self, name)
            setattr(self, name, np.concatenate([held, np.zeros_like(held)]))
        self.kinds.grow()
        self.entries += [None] * size
        self._spare += range(2 * size - 1, size - 1, -1)

    def slots(self, rows: Iterable[int]) -> list[CaseId]:
        return [self.entry(row).need.slot for row in rows]

"""How long does who read a case? The usual time of its level, until measured times outweigh it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.columns import Mask, Rows
from services.matching.domain.staff import Staff
from services.matching.domain.track import UNTRIED, Track
from shared.contracts.base import ReaderId

Seconds: TypeAlias = NDArray[np.float64]
LEAST: Final = 0.1  # RVU: half a chest film says nothing of anybody's pace


def predicted(track: Track, usual: float, rvu: float, trusted: float) -> float:
    """Give the seconds in which a reader reads so many RVU, where `usual` is what others take.

    `trusted` so many hours of measured reading count as much as the usual time.
    """
    hours, read = track.hours_read, track.rvu_read
    if not hours or read < LEAST:
        return usual
    return usual + hours / (hours + trusted) * (rvu * 3600 * hours / read - usual)


@dataclass(frozen=True)
class Paces:
    """The same of a staff at once: the seconds that each takes for an RVU, and hours measured."""

    per_rvu: Seconds
    hours: Seconds

    @classmethod
    def of(cls, staff: Staff, tracks: Mapping[ReaderId, Track]) -> "Paces":
        each = [tracks.get(one.id, UNTRIED) for one in staff.readers] if tracks else []
        if not any(one.rvu_read >= LEAST for one in each):
            return cls(np.zeros(len(staff.readers)), np.zeros(len(staff.readers)))
        read = np.array([one.rvu_read for one in each])
        hours = np.where(read >= LEAST, [one.hours_read for one in each], 0.0)
        return cls(hours * 3600 / np.where(read >= LEAST, read, 1.0), hours)

    @property
    def measured(self) -> bool:
        return bool(self.hours.any())

    def predicted(self, who: Rows | Mask, usual: float, rvu: float, trusted: float) -> Seconds:
        hours, per_rvu = self.hours[who], self.per_rvu[who]
        share = np.where(hours > 0, hours / np.where(hours > 0, hours + trusted, 1.0), 0.0)
        return np.asarray(usual + share * (rvu * per_rvu - usual))

"""When will each report be there? By the queue ahead, and by how fast who is there reads.

Work is in RVU, supply in RVU an hour. A case that waits is served after the earlier deadlines of
its field, by the readers of that field while they are on shift; who has several fields gives each
an equal part. A case that a reader holds is served after the earlier deadlines on their own list.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final
from uuid import UUID

from services.matching.domain.need import GENERAL
from services.matching.domain.reader import Reader
from services.matching.domain.track import USUAL_RVU_PER_HOUR
from shared.contracts.base import ReaderId

TRUSTED_HOURS: Final = 20.0  # measured reading time that counts as much as the usual speed
HORIZON_HOURS: Final = 14 * 24
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Queued:
    """A case that is to be read, of a subspecialty, and of so many RVU.

    `reader` holds it, if somebody does; `after` is what its delivery takes.
    """

    case_id: UUID
    field: str
    rvu: float
    due_at: datetime
    reader: ReaderId | None
    after: timedelta


@dataclass(frozen=True, slots=True)
class Pace:
    """What a reader has read: work RVU in how many hours of reading."""

    rvu: float = 0.0
    hours: float = 0.0

    @property
    def speed(self) -> float:
        """RVU an hour. A few quick cases make nobody fast: small numbers shrink to the usual."""
        return (self.rvu + USUAL_RVU_PER_HOUR * TRUSTED_HOURS) / (self.hours + TRUSTED_HOURS)


@dataclass(frozen=True, slots=True)
class Supply:
    """The work that is done hour by hour from now on: cumulated RVU, by field and by reader."""

    since: datetime
    by_field: Mapping[str, Sequence[float]]
    by_reader: Mapping[ReaderId, Sequence[float]]

    @classmethod
    def of(
        cls, roster: Mapping[ReaderId, Reader], paces: Mapping[ReaderId, Pace], now: datetime
    ) -> "Supply":
        by_field: dict[str, list[float]] = defaultdict(lambda: [0.0] * HORIZON_HOURS)
        by_reader: dict[ReaderId, list[float]] = {}
        for reader in (one for one in roster.values() if one.active and one.kind == "human"):
            speed = paces.get(reader.id, Pace()).speed
            hours = [speed * reader.on_shift(now + n * HOUR) for n in range(HORIZON_HOURS)]
            by_reader[reader.id] = list(accumulate(hours))
            share = 1 / len(set(reader.subspecialties))
            for field in {*reader.subspecialties, GENERAL}:
                part = 1.0 if field == GENERAL else share
                by_field[field] = [
                    a + part * b for a, b in zip(by_field[field], hours, strict=True)
                ]
        return cls(now, {name: list(accumulate(one)) for name, one in by_field.items()}, by_reader)


def expected(
    queue: Iterable[Queued], supply: Supply, now: datetime
) -> Iterator[tuple[Queued, datetime]]:
    """Say when each report will be delivered; what is beyond the horizon is put at its end."""
    ahead: dict[tuple[str, str], float] = defaultdict(float)
    for one in sorted(queue, key=lambda case: (case.due_at, case.case_id)):
        lane = _lane(one)
        ahead[lane] += one.rvu
        hours = served(ahead[lane], _supplied(supply, lane), (now - supply.since) / HOUR)
        yield one, supply.since + hours * HOUR + one.after


def _lane(one: Queued) -> tuple[str, str]:
    if one.reader is not None:
        return ("reader", one.reader)
    return ("field", one.field)


def _supplied(supply: Supply, lane: tuple[str, str]) -> Sequence[float]:
    kind, name = lane
    return (supply.by_reader if kind == "reader" else supply.by_field).get(name, ())


def served(work: float, supplied: Sequence[float], passed: float) -> float:
    """Give after how many hours of the supply the work is done, some of which have passed."""
    gone = supplied[min(int(passed), len(supplied)) - 1] if passed >= 1 and supplied else 0.0
    hour = bisect_left(supplied, gone + work, lo=min(int(passed), len(supplied)))
    if hour == len(supplied):
        return max(passed, float(HORIZON_HOURS))
    before = supplied[hour - 1] if hour else 0.0
    here = supplied[hour] - before
    return max(passed, hour + (work - (before - gone)) / here) if here > 0 else passed

"""Who is on shift, since when, and what day is it where they are? Of all readers at once.

The arithmetic is that of duty.py and reader.py, on arrays: wall-clock times for the shifts of the
week, absolute ones for the calendar. Times are whole microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.duty import WEEKDAYS, PeriodKind
from services.matching.domain.reader import Reader, zone

Micros: TypeAlias = NDArray[np.int64]
MICROSECOND: Final = timedelta(microseconds=1)
DAY: Final = timedelta(days=1) // MICROSECOND
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
OFF: Final = np.iinfo(np.int64).max
KINDS: Final[tuple[PeriodKind, ...]] = ("duty", "on_call", "busy")


@dataclass(frozen=True, slots=True)
class Timetable:
    """The shifts and calendars of a roster, one row for each shift and each period.

    `shifts`: reader, weekdays as bits, begin and end since midnight; `periods`: reader, kind,
    begin and end since 1970; `longest`: how long each reader's shift may last; `zones`: the time
    zones there are, and `place` which of them is each reader's.
    """

    zones: tuple[str, ...]
    place: Micros
    shifts: Micros
    periods: Micros
    longest: Micros

    @classmethod
    def of(cls, readers: Sequence[Reader]) -> "Timetable":
        zones = tuple(sorted({one.time_zone for one in readers}))
        number = {name: n for n, name in enumerate(zones)}
        return cls(
            zones,
            np.array([number[one.time_zone] for one in readers], np.int64),
            _table([row for n, one in enumerate(readers) for row in _weekly(n, one)]),
            _table([row for n, one in enumerate(readers) for row in _dated(n, one)]),
            np.array([_longest(one) for one in readers], np.int64),
        )

    def today(self, now: datetime) -> tuple[int, ...]:
        """Give the day it is in each of the zones."""
        return tuple(now.astimezone(zone(name)).toordinal() for name in self.zones)

    def days(self, now: datetime) -> Micros:
        """Give the day it is where each reader is."""
        return np.asarray(np.array(self.today(now), np.int64)[self.place])

    def began(self, now: datetime) -> Micros:
        """Give since when each reader is on shift; OFF: they are not."""
        began = np.full(len(self.place), OFF)
        self._weekly_began(now, began)
        duty = self._covering(now, "duty")
        np.minimum.at(began, duty[:, 0], duty[:, 2])
        began[self._covering(now, "busy")[:, 0]] = OFF
        return began

    def on_call(self, now: datetime) -> NDArray[np.bool_]:
        found = np.zeros(len(self.place), bool)
        found[self._covering(now, "on_call")[:, 0]] = True
        found[self._covering(now, "busy")[:, 0]] = False
        return found

    def overdue(self, now: datetime, began: Micros) -> NDArray[np.bool_]:
        """Tell whose shift has lasted as long as it may."""
        since = np.where(began == OFF, micros(now), began)
        return np.asarray((began != OFF) & (micros(now) - since >= self.longest))

    def _covering(self, now: datetime, kind: PeriodKind) -> Micros:
        at, rows = micros(now), self.periods
        of_kind = rows[:, 1] == KINDS.index(kind)
        return np.asarray(rows[of_kind & (rows[:, 2] <= at) & (at < rows[:, 3])])

    def _weekly_began(self, now: datetime, began: Micros) -> None:
        """Fill in when the shifts of the week began that run now, the earliest of each reader."""
        reader, days, start, end = self.shifts.T
        for number, name in enumerate(self.zones):
            local = now.astimezone(zone(name)).replace(tzinfo=None)
            midnight = datetime.combine(local.date(), time())
            at, bit = (local - midnight) // MICROSECOND, local.weekday()
            here = self.place[reader] == number
            today = here & (days >> bit & 1 == 1) & (start <= at) & (at < end)
            late = here & (days >> (bit - 1) % 7 & 1 == 1) & (start <= at + DAY) & (at + DAY < end)
            wall = np.where(today, start, start - DAY)
            runs = today | late
            for one in np.unique(wall[runs])[::-1]:
                moment = self._absolute(name, midnight + int(one) * MICROSECOND)
                began[reader[runs & (wall == one)]] = moment

    def _absolute(self, name: str, wall: datetime) -> int:
        """Place a wall-clock time; where it comes twice, the first time counts."""
        return micros(wall.replace(tzinfo=zone(name), fold=0))


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def _table(rows: Sequence[tuple[int, int, int, int]]) -> Micros:
    return np.array(rows, np.int64).reshape(-1, 4)


def _weekly(number: int, reader: Reader) -> list[tuple[int, int, int, int]]:
    rows = []
    for one in reader.shifts:
        days = sum(1 << WEEKDAYS.index(day) for day in set(one.days))
        start, end = _since_midnight(one.start), _since_midnight(one.end)
        rows.append((number, days, start, end + DAY * (one.end <= one.start)))
    return rows


def _dated(number: int, reader: Reader) -> list[tuple[int, int, int, int]]:
    return [
        (number, KINDS.index(one.kind), micros(one.begins_at), micros(one.ends_at))
        for one in reader.calendar
    ]


def _since_midnight(wall: time) -> int:
    return (datetime.combine(EPOCH, wall) - datetime.combine(EPOCH, time())) // MICROSECOND


def _longest(reader: Reader) -> int:
    hours = reader.caps.hours
    return int(OFF) if hours is None else timedelta(hours=hours) // MICROSECOND

"""Who is on shift, since when, and what day is it where they are? Of all readers at once.

The arithmetic is that of duty.py and reader.py, on arrays: wall-clock times for the shifts of the
week, absolute ones for the calendar. Times are whole microseconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.duty import WEEKDAYS, Caps, PeriodKind
from services.matching.domain.reader import Reader, zone
from services.matching.domain.stint import DAYS, LONGEST, REST, span

Micros: TypeAlias = NDArray[np.int64]
MICROSECOND: Final = timedelta(microseconds=1)
DAY: Final = timedelta(days=1) // MICROSECOND
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
OFF: Final = np.iinfo(np.int64).max
UNCAPPED: Final = Caps()
KINDS: Final[tuple[PeriodKind, ...]] = ("duty", "on_call", "busy")


@dataclass(frozen=True, slots=True)
class Timetable:
    """The shifts and calendars of a roster, one row for each shift and each period.

    `shifts`: reader, weekdays as bits, begin and end since midnight; `periods`: reader, kind,
    begin and end since 1970; `longest`: how long each reader's stint may last, and `capped` who has
    a cap at all; `zones`: the time zones there are, and `place` which of them is each reader's.
    """

    zones: tuple[str, ...]
    place: Micros
    shifts: Micros
    periods: Micros
    longest: Micros
    capped: NDArray[np.bool_]
    _placed: dict[tuple[int, ...], Micros] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

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
            np.array([one.caps != UNCAPPED for one in readers], bool),
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

    def since(self, now: datetime, began: Micros) -> Micros:
        """Give since when each reader with a cap has been at work (stint.py); OFF: they are not.

        `began`: since when each is on shift.
        """
        since = np.where(self.capped, began, OFF)
        called = self.capped & (began == OFF) & self.on_call(now)
        duty, calls, busy = (self.periods[self.periods[:, 1] == n][:, [0, 2, 3]] for n in range(3))
        calls = calls[called[calls[:, 0]]]
        running = calls[(calls[:, 1] <= micros(now)) & (micros(now) < calls[:, 2])]
        np.minimum.at(since, running[:, 0], running[:, 1])
        reader, start, end = np.concatenate([self._weeks(now), duty, calls]).T
        while (more := (start < since[reader]) & (since[reader] <= end)).any():
            np.minimum.at(since, reader[more], start[more])
        rested = np.full(len(since), micros(now - LONGEST))
        rests = busy[(busy[:, 2] <= micros(now)) & (busy[:, 2] - busy[:, 1] >= REST // MICROSECOND)]
        np.maximum.at(rested, rests[:, 0], rests[:, 2])
        return np.where(since == OFF, OFF, np.maximum(since, rested))

    def overdue(self, now: datetime, since: Micros) -> NDArray[np.bool_]:
        """Tell whose stint has lasted as long as it may."""
        began = np.where(since == OFF, micros(now), since)
        return np.asarray((since != OFF) & (micros(now) - began >= self.longest))

    def _weeks(self, now: datetime) -> Micros:
        """Give the last days' shifts of the week of who has a cap: reader, begin and end."""
        today = self.today(now)
        if today not in self._placed:
            self._placed.clear()
            rows = [row for one in range(len(self.zones)) for row in self._of_zone(one, today[one])]
            self._placed[today] = np.array(rows, np.int64).reshape(-1, 3)
        return self._placed[today]

    def _of_zone(self, number: int, today: int) -> Iterator[tuple[int, int, int]]:
        here = self.capped[self.shifts[:, 0]] & (self.place[self.shifts[:, 0]] == number)
        known: dict[tuple[int, int, int], tuple[int, int]] = {}
        for reader, days, start, end in self.shifts[here].tolist():
            for day in range(today - DAYS, today + 1):
                if days >> (day - 1) % 7 & 1:
                    key = (day, start, end)
                    if key not in known:
                        known[key] = self._span(self.zones[number], *key)
                    yield reader, *known[key]

    @staticmethod
    def _span(place: str, day: int, start: int, end: int) -> tuple[int, int]:
        midnight = datetime.combine(date.fromordinal(day), time())
        walls = (midnight + one * MICROSECOND for one in (start, end))
        begins, ends = span(place, *((one.date(), one.time()) for one in walls))
        return micros(begins), micros(ends)

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

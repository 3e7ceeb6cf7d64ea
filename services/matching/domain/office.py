"""When does a partner's clock run? In business hours, by the wall clock of a place; or always."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Annotated, Final, Self, TypeAlias

import holidays
from pydantic import AfterValidator, Field, model_validator

from services.matching.domain.duty import WEEKDAYS, Weekday, wall_time
from services.matching.domain.reader import known_zone, zone
from services.matching.domain.told import Told

WORKDAYS: Final[tuple[Weekday, ...]] = WEEKDAYS[:5]
DAY: Final = timedelta(days=1)
NOTHING: Final = timedelta(0)
Window: TypeAlias = tuple[datetime, datetime]


def _known_place(code: str) -> str:
    """Take the code of a country or a part of it (ISO 3166-1, 3166-2)."""
    try:
        _public(code, 2026)
    except NotImplementedError:
        raise ValueError("a country or its part is wanted, such as DE or US-VT") from None
    return code


@cache
def _public(code: str, year: int) -> frozenset[date]:
    """Give a place's public holidays, those included that are kept on another day."""
    country, _, part = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


class OfficeHours(Told):
    """The hours of a working day at a place.

    `holidays` names the place whose public holidays are kept (ISO 3166); `closed` are days besides.
    """

    time_zone: Annotated[str, AfterValidator(known_zone)]
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WORKDAYS
    opens: Annotated[time, AfterValidator(wall_time)]
    closes: Annotated[time, AfterValidator(wall_time)]
    holidays: Annotated[str, AfterValidator(_known_place)] | None = None
    closed: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _open_at_all(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError("the office must close after it opens, on the same day")
        return self

    def later(self, start: datetime, span: timedelta) -> datetime:
        """Give the moment at which this much office time has gone by since the start."""
        if span <= NOTHING:
            return start
        for opens, closes in self._windows(start, forward=True):
            room = closes - max(opens, start)
            if span <= room:
                return max(opens, start) + span
            span -= max(room, NOTHING)
        raise AssertionError  # an office opens every week

    def earlier(self, end: datetime, span: timedelta) -> datetime:
        """Give the moment from which this much office time goes by until the end."""
        if span <= NOTHING:
            return end
        for opens, closes in self._windows(end, forward=False):
            room = min(closes, end) - opens
            if span <= room:
                return min(closes, end) - span
            span -= max(room, NOTHING)
        raise AssertionError

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Give the office time between two moments; below zero if the second is the earlier."""
        if end < start:
            return -self.between(end, start)
        total = NOTHING
        for opens, closes in self._windows(start, forward=True):
            if opens >= end:
                return total
            total += max(min(closes, end) - max(opens, start), NOTHING)
        raise AssertionError

    def _windows(self, moment: datetime, *, forward: bool) -> Iterator[Window]:
        """Give the office's days from a moment on, one way or the other, without end."""
        place, step = zone(self.time_zone), DAY if forward else -DAY
        day = moment.astimezone(place).date()
        while True:
            if self._works_on(day):
                opens, closes = (
                    datetime.combine(day, at, place) for at in (self.opens, self.closes)
                )
                yield opens.astimezone(UTC), closes.astimezone(UTC)
            day += step

    def _works_on(self, day: date) -> bool:
        if WEEKDAYS[day.weekday()] not in self.days or day in self.closed:
            return False
        return self.holidays is None or day not in _public(self.holidays, day.year)


class Board(Told):
    """A tumour board that meets every week.

    Its cases are owed `ready_before` it begins; a case accepted less than `notice` before that is
    for the next meeting.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    at: Annotated[time, AfterValidator(wall_time)]
    time_zone: Annotated[str, AfterValidator(known_zone)]
    ready_before: Annotated[timedelta, Field(ge=NOTHING, le=timedelta(days=7))] = NOTHING
    notice: Annotated[timedelta, Field(ge=NOTHING, le=timedelta(days=60))] = DAY

    def owed(self, accepted_at: datetime) -> datetime:
        """Give when a case is owed that was accepted then."""
        place = zone(self.time_zone)
        day = accepted_at.astimezone(place).date()
        while True:
            owed = datetime.combine(day, self.at, place).astimezone(UTC) - self.ready_before
            if WEEKDAYS[day.weekday()] in self.days and owed >= accepted_at + self.notice:
                return owed
            day += DAY

"""When will a reader be on shift? Shifts and calendar as intervals of absolute time, days ahead."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from services.matching.domain.duty import WEEKDAYS, PeriodKind
from services.matching.domain.reader import Reader

Interval: TypeAlias = tuple[float, float]


def intervals(reader: Reader, since: datetime, until: datetime) -> list[Interval]:
    """Give when the reader is on shift between two times, as seconds since 1970."""
    rostered = [*_weekly(reader, since, until), *_calendar(reader, "duty")]
    return _without_busy(reader, rostered, since, until)


def on_call(reader: Reader, since: datetime, until: datetime) -> list[Interval]:
    """Give when the reader may be paged, likewise."""
    return _without_busy(reader, _calendar(reader, "on_call"), since, until)


def _weekly(reader: Reader, since: datetime, until: datetime) -> Iterator[Interval]:
    zone = ZoneInfo(reader.time_zone)
    day = reader.local(since).date() - timedelta(days=1)
    last = reader.local(until).date()
    while day <= last:
        for shift in reader.shifts:
            if WEEKDAYS[day.weekday()] in shift.days:
                overnight = timedelta(days=1 if shift.end <= shift.start else 0)
                begins = datetime.combine(day, shift.start, zone).astimezone(UTC)
                ends = datetime.combine(day + overnight, shift.end, zone).astimezone(UTC)
                yield begins.timestamp(), ends.timestamp()
        day += timedelta(days=1)


def _calendar(reader: Reader, kind: PeriodKind) -> list[Interval]:
    of = [one for one in reader.calendar if one.kind == kind]
    return [(one.begins_at.timestamp(), one.ends_at.timestamp()) for one in of]


def _without_busy(
    reader: Reader, rostered: Iterable[Interval], since: datetime, until: datetime
) -> list[Interval]:
    """Join what meets, cut out what is busy, and keep what touches the time asked for."""
    left = _joined(sorted(rostered))
    for begins, ends in _joined(sorted(_calendar(reader, "busy"))):
        left = [part for one in left for part in _cut(one, begins, ends)]
    return [one for one in left if one[1] > since.timestamp() and one[0] < until.timestamp()]


def _cut(one: Interval, begins: float, ends: float) -> Iterator[Interval]:
    for part in ((one[0], min(one[1], begins)), (max(one[0], ends), one[1])):
        if part[0] < part[1]:
            yield part


def _joined(each: Iterable[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for begins, ends in each:
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((begins, ends))
    return joined

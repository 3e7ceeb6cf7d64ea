"""Since when has a reader been at work without a break? From there the caps on fatigue count.

A stint is all shifts and duties that touch or overlap: nobody is rested because one shift ends
where the next begins. Who is on call, and on no shift, is in a stint of the on-call time and the
shifts and duties that touch it: a night on call after a day's work is no rest. A busy time within
a stint does not end it, unless it is as long as a night.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias

from services.matching.domain.duty import WEEKDAYS
from services.matching.domain.reader import Reader, zone

Block: TypeAlias = tuple[datetime, datetime]
# No cap in hours is longer (duty.Caps), so nobody looks further back.
LONGEST: Final = timedelta(hours=48)
# Days (where the reader is) on which a shift of the week began that may reach so far.
DAYS: Final = 4
# No shift of the week is longer: of who is rostered round the clock, or on call for weeks, the work
# of the last day counts.
A_DAY: Final = timedelta(days=1)
# What the European Union's working time directive calls a daily rest (2003/88/EC, article 3).
REST: Final = timedelta(hours=11)


def at_work_since(reader: Reader, now: datetime) -> datetime | None:
    """Give when the stint began, at most 48 hours ago; None: neither on shift nor on call."""
    began = reader.shift_began(now)
    called = began is None and reader.on_call_at(now)
    if called:
        began = min(
            one.begins_at for one in reader.calendar if one.kind == "on_call" and one.covers(now)
        )
    if began is None:
        return None
    began = began.astimezone(UTC)
    blocks = list(_blocks(reader, now, called=called))
    while earlier := [start for start, end in blocks if start < began <= end]:
        began = min(earlier)
    rests = (
        one.ends_at
        for one in reader.calendar
        if one.kind == "busy" and one.ends_at <= now and one.ends_at - one.begins_at >= REST
    )
    return max(began, now - LONGEST, *rests)


def counted_from(reader: Reader, now: datetime) -> datetime | None:
    """Give since when cases and RVU count against the reader's caps."""
    since = at_work_since(reader, now)
    return None if since is None else max(since, now - A_DAY)


def overdue(reader: Reader, now: datetime) -> bool:
    """Tell whether the stint has lasted as long as it may."""
    if reader.caps.hours is None:
        return False
    since = at_work_since(reader, now)
    return since is not None and now - since >= timedelta(hours=reader.caps.hours)


def _blocks(reader: Reader, now: datetime, *, called: bool) -> Iterator[Block]:
    kinds = ("duty", "on_call") if called else ("duty",)
    for one in reader.calendar:
        if one.kind in kinds:
            yield one.begins_at, one.ends_at
    today = reader.day(now)
    for back in range(DAYS + 1):
        day = today - timedelta(days=back)
        for shift in reader.shifts:
            if WEEKDAYS[day.weekday()] in shift.days:
                after = day + timedelta(days=shift.end <= shift.start)
                start, end = span(reader.time_zone, (day, shift.start), (after, shift.end))
                yield start, end


def span(place: str, start: tuple[date, time], end: tuple[date, time]) -> Block:
    """Place wall-clock times. As clocks go back, the first of two is a start, the second an end."""
    begins = datetime.combine(*start, zone(place)).astimezone(UTC)
    both = (datetime.combine(*end, zone(place)).replace(fold=fold) for fold in (0, 1))
    return begins, max(one.astimezone(UTC) for one in both)

"""When does a calendar say that a reader works? iCalendar (RFC 5545) as periods of duty.

An event counts by its categories: ON-CALL, BUSY (or LEAVE, VACATION, OUT-OF-OFFICE), DUTY (or
SHIFT); one without counts as the import says. What is transparent or cancelled counts as nothing.
Whatever could name somebody (summary, description, attendees, place) is dropped before it is kept.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from services.matching.domain.duty import Period, PeriodKind
from services.matching.domain.reader import Reader

BEHIND: Final = timedelta(days=1)
AHEAD: Final = timedelta(days=60)
MOST_EVENTS: Final = 2000
MOST_PERIODS: Final = 1000
# Nobody's shifts repeat by the hour; a rule that does would make millions of them.
TOO_OFTEN: Final = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
KINDS: Final[dict[str, PeriodKind]] = {
    "ON-CALL": "on_call",
    "ONCALL": "on_call",
    "DUTY": "duty",
    "SHIFT": "duty",
    "BUSY": "busy",
    "LEAVE": "busy",
    "VACATION": "busy",
    "OUT-OF-OFFICE": "busy",
}
KEPT: Final = frozenset(
    {
        "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "UID",
        "SEQUENCE", "STATUS", "TRANSP", "CATEGORIES", "DTSTAMP",
    }
)  # fmt: skip


class CalendarBroken(ValueError):  # noqa: N818 - a state of the text
    """The text can't be used; the message says what to mend, and quotes nothing of it."""


def cleaned(text: bytes) -> str:
    """Give the calendar without what could name somebody; raises CalendarBroken."""
    calendar = _parsed(text)
    events = list(calendar.walk("VEVENT"))
    if len(events) > MOST_EVENTS:
        raise CalendarBroken(f"more than {MOST_EVENTS} events: send the coming months only")
    for number, event in enumerate(events, 1):
        if event.get("DTSTART") is None:
            raise CalendarBroken(f"event {number} has no DTSTART")
        rules = event.get("RRULE", ())
        for rule in rules if isinstance(rules, list) else [rules]:
            if rule and TOO_OFTEN & {str(one).upper() for one in rule.get("FREQ", ())}:
                raise CalendarBroken(f"event {number} repeats more often than daily")
        for name in [name for name in event if name not in KEPT]:
            del event[name]
        # An id may be an address; an exception only has to find its series again by it.
        event["UID"] = hashlib.sha256(str(event.get("UID", number)).encode()).hexdigest()
        event.subcomponents.clear()  # alarms
    for name in [name for name in calendar if name not in ("VERSION", "PRODID", "CALSCALE")]:
        del calendar[name]
    return str(calendar.to_ical().decode())


def periods(
    text: str, reader: Reader, kind: PeriodKind, source: str, now: datetime
) -> tuple[Period, ...]:
    """Give the calendar's periods from yesterday to two months ahead, in order."""
    calendar = _parsed(text.encode())
    try:
        found = recurring_ical_events.of(calendar).between(now - BEHIND, now + AHEAD)
    except (ValueError, TypeError, OverflowError):
        raise CalendarBroken("a date or a rule of repetition makes no sense") from None
    each = sorted(_each(found, reader, kind, source), key=lambda one: (one.begins_at, one.ends_at))
    if len(each) > MOST_PERIODS:
        raise CalendarBroken(f"more than {MOST_PERIODS} periods in two months")
    return tuple(each)


def _parsed(text: bytes) -> Any:
    try:
        return icalendar.Calendar.from_ical(text)
    except (ValueError, IndexError, KeyError, TypeError):
        raise CalendarBroken("this is no iCalendar text (RFC 5545)") from None


def _each(found: Any, reader: Reader, kind: PeriodKind, source: str) -> Iterator[Period]:
    for event in found:
        status, transparency = str(event.get("STATUS", "")), str(event.get("TRANSP", ""))
        if status.upper() == "CANCELLED" or transparency.upper() == "TRANSPARENT":
            continue
        begins, ends = _instant(event.start, reader), _instant(event.end, reader)
        if begins < ends:
            yield Period(begins_at=begins, ends_at=ends, kind=_kind(event) or kind, source=source)


def _kind(event: Any) -> PeriodKind | None:
    lists = event.get("CATEGORIES", ())
    each = lists if isinstance(lists, list) else [lists]
    names = [
        str(name).upper().replace(" ", "-") for one in each for name in getattr(one, "cats", ())
    ]
    return next((KINDS[name] for name in names if name in KINDS), None)


def _instant(moment: date | datetime, reader: Reader) -> datetime:
    """Give a moment in UTC; a date, or a time without a zone, is the reader's own."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 - made aware below
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(reader.time_zone))
    return moment.astimezone(UTC)

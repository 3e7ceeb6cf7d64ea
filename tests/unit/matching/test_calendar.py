"""iCalendar as readers' programs write it: zones, repetition, exceptions, leave, nonsense."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.matching.domain.duty import Period
from services.matching.gateways.calendar import CalendarBroken, cleaned, periods
from tests.unit.matching.cases import NOON, reader

WHO = reader()  # in Boston


def calendar(*events: str) -> bytes:
    each = "\r\n".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\n{one}\r\nEND:VEVENT" for n, one in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{each}\r\nEND:VCALENDAR\r\n".encode()


def event(*lines: str) -> str:
    return "\r\n".join(lines)


def read(*events: str) -> tuple[Period, ...]:
    return periods(cleaned(calendar(*events)), WHO, "duty", "mine", NOON)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "begins", "ends", "kind"),
    [
        (("DTSTART:20261103T140000Z", "DTEND:20261103T220000Z"), utc(3, 14), utc(3, 22), "duty"),
        # A zone that the calendar names, and one that it leaves to the reader.
        (
            ("DTSTART;TZID=Europe/Berlin:20261103T090000", "DURATION:PT8H"),
            utc(3, 8),
            utc(3, 16),
            "duty",
        ),
        (("DTSTART:20261103T090000", "DTEND:20261103T170000"), utc(3, 14), utc(3, 22), "duty"),
        # A whole day is the reader's day.
        (
            ("DTSTART;VALUE=DATE:20261103", "DTEND;VALUE=DATE:20261104", "CATEGORIES:LEAVE"),
            utc(3, 5),
            utc(4, 5),
            "busy",
        ),
        (
            ("DTSTART:20261103T140000Z", "DTEND:20261103T220000Z", "CATEGORIES:Team,On Call"),
            utc(3, 14),
            utc(3, 22),
            "on_call",
        ),
    ],
)
def test_an_event_is_a_period(
    lines: tuple[str, ...], begins: datetime, ends: datetime, kind: str
) -> None:
    [found] = read(event(*lines))

    assert (found.begins_at, found.ends_at, found.kind) == (begins, ends, kind)
    assert found.source == "mine"


def test_repetition_keeps_the_wall_clock_over_the_change_and_leaves_out_exceptions() -> None:
    found = read(
        event(
            "DTSTART;TZID=America/New_York:20261005T090000",
            "DTEND;TZID=America/New_York:20261005T170000",
            "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20261130T235959Z",
            "EXDATE;TZID=America/New_York:20261116T090000",
        )
    )

    assert [one.begins_at for one in found] == [utc(2, 14), utc(9, 14), utc(23, 14), utc(30, 14)]


def test_a_moved_day_of_a_series_is_found_again_although_ids_are_not_kept() -> None:
    series = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
        "BEGIN:VEVENT\r\nUID:i.elsgrigaard@example.org\r\nDTSTART:20261102T140000Z\r\n"
        "DTEND:20261102T220000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:i.elsgrigaard@example.org\r\nRECURRENCE-ID:20261103T140000Z\r\n"
        "DTSTART:20261103T160000Z\r\nDTEND:20261103T220000Z\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    )

    text = cleaned(series.encode())

    found = periods(text, WHO, "duty", "mine", NOON)
    assert "elsgrigaard" not in text
    assert [one.begins_at for one in found] == [utc(2, 14), utc(3, 16)]


def test_what_is_cancelled_or_transparent_is_no_duty() -> None:
    when = ("DTSTART:20261103T140000Z", "DTEND:20261103T220000Z")

    assert read(event(*when, "STATUS:CANCELLED"), event(*when, "TRANSP:TRANSPARENT")) == ()


def test_nothing_that_could_name_somebody_is_kept() -> None:
    text = cleaned(
        calendar(
            event(
                "DTSTART:20261103T140000Z",
                "DTEND:20261103T220000Z",
                "SUMMARY:Biopsy of Ingeborg Elsgrigaard",
                "DESCRIPTION:Elsgrigaard",
                "LOCATION:Elsgrigaard's home",
                "ATTENDEE;CN=Elsgrigaard:mailto:i@example.org",
                "X-NOTE:Elsgrigaard",
                "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Elsgrigaard\r\nTRIGGER:-PT5M\r\nEND:VALARM",
            )
        )
    )

    assert "Elsgrigaard" not in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "no iCalendar"),
        (b"\xff\xfe", "no iCalendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "no iCalendar"),
        (calendar("SUMMARY:x"), "event 1 has no DTSTART"),
        (calendar("DTSTART:20261103T140000Z\r\nRRULE:FREQ=SECONDLY"), "more often than daily"),
        (calendar(*["DTSTART:20261103T140000Z"] * 2001), "more than 2000 events"),
    ],
)
def test_what_can_not_be_a_calendar_is_refused(text: bytes, says: str) -> None:
    with pytest.raises(CalendarBroken, match=says):
        cleaned(text)


def test_an_imported_leave_takes_the_reader_off_shift() -> None:
    leave = event("DTSTART;VALUE=DATE:20261102", "DTEND;VALUE=DATE:20261103", "CATEGORIES:VACATION")
    changes: dict[str, Any] = {"calendar": read(leave)}

    assert WHO.on_shift(NOON)
    assert not reader(**changes).on_shift(NOON)
    assert reader(**changes).on_shift(NOON + timedelta(days=1))

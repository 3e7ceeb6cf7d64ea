"""The caps against fatigue: over the seams of shifts, on call, and from where work counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.matching.domain.columns import Columns
from services.matching.domain.eligibility import Candidate, Question, Work, barred
from services.matching.domain.reader import Caps, Period, Reader
from services.matching.domain.stint import counted_from
from tests.unit.matching.cases import at, reader, shift
from tests.unit.matching.test_rules import excluded, need

# The reader's shift begins at 08:00 in Boston, which is 13:00 UTC in winter.
DAY = shift("08:00", "20:00")


@pytest.mark.parametrize(
    ("caps", "work", "hours", "name"),
    [
        (Caps(), Work(cases=999, rvu=999), 11, None),
        (Caps(hours=8), Work(), 7.99, None),
        (Caps(hours=8), Work(), 8, "fatigue_hours"),
        (Caps(cases=3), Work(cases=2), 1, None),
        (Caps(cases=3), Work(cases=3), 1, "fatigue_cases"),
        (Caps(rvu=1), Work(rvu=0.78), 1, None),
        (Caps(rvu=1), Work(rvu=0.79), 1, "fatigue_rvu"),
        (Caps(rvu=0.1), Work(), 1, None),
    ],
)
def test_fatigue_is_capped_in_hours_cases_and_rvu(
    caps: Caps, work: Work, hours: float, name: str | None
) -> None:
    now = datetime(2026, 11, 2, 13, tzinfo=UTC) + timedelta(hours=hours)

    assert excluded(reader(shifts=(DAY,), caps=caps), need(), work=work, now=now) == name


def on_call(begins: float, ends: float) -> Period:
    return Period(kind="on_call", begins_at=at(hours=begins), ends_at=at(hours=ends))


def duty(begins: float, ends: float) -> Period:
    return Period(begins_at=at(hours=begins), ends_at=at(hours=ends))


def leave(begins: float, ends: float) -> Period:
    return Period(kind="busy", begins_at=at(hours=begins), ends_at=at(hours=ends))


# In UTC the shift ends at noon.
MORNING: dict[str, Any] = {"shifts": (shift("04:00", "12:00"),), "time_zone": "UTC"}
OFF_SHIFT: dict[str, Any] = {"shifts": (), "time_zone": "UTC"}


@pytest.mark.parametrize(
    ("who", "hours", "name"),
    [
        # The weekly shift goes over into a duty of the calendar, or another shift, at noon.
        (reader(**MORNING, calendar=(duty(0, 8),), caps=Caps(hours=8)), 0, "fatigue_hours"),
        (reader(**MORNING, calendar=(duty(-1, 8),), caps=Caps(hours=9)), 0.99, None),
        (reader(**MORNING, calendar=(duty(-1, 8),), caps=Caps(hours=9)), 1, "fatigue_hours"),
        (
            reader(shifts=(*MORNING["shifts"], shift("12:00", "20:00")), time_zone="UTC",
                   caps=Caps(hours=8)),
            0.1, "fatigue_hours",
        ),
        # With an hour in between it is another stint.
        (reader(**MORNING, calendar=(duty(1, 8),), caps=Caps(hours=8)), 1, None),
        # So it is after a night off, and not after a meeting.
        (reader(shifts=(shift(),), calendar=(leave(-12, -1),), caps=Caps(hours=8)), 6, None),
        (
            reader(shifts=(shift(),), calendar=(leave(-3, -1),), caps=Caps(hours=8)),
            6, "fatigue_hours",
        ),
    ],
)  # fmt: skip
def test_nobody_is_rested_by_the_seam_of_two_shifts(
    who: Reader, hours: float, name: str | None
) -> None:
    assert excluded(who, need(), now=at(hours=hours)) == name


def paged(who: Reader, hours: float, work: Work) -> str | None:
    question = Question(need(), frozenset(), at(hours=hours), paged=True)
    by = barred(question, Candidate(who, 0, work))
    return by.name if by else None


@pytest.mark.parametrize(
    ("who", "hours", "work", "name"),
    [
        # Called after a shift of eight hours: the night on call is no rest.
        (reader(**MORNING, calendar=(on_call(0, 8),), caps=Caps(hours=9)), 0.9, Work(), None),
        (
            reader(**MORNING, calendar=(on_call(0, 8),), caps=Caps(hours=9)),
            1, Work(), "fatigue_hours",
        ),
        (reader(**OFF_SHIFT, calendar=(on_call(0, 9),), caps=Caps(hours=8)), 7.9, Work(), None),
        (
            reader(**OFF_SHIFT, calendar=(on_call(0, 9),), caps=Caps(hours=8)),
            8, Work(), "fatigue_hours",
        ),
        (
            reader(**OFF_SHIFT, calendar=(on_call(0, 9),), caps=Caps(cases=3)),
            1, Work(cases=3), "fatigue_cases",
        ),
        (
            reader(**OFF_SHIFT, calendar=(on_call(0, 9),), caps=Caps(rvu=1)),
            1, Work(cases=4, rvu=0.9), "fatigue_rvu",
        ),
    ],
)  # fmt: skip
def test_the_caps_bind_who_is_paged(
    who: Reader, hours: float, work: Work, name: str | None
) -> None:
    assert paged(who, hours, work) == name


@pytest.mark.parametrize(
    ("who", "hours", "since"),
    [
        (reader(**MORNING), -1, -8),
        (reader(**MORNING), 1, None),
        (reader(**MORNING, calendar=(duty(-10, -8), duty(0, 4))), 1, -10),
        (reader(**MORNING, calendar=(on_call(0, 4),)), 1, -8),
        (reader(**OFF_SHIFT, calendar=(on_call(-4, 4),)), 1, -4),
        # Who begins a shift after a night on call begins it rested.
        (reader(**MORNING, calendar=(on_call(-16, -8),)), -1, -8),
        # Round the clock: the work of the last day counts.
        (reader(**OFF_SHIFT, calendar=(on_call(-400, 400),)), 1, -23),
        (reader(time_zone="UTC"), 1, -23),
        (reader(**MORNING, calendar=(leave(-4, 4),)), -1, None),
    ],
)
def test_work_counts_from_the_beginning_of_the_stint(
    who: Reader, hours: float, since: float | None
) -> None:
    counted = counted_from(who, at(hours=hours))

    assert counted == (None if since is None else at(hours=since))
    capped = who.model_copy(update={"caps": Caps(cases=1)})
    known = Columns((capped,)).counted_from(at(hours=hours))
    assert known == ({} if counted is None else {who.id: counted})

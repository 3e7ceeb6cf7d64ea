"""Business hours, holidays, zones, daylight saving and tumour boards; against a slow count."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.matching.domain.contract import DEFAULT, Contract, Contracts, Terms
from services.matching.domain.decide import MATCHING
from services.matching.domain.duty import WEEKDAYS
from services.matching.domain.inputs import Input
from services.matching.domain.office import Board, OfficeHours
from services.matching.domain.state import Matching, Running
from shared.contracts.base import DeadlineReached, Event, ServiceLevel
from shared.contracts.matching import (
    ClockResumed,
    SlaBreached,
    SlaMet,
    StageCompleted,
)
from shared.decider import Decider
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    accepted,
    deidentified,
    delivered,
    provided,
    requested,
)

HOUR = timedelta(hours=1)
BOSTON = OfficeHours(time_zone="America/New_York", opens=time(9), closes=time(17), holidays="US-MA")


def boston(text: str) -> datetime:
    """Read a wall-clock time of Boston."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-02 09:00", 3, "2026-11-02 12:00"),
        ("2026-11-02 16:00", 3, "2026-11-03 11:00"),
        ("2026-11-06 16:00", 3, "2026-11-09 11:00"),  # over a weekend
        ("2026-11-07 03:00", 1, "2026-11-09 10:00"),  # on a Saturday
        ("2026-11-10 16:00", 2, "2026-11-12 10:00"),  # over Veterans Day
        ("2026-11-25 16:00", 2, "2026-11-27 10:00"),  # over Thanksgiving
        ("2026-04-17 16:00", 2, "2026-04-21 10:00"),  # over Patriots' Day, kept in Massachusetts
        ("2027-07-02 16:00", 2, "2027-07-06 10:00"),  # the 4th is a Sunday, kept on the Monday
        ("2026-11-02 09:00", 8, "2026-11-02 17:00"),
        ("2026-11-02 18:00", 0, "2026-11-02 18:00"),
    ],
)
def test_business_time_runs_in_office_hours_only(start: str, hours: int, end: str) -> None:
    assert BOSTON.later(boston(start), hours * HOUR) == boston(end)
    if hours:
        assert BOSTON.between(boston(start), boston(end)) == hours * HOUR


def test_a_day_on_which_the_clocks_change_has_the_hours_it_has() -> None:
    around = OfficeHours(
        time_zone="Europe/Berlin", days=WEEKDAYS, opens=time(0), closes=time(23, 59)
    )

    spring = around.between(
        datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 21, 59, tzinfo=UTC)
    )
    autumn = around.between(
        datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, tzinfo=UTC)
    )

    assert spring == timedelta(hours=22, minutes=59)
    assert autumn == timedelta(hours=24, minutes=59)


OFFICES = st.builds(
    lambda zone, days, opens, hours, closed: OfficeHours(
        time_zone=zone,
        days=tuple(days),
        opens=time(opens),
        closes=time(opens + hours),
        closed=tuple(closed),
    ),
    st.sampled_from(("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")),
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    st.integers(0, 12),
    st.integers(1, 11),
    st.lists(st.dates(date(2026, 3, 20), date(2026, 4, 10)), max_size=3),
)
# The clocks of Berlin change on 29 March 2026, those of Lord Howe (by half an hour) on 5 April.
MOMENTS = st.datetimes(datetime(2026, 3, 25), datetime(2026, 4, 8)).map(  # noqa: DTZ001 - made aware
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
)


def minutes_open(office: OfficeHours, start: datetime, end: datetime) -> int:
    """Count minute by minute."""
    place, count = ZoneInfo(office.time_zone), 0
    while start < end:
        local = start.astimezone(place)
        works = WEEKDAYS[local.weekday()] in office.days and local.date() not in office.closed
        count += works and office.opens <= local.time() < office.closes
        start += timedelta(minutes=1)
    return count


@settings(max_examples=100, deadline=None)
@given_any(OFFICES, MOMENTS, st.integers(0, 4000))
def test_office_time_is_what_a_minute_by_minute_count_gives(
    office: OfficeHours, start: datetime, minutes: int
) -> None:
    end = start + timedelta(minutes=minutes)

    assert office.between(start, end) == timedelta(minutes=minutes_open(office, start, end))


@settings(max_examples=200, deadline=None)
@given_any(OFFICES, MOMENTS, st.integers(1, 3000))
def test_later_and_earlier_undo_each_other(
    office: OfficeHours, start: datetime, minutes: int
) -> None:
    span = timedelta(minutes=minutes)

    end = office.later(start, span)

    assert office.between(start, end) == span
    assert office.between(office.earlier(end, span), end) == span
    assert office.between(end, start) == -span


WRONG: tuple[Mapping[str, Any], ...] = (
    {"opens": "17:00", "closes": "09:00"},
    {"holidays": "ATLANTIS"},
    {"holidays": "US-XX"},
    {"time_zone": "Boston"},
    {"days": []},
)


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_office_hours_that_make_no_sense_are_refused(changes: Mapping[str, Any]) -> None:
    right = {"time_zone": "UTC", "opens": "09:00", "closes": "17:00"}

    with pytest.raises(ValidationError):
        OfficeHours.model_validate({**right, **changes})


def test_a_level_in_business_time_needs_office_hours() -> None:
    terms = DEFAULT["routine"].model_dump() | {"time": "business"}

    with pytest.raises(ValidationError, match="no office hours are given"):
        Contract.model_validate({"partner": "st-elsewhere", "levels": {"routine": terms}})
    with pytest.raises(ValidationError, match="calendar time"):
        Terms.model_validate(DEFAULT["routine"].model_dump() | {"office": BOSTON.model_dump()})


def agreed(level: ServiceLevel, **changes: Any) -> Spec[Matching, Input, Event]:
    terms = Terms.model_validate(DEFAULT[level].model_dump() | changes)
    contract = Contract(partner="st-elsewhere", office=BOSTON, levels={level: terms})
    initial = Matching(contracts=Contracts(by_partner={"st-elsewhere": contract}))
    return given(Decider(initial, MATCHING.decide, MATCHING.evolve, MATCHING.deadlines))


BUSINESS = {
    "time": "business",
    "target": 16 * HOUR,
    "budgets": {"deid": HOUR, "match": 2 * HOUR, "read": 10 * HOUR, "deliver": HOUR},
}
FRIDAY = boston("2026-11-06 16:00")


def test_a_clock_in_business_time_sleeps_over_the_weekend() -> None:
    case = agreed("routine", **BUSINESS).then(accepted(accepted_at=FRIDAY), FRIDAY)
    clock = case.state.clock

    step = case.when(deidentified(), boston("2026-11-09 09:30"))

    assert isinstance(clock, Running)
    assert clock.due_at == boston("2026-11-10 16:00")
    [done] = [e for e in step.events if isinstance(e, StageCompleted)]
    assert done.took == timedelta(hours=1, minutes=30)


def test_a_report_is_owed_in_office_hours_too() -> None:
    case = agreed("routine", **BUSINESS).then(accepted(accepted_at=FRIDAY), FRIDAY)
    late = boston("2026-11-06 16:30")  # half an hour later it would be owed the day before
    other = agreed("routine", **BUSINESS).then(accepted(accepted_at=late), late)

    assert isinstance(case.state.clock, Running)
    assert case.state.clock.owed_at == boston("2026-11-10 15:00")
    assert isinstance(other.state.clock, Running)
    assert other.state.clock.owed_at == boston("2026-11-10 15:30")
    early = other.state.clock.model_copy(update={"due_at": boston("2026-11-10 09:30")})
    assert early.owed_at == boston("2026-11-09 16:30")


def test_a_pause_in_business_time_moves_the_deadline_by_business_time() -> None:
    case = agreed("routine", **BUSINESS).then(accepted(accepted_at=FRIDAY), FRIDAY)
    paused = case.then(requested(), boston("2026-11-06 16:30"))

    step = paused.when(provided(), boston("2026-11-09 10:30"))

    [resumed] = [e for e in step.events if isinstance(e, ClockResumed)]
    assert resumed.due_at == boston("2026-11-11 10:00").replace(day=12)  # the 11th is a holiday
    done = paused.then(provided(), boston("2026-11-09 10:30")).when(
        delivered(boston("2026-11-09 12:30")), boston("2026-11-09 12:31")
    )
    [met] = [e for e in done.events if isinstance(e, SlaMet)]
    assert met.took == timedelta(hours=2, minutes=30)


def test_all_that_falls_due_in_business_time_falls_before_the_breach_in_order() -> None:
    case = agreed("routine", **BUSINESS).then(accepted(accepted_at=FRIDAY), FRIDAY)

    wanted = {one.kind: one.due_at for one in MATCHING.deadlines(case.state)}

    assert wanted["sla:at_risk"] == boston("2026-11-09 10:00") + timedelta(hours=0, minutes=54)
    assert wanted["sla:breach"] == boston("2026-11-10 16:00")
    assert wanted["rung:2"] == boston("2026-11-10 12:48")


THURSDAYS = Board(
    days=("thu",),
    at=time(8),
    time_zone="America/New_York",
    ready_before=12 * HOUR,
    notice=24 * HOUR,
)


@pytest.mark.parametrize(
    ("accepted_at", "owed"),
    [
        ("2026-11-02 12:00", "2026-11-04 20:00"),
        ("2026-11-03 20:00", "2026-11-04 20:00"),
        ("2026-11-03 20:01", "2026-11-11 20:00"),
        ("2026-10-27 12:00", "2026-10-28 20:00"),  # before the clocks change, and after
    ],
)
def test_a_tumour_board_is_the_deadline(accepted_at: str, owed: str) -> None:
    assert THURSDAYS.owed(boston(accepted_at)) == boston(owed)


def board_case(**changes: Any) -> Spec[Matching, Input, Event]:
    start = boston("2026-11-02 12:00")
    case = agreed("tumour_board", boards=[THURSDAYS.model_dump()])
    submitted = accepted(accepted_at=start, service_level="tumour_board", **changes)
    return case.then(submitted, start)


def test_a_meeting_does_not_wait_for_who_owes_something() -> None:
    paused = board_case().then(requested(), boston("2026-11-03 12:00"))

    [soon] = paused.when(provided(), boston("2026-11-03 18:00")).events[-1:]
    missed = paused.when(provided(), boston("2026-11-05 12:00"))

    assert isinstance(soon, ClockResumed)
    assert soon.due_at == boston("2026-11-04 20:00")
    [late] = [e for e in missed.events if isinstance(e, ClockResumed)]
    assert late.due_at == boston("2026-11-06 20:00")  # nobody could have kept the meeting
    assert not [e for e in missed.events if isinstance(e, SlaBreached)]


def test_a_procedure_outranks_the_meeting() -> None:
    procedure = boston("2026-11-04 07:00")

    clock = board_case(procedure_at=procedure).state.clock

    assert isinstance(clock, Running)
    assert clock.due_at == procedure


def test_a_breach_in_business_time_is_said_at_its_moment() -> None:
    case = agreed("routine", **BUSINESS).then(accepted(accepted_at=FRIDAY), FRIDAY)
    due = boston("2026-11-10 16:00")

    early = case.when(
        DeadlineReached(case_id=CASE, kind="sla:breach", due_at=due - HOUR), due - HOUR
    )
    step = case.when(DeadlineReached(case_id=CASE, kind="sla:breach", due_at=due), due)

    assert not [e for e in early.events if isinstance(e, SlaBreached)]
    assert [e.due_at for e in step.events if isinstance(e, SlaBreached)] == [due]

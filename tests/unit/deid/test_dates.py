"""Laws of shifted dates and times: a range is its ends, a part of a date is a date's part."""

import re
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deid.domain.dates import shift_datetime

DAYS = st.integers(-3650, -30)
DATES = st.dates(min_value=date(1912, 1, 1), max_value=date(2099, 12, 31))
LEAP_DAYS = st.sampled_from([date(year, 2, 29) for year in range(1912, 2100, 4)])
MINUTES = st.integers(-12 * 60, 14 * 60)  # PS3.5 6.2: zones from -1200 to +1400
LEADING = re.compile(r"\d+")
PRECISIONS = ("%Y", "%Y%m", "%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S")


def zone(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


@st.composite
def singles(draw: st.DrawFn) -> str:
    """A DT of any precision, with a fraction and a zone or without."""
    day, time = draw(DATES | LEAP_DAYS), draw(st.times())
    style = draw(st.sampled_from(PRECISIONS))
    text = datetime.combine(day, time).strftime(style)
    if style == PRECISIONS[-1]:
        text += draw(st.sampled_from(("", ".5", ".123456")))
    return text + (zone(draw(MINUTES)) if draw(st.booleans()) else "")


@given(singles(), DAYS)
def test_a_single_moves_as_its_day_does(text: str, days: int) -> None:
    known = min(len(LEADING.match(text)[0]), 8)  # type: ignore[index]
    whole = text[:known] + "0101"[max(known - 4, 0) : 4]
    day = date.fromisoformat(whole)

    moved = shift_datetime(text, days)

    assert moved == f"{day + timedelta(days=days):%Y%m%d}"[:known] + text[known:]


@given(singles(), singles(), DAYS)
def test_a_range_moves_at_both_ends(first: str, last: str, days: int) -> None:
    ends = [shift_datetime(one, days) for one in (first, last)]

    assert shift_datetime(f"{first}-{last}", days) == f"{ends[0]}-{ends[1]}"
    assert shift_datetime(f"{first}-", days) == f"{ends[0]}-"
    assert shift_datetime(f"-{last}", days) == f"-{ends[1]}"


@given(DATES | LEAP_DAYS, DATES | LEAP_DAYS, MINUTES, DAYS)
def test_intervals_stay_exact(a: date, b: date, minutes: int, days: int) -> None:
    there = timezone(timedelta(minutes=minutes))
    moments = [datetime(one.year, one.month, one.day, 13, 5, 7, tzinfo=there) for one in (a, b)]
    texts = [f"{one:%Y%m%d%H%M%S}{zone(minutes)}" for one in moments]

    moved = [datetime.strptime(shift_datetime(one, days) or "", "%Y%m%d%H%M%S%z") for one in texts]

    assert moved[1] - moved[0] == moments[1] - moments[0]
    assert moved[0] - moments[0] == timedelta(days=days)


@given(st.integers(1990, 2030), st.integers(1990, 2030), DAYS)
def test_no_end_of_a_range_of_years_stays(first: int, last: int, days: int) -> None:
    """A minus and four digits are a zone only where there is one: 2020 hours are none."""
    moved = shift_datetime(f"{first}-{last}", days)

    years = [(date(year, 1, 1) + timedelta(days=days)).year for year in (first, last)]
    assert moved == f"{years[0]}-{years[1]}"


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("2019-2020", "2018-2019"),
        ("2019-0500", "2018-0500"),
        ("2019-0500-2020-0500", "2018-0500-2019-0500"),
        ("2019-0500-", "2018-0500-"),
        ("-2019-0500", "-2018-0500"),
        ("2019-2020-0500", "2018-2019-0500"),
        ("2019+1400", "2018+1400"),
        ("2019+1430", None),
        ("2019+2020", None),
        ("2019-1160", "2018-1159"),  # sixty minutes are an hour
        ("20240229120000.5-1200", "20240228120000.5-1200"),
        ("202402", "202401"),
        ("2024022925", None),  # no hour, and no year with a time of day either
        ("20241301", None),
        ("20230229", None),
        ("2019-2020-2021", None),
    ],
)
def test_what_is_a_zone_and_what_an_end(text: str, moved: str | None) -> None:
    assert shift_datetime(text, -1) == moved

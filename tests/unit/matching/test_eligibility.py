"""Who may read: one table per constraint, each with who passes, who fails, and the edge between."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.matching.domain.eligibility import CONSTRAINTS, Candidate, Question, barred
from services.matching.domain.need import Need, need_of
from services.matching.domain.reader import Licence, Reader, Shift
from shared.contracts.intake import FirstRead
from tests.unit.matching.cases import NOON, accepted, reader, shift


def need(**changes: Any) -> Need:
    return need_of(accepted(**changes))


def excluded(
    who: Reader,
    case: Need,
    *,
    now: datetime = NOON,
    load: int = 0,
    refused: frozenset[str] = frozenset(),
) -> str | None:
    by = barred(Question(case, refused, now), Candidate(who, load))
    return by.name if by else None


def test_a_reader_who_fits_is_excluded_by_nothing() -> None:
    assert excluded(reader(), need()) is None


@pytest.mark.parametrize(
    ("who", "case", "name"),
    [
        (reader(active=False), need(), "on_roster"),
        (reader(kind="ai"), need(), "human"),
        (reader(modalities=("CT",)), need(), "modality"),
        (reader(modalities=("DX",)), need(modalities=("DX", "MR")), "modality"),
        (reader(), need(modalities=("DX", "MR")), None),
        (reader(), need(subspecialty="chest"), "subspecialty"),
        (reader(), need(subspecialty="general"), None),
        (reader(subspecialties=("chest", "musculoskeletal")), need(), None),
        (reader(), need(age_band="12-17"), "pediatric"),
        (reader(), need(age_band="18-29"), None),
        (reader(), need(age_band="unknown"), None),
        (reader(subspecialties=("musculoskeletal", "pediatric")), need(age_band="0-1"), None),
        (reader(), need(reason_for_review="pediatric"), "pediatric"),
        (reader(), need(reason_for_review="pregnancy_fetal"), "obstetric"),
        (
            reader(subspecialties=("musculoskeletal", "obstetric")),
            need(reason_for_review="pregnancy_fetal"),
            None,
        ),
        (reader(), need(reason_for_review="not_read_by_subspecialist"), "fellowship"),
        (
            reader(fellowships=("musculoskeletal",)),
            need(reason_for_review="not_read_by_subspecialist"),
            None,
        ),
        (
            reader(fellowships=("chest",)),
            need(reason_for_review="not_read_by_subspecialist"),
            "fellowship",
        ),
        (
            reader(),
            need(reason_for_review="not_read_by_subspecialist", subspecialty="general"),
            None,
        ),
        (reader(licences=()), need(), "licence"),
        (reader(), need(jurisdiction="US-NY"), "licence"),
    ],
)
def test_skills_and_licences(who: Reader, case: Need, name: str | None) -> None:
    assert excluded(who, case) == name


@pytest.mark.parametrize(
    ("first_reader", "group", "name"),
    [
        ("dr-osei", "valley", "first_reader"),
        ("npi:dr-osei", None, "first_reader"),
        ("npi:dr-osei-2", None, None),
        ("npi:1111", "boston", "first_group"),
        ("npi:1111", "valley", None),
        (None, None, None),
    ],
)
def test_nobody_reviews_their_own_or_their_groups_report(
    first_reader: str | None, group: str | None, name: str | None
) -> None:
    first = FirstRead(status="present", reader=first_reader, group=group)

    assert excluded(reader(), need(first_read=first)) == name


@pytest.mark.parametrize(
    ("zone", "expires", "now", "name"),
    [
        ("UTC", date(2026, 11, 2), datetime(2026, 11, 2, 23, 59, tzinfo=UTC), None),
        ("UTC", date(2026, 11, 2), datetime(2026, 11, 3, 0, 0, tzinfo=UTC), "licence"),
        # In Boston it is still the day before.
        ("America/New_York", date(2026, 11, 2), datetime(2026, 11, 3, 4, 59, tzinfo=UTC), None),
        ("America/New_York", date(2026, 11, 2), datetime(2026, 11, 3, 5, tzinfo=UTC), "licence"),
        # In Sydney it is already the day after.
        ("Australia/Sydney", date(2026, 11, 2), datetime(2026, 11, 2, 13, tzinfo=UTC), "licence"),
    ],
)
def test_a_licence_ends_with_its_last_day_where_the_reader_is(
    zone: str, expires: date, now: datetime, name: str | None
) -> None:
    licences = (Licence(jurisdiction="US-MA", expires_on=expires),)

    assert excluded(reader(time_zone=zone, licences=licences), need(), now=now) == name


def test_any_valid_licence_of_the_jurisdiction_is_enough() -> None:
    old, new = (Licence(jurisdiction="US-MA", expires_on=date(y, 1, 1)) for y in (2020, 2030))

    assert excluded(reader(licences=(old, new)), need()) is None


NINE_TO_FIVE = shift("09:00", "17:00", "mon", "tue", "wed", "thu", "fri")
NIGHT = shift("22:00", "06:00", "fri")
SATURDAY_NIGHT = shift("22:00", "06:00", "sat")


@pytest.mark.parametrize(
    ("hours", "zone", "now", "on"),
    [
        (NINE_TO_FIVE, "UTC", datetime(2026, 11, 2, 9, 0, tzinfo=UTC), True),
        (NINE_TO_FIVE, "UTC", datetime(2026, 11, 2, 8, 59, tzinfo=UTC), False),
        (NINE_TO_FIVE, "UTC", datetime(2026, 11, 2, 16, 59, 59, tzinfo=UTC), True),
        (NINE_TO_FIVE, "UTC", datetime(2026, 11, 2, 17, 0, tzinfo=UTC), False),
        (NINE_TO_FIVE, "UTC", datetime(2026, 11, 1, 12, 0, tzinfo=UTC), False),  # a Sunday
        # 12:00 UTC: 07:00 in Boston in winter, 08:00 in summer.
        (NINE_TO_FIVE, "America/New_York", datetime(2026, 11, 2, 13, 30, tzinfo=UTC), False),
        (NINE_TO_FIVE, "America/New_York", datetime(2026, 7, 6, 13, 30, tzinfo=UTC), True),
        (NINE_TO_FIVE, "Australia/Sydney", datetime(2026, 11, 1, 23, 0, tzinfo=UTC), True),
        (NIGHT, "UTC", datetime(2026, 11, 6, 23, 0, tzinfo=UTC), True),
        (NIGHT, "UTC", datetime(2026, 11, 7, 5, 59, tzinfo=UTC), True),  # begun on Friday
        (NIGHT, "UTC", datetime(2026, 11, 7, 6, 0, tzinfo=UTC), False),
        (NIGHT, "UTC", datetime(2026, 11, 6, 5, 0, tzinfo=UTC), False),  # would be Thursday's
        (shift(), "UTC", datetime(2026, 11, 7, 0, 0, tzinfo=UTC), True),
        (shift("00:00", "00:00", "sat"), "UTC", datetime(2026, 11, 8, 0, 0, tzinfo=UTC), False),
        # The night the clocks go back in Boston: 1:30 comes twice, and both are in the shift.
        (SATURDAY_NIGHT, "America/New_York",
         datetime(2026, 11, 1, 5, 30, tzinfo=UTC), True),
        (SATURDAY_NIGHT, "America/New_York", datetime(2026, 11, 1, 6, 30, tzinfo=UTC), True),
        (SATURDAY_NIGHT, "America/New_York", datetime(2026, 11, 1, 11, 0, tzinfo=UTC), False),
    ],
)  # fmt: skip
def test_shifts_follow_the_wall_clock_of_the_reader(
    hours: Shift, zone: str, now: datetime, *, on: bool
) -> None:
    who = reader(
        time_zone=zone,
        shifts=(hours,),
        licences=(Licence(jurisdiction="US-MA", expires_on=date(2030, 1, 1)),),
    )

    assert excluded(who, need(), now=now) == (None if on else "on_shift")


def test_without_a_shift_nobody_is_on_shift() -> None:
    assert excluded(reader(shifts=()), need()) == "on_shift"


@pytest.mark.parametrize(("load", "name"), [(0, None), (4, None), (5, "capacity"), (9, "capacity")])
def test_capacity_is_never_exceeded(load: int, name: str | None) -> None:
    assert excluded(reader(capacity=5), need(), load=load) == name
    assert excluded(reader(capacity=0), need()) == "capacity"


def test_who_said_no_is_not_asked_again() -> None:
    assert excluded(reader(), need(), refused=frozenset({"dr-osei"})) == "asked_before"
    assert excluded(reader(), need(), refused=frozenset({"dr-lund"})) is None


def test_each_constraint_has_a_name_and_a_sentence_of_its_own() -> None:
    assert len({one.name for one in CONSTRAINTS}) == len(CONSTRAINTS)
    assert len({one.says for one in CONSTRAINTS}) == len(CONSTRAINTS)
    assert all(one.says.endswith(".") for one in CONSTRAINTS)

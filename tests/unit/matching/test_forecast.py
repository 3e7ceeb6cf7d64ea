"""When each report is expected: by the queue ahead, who is there, and how fast they read."""

from datetime import datetime, timedelta
from itertools import accumulate
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.forecast import (
    HORIZON_HOURS,
    HOUR,
    Pace,
    Queued,
    Supply,
    expected,
    served,
)
from services.matching.domain.reader import Reader
from services.matching.domain.track import USUAL_RVU_PER_HOUR
from tests.unit.matching.cases import NOON, at, reader, shift

USUAL = USUAL_RVU_PER_HOUR


def queued(number: int, rvu: float, due: datetime, who: str | None = None) -> Queued:
    return Queued(UUID(int=number), "musculoskeletal", rvu, due, who, timedelta(0))


def foretold(
    queue: list[Queued], *readers: Reader, now: datetime = NOON, since: datetime = NOON
) -> dict[int, datetime]:
    supply = Supply.of({one.id: one for one in readers}, {}, since)
    return {one.case_id.int: when for one, when in expected(queue, supply, now)}


def test_a_case_waits_for_those_that_are_due_before_it() -> None:
    queue = [queued(1, USUAL, at(hours=9)), queued(2, USUAL, at(hours=3))]

    assert foretold(queue, reader()) == {2: at(hours=1), 1: at(hours=2)}
    assert foretold(queue, reader(), reader("dr-b")) == {2: at(hours=0.5), 1: at(hours=1)}


def test_nothing_is_read_while_nobody_is_on_shift() -> None:
    morning = reader(time_zone="UTC", shifts=(shift("09:00", "13:00"),))

    found = foretold([queued(1, 2 * USUAL, at(hours=99))], morning)

    assert found == {1: at(hours=22)}  # an hour today, one from nine o'clock tomorrow


def test_a_held_case_waits_for_its_own_reader_only() -> None:
    queue = [
        queued(1, USUAL, at(hours=1), "dr-osei"),
        queued(2, USUAL, at(hours=2), "dr-osei"),
        queued(3, USUAL, at(hours=3), "dr-b"),
    ]

    assert foretold(queue, reader(), reader("dr-b")) == {
        1: at(hours=1),
        2: at(hours=2),
        3: at(hours=1),
    }


def test_what_nobody_will_read_is_put_at_the_horizon() -> None:
    horizon = NOON + HORIZON_HOURS * HOUR

    assert foretold([queued(1, 1, at(hours=1))]) == {1: horizon}
    assert foretold([queued(1, 1, at(hours=1))], reader(subspecialties=("chest",))) == {1: horizon}
    assert foretold([queued(1, 10**6, at(hours=1))], reader()) == {1: horizon}


def test_time_that_has_passed_since_the_supply_was_worked_out_supplies_nothing() -> None:
    later = at(hours=5)

    [expected_at] = foretold([queued(1, USUAL, at(hours=9))], reader(), now=later).values()

    assert later <= expected_at <= later + 2 * HOUR


@pytest.mark.parametrize(
    ("pace", "fastest"), [(Pace(), USUAL), (Pace(10, 1), 6), (Pace(2000, 200), 9.6)]
)
def test_small_numbers_make_nobody_fast(pace: Pace, fastest: float) -> None:
    assert USUAL <= pace.speed <= fastest


QUEUES = st.lists(
    st.builds(
        queued,
        st.integers(0, 99),
        st.floats(0.1, 20),
        st.integers(-5, 99).map(lambda hours: at(hours=hours)),
        st.sampled_from((None, "dr-osei", "dr-b")),
    ),
    max_size=12,
    unique_by=lambda one: one.case_id,
)


@settings(max_examples=60, deadline=None)
@given(QUEUES, st.integers(1, 3))
def test_more_readers_make_nothing_later_and_nothing_is_expected_in_the_past(
    queue: list[Queued], hands: int
) -> None:
    few = foretold(queue, reader(), reader("dr-b"))
    many = foretold(queue, reader(), reader("dr-b"), *(reader(f"dr-{n}") for n in range(hands)))

    assert all(many[one] <= few[one] + timedelta(seconds=1) for one in few)
    assert all(when >= NOON for when in few.values())


SUPPLIED = st.lists(st.sampled_from((0.0, 1.0, 2.5)), max_size=9).map(
    lambda hours: list(accumulate(hours))
)


@settings(max_examples=300, deadline=None)
@given(SUPPLIED, st.sampled_from((0.5, 1.0, 3.0, 9.0)), st.sampled_from((0.0, 0.5, 2.0, 12.0)))
def test_work_is_done_in_the_first_hour_that_supplies_the_last_of_it(
    supplied: list[float], work: float, passed: float
) -> None:
    gone = supplied[min(int(passed), len(supplied)) - 1] if passed >= 1 and supplied else 0.0
    enough = [n for n in range(int(passed), len(supplied)) if supplied[n] - gone >= work]

    found = served(work, supplied, passed)

    if enough:
        assert passed <= found <= max(passed, enough[0] + 1)
        assert found >= min(enough[0], HORIZON_HOURS)
    else:
        assert found == max(passed, HORIZON_HOURS)

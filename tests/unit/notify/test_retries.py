"""Does the retry schedule keep what Standard Webhooks promises?"""

from datetime import timedelta

from hypothesis import given, strategies

from services.notify.domain.retries import JITTER, LONGEST_WISH, SCHEDULE, next_attempt_at
from shared.testing.spec import NOON
from tests.unit.notify.cases import CASE


def test_the_schedule_reaches_three_days_and_more() -> None:
    assert sum(SCHEDULE, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    assert len(SCHEDULE) == 10
    assert list(SCHEDULE) == sorted(SCHEDULE)


def test_nothing_is_left_after_the_last_attempt() -> None:
    assert next_attempt_at(CASE, "msg_1", len(SCHEDULE), NOON) is None


@given(
    delivery=strategies.text("abcdef0123456789", min_size=1, max_size=8),
    made=strategies.integers(1, len(SCHEDULE) - 1),
    wish=strategies.none() | strategies.timedeltas(timedelta(0), timedelta(days=30)),
)
def test_a_pause_is_never_shorter_than_said_and_the_same_each_time(
    delivery: str, made: int, wish: timedelta | None
) -> None:
    at = next_attempt_at(CASE, delivery, made, NOON, wish)

    assert at is not None
    assert at == next_attempt_at(CASE, delivery, made, NOON, wish)
    asked = min(wish or timedelta(0), LONGEST_WISH)
    assert max(SCHEDULE[made], asked) <= at - NOON <= max(SCHEDULE[made] * (1 + JITTER), asked)


def test_what_failed_together_does_not_come_back_together() -> None:
    times = {next_attempt_at(CASE, f"msg_{n}", 3, NOON) for n in range(50)}

    assert len(times) > 40

"""Is there one clock, and can the simulator take it over and give it back?"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.runtime import clock

YEAR_2040 = datetime(2040, 2, 29, tzinfo=UTC)


def test_now_is_in_utc_and_goes_on() -> None:
    first, second = clock.now(), clock.now()

    assert first.utcoffset() == timedelta(0)
    assert first <= second
    assert clock.ticks() <= clock.ticks()


async def test_a_task_that_runs_already_sees_the_other_clock_too() -> None:
    asked, answered = asyncio.Event(), asyncio.Event()
    seen: list[datetime] = []

    async def watch() -> None:
        await asked.wait()
        seen.append(clock.now())
        answered.set()

    task = asyncio.create_task(watch())
    with clock.running_on(lambda: YEAR_2040):
        asked.set()
        await answered.wait()
    await task

    assert seen == [YEAR_2040]


def test_the_wall_clock_comes_back_even_after_an_error() -> None:
    with pytest.raises(LookupError), clock.running_on(lambda: YEAR_2040):
        raise LookupError

    assert clock.now() < YEAR_2040

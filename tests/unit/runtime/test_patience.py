"""Does a loop that waits and tries again end when it is told to, whatever else happens then?"""

import asyncio
from typing import NoReturn

import pytest

from shared.runtime import clock
from shared.runtime.patience import Pace, for_ever
from shared.runtime.postgres import Wakeups

SOON = 5


async def test_a_cancellation_that_an_error_of_the_clean_up_replaced_ends_the_loop() -> None:
    async def step() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ConnectionResetError

    loop = asyncio.create_task(for_ever(step, "test"))
    await asyncio.sleep(0)

    loop.cancel()
    done, _ = await asyncio.wait({loop}, timeout=SOON)

    assert loop in done
    assert loop.cancelled()


@pytest.mark.parametrize("ticks", range(6))
async def test_a_cancellation_in_the_moment_of_a_wakeup_is_not_lost(ticks: int) -> None:
    wakeups = Wakeups("postgresql://unused", "unused")

    async def wait_for_ever() -> NoReturn:
        while True:
            await wakeups.wait("channel", 60)

    loop = asyncio.create_task(wait_for_ever())
    await asyncio.sleep(0)

    wakeups.wake("channel")
    for _ in range(ticks):
        await asyncio.sleep(0)
    loop.cancel()
    done, _ = await asyncio.wait({loop}, timeout=SOON)

    assert loop in done
    assert loop.cancelled()


async def test_a_loop_rests_as_long_as_its_turn_took_and_no_longer_than_it_may() -> None:
    pace = Pace(longest=0.05)

    before = clock.ticks()
    await pace.rest()
    at_once = clock.ticks() - before
    with pace.turn():
        await asyncio.sleep(0.02)
    short = await _rested(pace)
    with pace.turn():
        await asyncio.sleep(0.2)
    long = await _rested(pace)

    assert at_once < 0.015
    assert short > 0.015
    assert long < 0.15


async def _rested(pace: Pace) -> float:
    before = clock.ticks()
    await pace.rest()
    return clock.ticks() - before

"""Does a loop that waits and tries again end when it is told to, whatever else happens then?"""

import asyncio
from typing import NoReturn

import pytest

from shared.runtime import clock
from shared.runtime.patience import Pace, for_ever
from shared.runtime.postgres import Wakeups

SOON = 60


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


async def test_a_loop_rests_as_long_as_its_turn_took_and_no_longer_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0

    async def passes(seconds: float) -> None:
        nonlocal now
        now += seconds

    async def rested() -> float:
        before = now
        await pace.rest()
        return now - before

    monkeypatch.setattr(clock, "ticks", lambda: now)
    monkeypatch.setattr(asyncio, "sleep", passes)
    pace = Pace(longest=0.5)

    at_once = await rested()
    with pace.turn():
        await passes(0.25)
    short = await rested()
    with pace.turn():
        await passes(2)
    long = await rested()
    with pace.turn():
        await passes(0.25)
    await passes(0.125)
    the_remainder = await rested()

    assert (at_once, short, long, the_remainder) == (0, 0.25, 0.5, 0.125)

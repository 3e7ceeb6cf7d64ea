"""When does a deadline speak? Once, at its time, through restarts, and never after it was moved."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

import pytest

from shared.contracts.base import DeadlineReached
from shared.contracts.deid import DeidentificationPlanned
from shared.decider import Deadline
from shared.runtime import clock
from shared.runtime.feed import Feed
from shared.runtime.handle import Runner
from shared.runtime.postgres import Pool, Wakeups
from shared.runtime.submissions import Submissions
from shared.runtime.timers import HANDLING, Ticker, Timer
from tests.integration.runtime.messages import WANTED, message
from tests.integration.runtime.tally import SERVICE, TALLY, Tally, case, decide, told

COUNT = "SELECT count FROM tallies WHERE case_id = $1"
TIMERS = "SELECT kind, due_at, retry_at, attempts, cause FROM timers"


class Serving:
    """Submissions that serve, and any number of tickers on them."""

    def __init__(self, runner: Runner[Any], dsn: str) -> None:
        self.submissions = Submissions(runner)
        self.runner = runner
        self.dsn = dsn

    def ticker(self) -> Ticker:
        wakeups = Wakeups(self.dsn, SERVICE)
        return Ticker(self.runner.pool, SERVICE, wakeups, self.submissions.deadlines)

    async def __aenter__(self) -> Self:
        self._lanes = asyncio.create_task(self.submissions.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._lanes.cancel()
        await asyncio.gather(self._lanes, return_exceptions=True)


async def test_a_deadline_speaks_once_though_two_tick(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await Feed(runner, WANTED)([message(told(n, 1, "alarm"), n) for n in range(50)])

    async with Serving(runner, dsn) as serving:
        first, second = serving.ticker(), serving.ticker()
        seen = await asyncio.gather(first.tick(), second.tick(), first.tick())

    assert sum(seen) == 50
    assert {row["count"] for row in await pool.fetch("SELECT count FROM tallies")} == {2}
    assert await pool.fetch(TIMERS) == []


async def test_a_ticker_that_dies_with_claimed_deadlines_loses_none(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await Feed(runner, WANTED)([message(told(1, 1, "alarm"))])

    async def die(_: object) -> list[Any]:
        raise asyncio.CancelledError

    dying = Ticker(pool, SERVICE, Wakeups(dsn, SERVICE), die)
    with pytest.raises(asyncio.CancelledError):
        await dying.tick()
    async with Serving(runner, dsn) as serving:
        assert await serving.ticker().tick() == 0
        later = clock.now() + HANDLING
        with clock.running_on(lambda: later):
            assert await serving.ticker().tick() == 1

    assert await pool.fetchval(COUNT, case(1)) == 2


async def test_a_deadline_submitted_twice_speaks_once(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await Feed(runner, WANTED)([message(told(1, 1, "alarm"))])
    [row] = await pool.fetch(TIMERS)
    due = Timer(case(1), row["kind"], row["due_at"])

    async with Serving(runner, dsn) as serving:
        answers = [await serving.submissions.deadlines([due, due]) for _ in range(2)]

    assert answers == [[], []]
    assert await pool.fetchval(COUNT, case(1)) == 2


async def test_a_deadline_that_was_moved_is_mute_and_the_new_one_stands(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await Feed(runner, WANTED)([message(told(1, 1, "alarm"))])
    [old] = await pool.fetch(TIMERS)
    moved = old["due_at"] + timedelta(days=400)
    mover = replace(runner, decider=replace(TALLY, deadlines=lambda _: [Deadline("alarm", moved)]))
    await Feed(mover, WANTED)([message(told(1, 2), 2)])

    async with Serving(mover, dsn) as serving:
        stale = Timer(case(1), "alarm", old["due_at"])
        assert await serving.submissions.deadlines([stale]) == []

    assert await pool.fetchval(COUNT, case(1)) == 2
    [row] = await pool.fetch(TIMERS)
    assert row["due_at"] == row["retry_at"] == moved


async def test_a_deadline_that_the_case_gave_up_is_gone(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await Feed(runner, WANTED)([message(told(1, 1, "alarm"))])
    settled = replace(runner, decider=replace(TALLY, deadlines=lambda _: []))

    await Feed(settled, WANTED)([message(told(1, 2), 2)])

    assert await pool.fetch(TIMERS) == []
    async with Serving(runner, dsn) as serving:
        assert await serving.ticker().tick() == 0


async def test_a_deadline_that_meets_a_bug_says_so_and_is_asked_again_later(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await Feed(runner, WANTED)([message(told(n, 1, "alarm"), n) for n in (1, 2)])

    def trip(state: Tally, received: Any, now: Any) -> Any:
        if isinstance(received, DeadlineReached) and received.case_id == case(1):
            raise ZeroDivisionError
        return decide(state, received, now)

    buggy = replace(runner, decider=replace(TALLY, decide=trip))
    async with Serving(buggy, dsn) as serving:
        assert await serving.ticker().tick() == 2

    assert await pool.fetchval(COUNT, case(2)) == 2
    [row] = await pool.fetch(TIMERS)
    assert (row["cause"], row["attempts"]) == ("ZeroDivisionError", 1)
    assert row["retry_at"] > clock.now() + timedelta(minutes=4)


async def test_the_future_is_not_due(runner: Runner[Any], pool: Pool, dsn: str) -> None:
    later = clock.now() + timedelta(hours=1)
    patient = replace(
        runner, decider=replace(TALLY, deadlines=lambda _: [Deadline("alarm", later)])
    )
    await Feed(patient, WANTED)([message(told(1, 1))])

    async with Serving(patient, dsn) as serving:
        assert await serving.ticker().tick() == 0

    plans = await pool.fetch("SELECT type FROM outbox")
    assert [row["type"] for row in plans] == [DeidentificationPlanned.ce_type()]

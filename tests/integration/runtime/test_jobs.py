"""How does heavy work end? Once in effect: through crashes, zombies, bugs and weather."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from shared.contracts.deid import DeidentificationFailed
from shared.runtime import clock, jobs
from shared.runtime.feed import Feed
from shared.runtime.handle import Runner
from shared.runtime.jobs import LEASE, MOST_CRASHES, MOST_TRIES, ClaimedJob, Worker
from shared.runtime.postgres import Pool, Wakeups
from shared.runtime.submissions import Submissions
from tests.integration.runtime.live import until
from tests.integration.runtime.messages import WANTED, message
from tests.integration.runtime.tally import SERVICE, case, told

COUNT = "SELECT count FROM tallies WHERE case_id = $1"
JOBS = "SELECT * FROM jobs ORDER BY seq"
Perform = Callable[[ClaimedJob], Awaitable[Any]]


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look again at once: a postponed job wakes nobody when its time has come."""
    monkeypatch.setattr(jobs, "IDLE_SECONDS", 0.05)


def done(job: ClaimedJob) -> DeidentificationFailed:
    return DeidentificationFailed(case_id=job.case_id, partner="done", reason=job.kind)


async def asked(runner: Runner[Any], *numbers: int, nth: int = 1) -> None:
    """Let these cases ask for work."""
    await Feed(runner, WANTED)([message(told(n, nth, "work"), 100 * n + nth) for n in numbers])


@asynccontextmanager
async def worker(
    runner: Runner[Any], dsn: str, perform: Perform, concurrency: int = 4
) -> AsyncIterator[Worker]:
    """A worker with submissions of its own, as if in another process; it does not run by itself."""
    submissions = Submissions(runner)
    wakeups = Wakeups(dsn, SERVICE)
    lanes = asyncio.create_task(submissions.run())
    performers = {"work": perform}
    try:
        yield Worker(runner.pool, SERVICE, performers, submissions.result, wakeups, concurrency)
    finally:
        lanes.cancel()
        await asyncio.gather(lanes, return_exceptions=True)


@asynccontextmanager
async def at_work(one: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def two_at_work(runner: Runner[Any], dsn: str, perform: Perform) -> AsyncIterator[None]:
    async with (
        worker(runner, dsn, perform) as first,
        worker(runner, dsn, perform) as second,
        at_work(first),
        at_work(second),
    ):
        yield


async def none_left(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT NOT EXISTS (SELECT FROM jobs WHERE NOT stuck)"))


async def test_a_result_is_recorded_once_and_the_job_is_gone(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await asked(runner, *range(20))

    async def perform(job: ClaimedJob) -> Any:
        return done(job)

    async with two_at_work(runner, dsn, perform):
        await until(lambda: none_left(pool))

    assert {row["count"] for row in await pool.fetch("SELECT count FROM tallies")} == {2}
    assert await pool.fetch(JOBS) == []


async def test_jobs_of_one_case_run_in_order_and_never_together(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    for nth in range(4):
        await asked(runner, 1, 2, nth=nth)
    ids = [row["id"] for row in await pool.fetch(JOBS)]
    running: set[Any] = set()
    order: list[Any] = []

    async def perform(job: ClaimedJob) -> Any:
        assert job.case_id not in running
        running.add(job.case_id)
        order.append(job.id)
        await asyncio.sleep(0.02)
        running.discard(job.case_id)
        return done(job)

    async with two_at_work(runner, dsn, perform):
        await until(lambda: none_left(pool))

    by_case = {number: [one for one in order if one in ids[number - 1 :: 2]] for number in (1, 2)}
    assert by_case == {1: ids[0::2], 2: ids[1::2]}
    assert len(order) == 8


async def test_a_zombie_that_wakes_after_its_lease_can_not_write(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await asked(runner, 1)
    async with worker(runner, dsn, _never) as zombie, worker(runner, dsn, _never) as heir:
        [asleep] = await zombie.claim(1)
        later = clock.now() + LEASE + timedelta(seconds=1)
        with clock.running_on(lambda: later):
            [taken] = await heir.claim(1)
        await zombie.submit(asleep, done(asleep))
        after_the_zombie = await pool.fetchval(COUNT, case(1))
        await heir.submit(taken, done(taken))
        await zombie.submit(asleep, done(asleep))

    assert (taken.id, taken.attempt) == (asleep.id, 2)
    assert after_the_zombie == 1
    assert await pool.fetchval(COUNT, case(1)) == 2


async def test_the_heartbeat_keeps_the_lease_while_the_work_goes_on(
    runner: Runner[Any], pool: Pool, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=2))
    monkeypatch.setattr(jobs, "HEARTBEAT_SECONDS", 0.2)
    await asked(runner, 1)
    attempts = []

    async def perform(job: ClaimedJob) -> Any:
        attempts.append(job.attempt)
        await asyncio.sleep(3)  # longer than a lease
        return done(job)

    async with two_at_work(runner, dsn, perform):
        await until(lambda: none_left(pool))

    assert attempts == [1]
    assert await pool.fetchval(COUNT, case(1)) == 2


async def test_a_bug_is_tried_five_times_then_waits_for_a_person(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await asked(runner, 1)
    await asked(runner, 1, nth=2)
    attempts = []

    async def perform(job: ClaimedJob) -> Any:
        attempts.append(job.attempt)
        raise ValueError("DOE^JANE")

    async with worker(runner, dsn, perform, concurrency=1) as one, at_work(one):
        await until(lambda: none_left(pool))

    assert attempts == [1, 2, 3, 4, 5] * 2
    rows = await pool.fetch(jobs.STUCK, 10)
    assert {(row["attempts"], row["cause"]) for row in rows} == {(MOST_TRIES, "ValueError")}

    async def mended(job: ClaimedJob) -> Any:
        return done(job)

    for row in rows:
        assert await pool.fetchval(jobs.UNSTICK, row["id"], clock.now()) == row["id"]
    async with worker(runner, dsn, mended) as one, at_work(one):
        await until(lambda: none_left(pool))
    assert await pool.fetchval(COUNT, case(1)) == 4


async def test_weather_is_no_try(runner: Runner[Any], pool: Pool, dsn: str) -> None:
    await asked(runner, 1)
    attempts = []

    async def perform(job: ClaimedJob) -> Any:
        attempts.append((job.attempt, job.waits))
        if job.waits < 4:
            raise ConnectionError
        if job.attempt < 2:
            raise ValueError
        return done(job)

    async with worker(runner, dsn, perform) as one, at_work(one):
        await until(lambda: none_left(pool))

    assert attempts == [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 4)]
    assert await pool.fetchval(COUNT, case(1)) == 2


async def test_a_job_that_takes_every_worker_down_is_given_up(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await asked(runner, 1)
    now = clock.now()

    async with worker(runner, dsn, _never) as one:
        for crash in range(MOST_CRASHES + 1):
            later = now + crash * (LEASE + timedelta(seconds=1))
            with clock.running_on(partial(_same, later)):
                claimed = await one.claim(1)
            assert len(claimed) == (crash < MOST_CRASHES)

    [row] = await pool.fetch(jobs.STUCK, 10)
    assert row["cause"] == "lease lost"


async def test_a_result_for_another_case_is_a_bug(
    runner: Runner[Any], pool: Pool, dsn: str
) -> None:
    await asked(runner, 1)

    async with worker(runner, dsn, _never) as one:
        [job] = await one.claim(1)
        with pytest.raises(ValueError, match="another case"):
            await one.submit(
                job, DeidentificationFailed(case_id=case(2), partner="done", reason="x")
            )

    assert await pool.fetchval(COUNT, case(2)) is None


def _same(moment: datetime) -> datetime:
    return moment


async def _never(_: ClaimedJob) -> Any:
    raise AssertionError("nobody performs here")

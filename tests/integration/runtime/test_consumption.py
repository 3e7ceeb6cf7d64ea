"""Does consumption go on when a consumer falls silent, partitions move, a replica froze?"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from shared.runtime import kafka as runtime_kafka
from shared.runtime.kafka import POLL_RECORDS, Feeding, Subscription
from shared.runtime.local.topics import PARTITIONS
from shared.runtime.postgres import Pool
from shared.runtime.wire import Message
from tests.integration.runtime.broker import (
    Raw,
    everything,
    put,
    put_with_a_name_not_in_utf_8,
    tell,
)
from tests.integration.runtime.child import process
from tests.integration.runtime.live import drained, live, until
from tests.integration.runtime.tally import SERVICE, case, told

COUNT = "SELECT count FROM tallies WHERE case_id = $1"


class Silence:
    """Makes consumers give nothing though the broker has more (aiokafka #1037)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.silent: set[int] = set()
        self.asked: Counter[int] = Counter()
        really = AIOKafkaConsumer.getmany

        async def getmany(consumer: Any, *partitions: Any, **options: Any) -> Any:
            self.asked[id(consumer)] += 1
            if id(consumer) in self.silent:
                await asyncio.sleep(0.05)
                return {}
            return await really(consumer, *partitions, **options)

        monkeypatch.setattr(AIOKafkaConsumer, "getmany", getmany)

    async def falls(self) -> None:
        """Silence those who ask now, and wait until what they asked before is answered."""
        self.silent = set(self.asked)
        before = self.asked.copy()

        async def asked_again() -> bool:
            return all(self.asked[one] > before[one] + 1 for one in self.silent)

        await until(asked_again)


async def test_a_consumer_that_stops_silently_is_made_anew(
    dsn: str, kafka: str, topics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = Silence(monkeypatch)
    async with live(dsn, kafka, topics) as running:
        await tell(kafka, topics, [told(1, 1)])
        await drained(running.pool, 1)
        await silence.falls()
        await tell(kafka, topics, [told(1, 2)])

        await drained(running.pool, 2)

        assert running.subscription.progress.restarts == 1
        assert len(silence.asked) == 2


async def test_an_idle_consumer_is_left_in_peace(kafka: str, topics: str) -> None:
    asked = asyncio.Semaphore(0)
    one = _subscription(kafka, topics)
    really = runtime_kafka._behind

    async def counted(consumer: Any) -> int:
        asked.release()
        return await really(consumer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime_kafka, "_behind", counted)
        task = asyncio.create_task(one.run())
        for _ in range(6):  # twice as long as silence is suffered
            await asyncio.wait_for(asked.acquire(), 60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert one.progress.restarts == 0
    assert one.progress.behind == 0


async def test_a_replica_without_partitions_is_left_in_peace(kafka: str, topics: str) -> None:
    # So many join one after the other, and each time all begin anew: seconds on a busy machine.
    many = [replace(_subscription(kafka, topics), silent_seconds=6) for _ in range(PARTITIONS + 1)]
    tasks = [asyncio.create_task(one.run()) for one in many]

    await until(lambda: _all_members(many))
    await asyncio.sleep(7)  # longer than silence is suffered

    assert [one.progress.restarts for one in many] == [0] * len(many)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_partitions_that_move_while_a_batch_is_handled_lose_and_double_nothing(
    dsn: str, pool: Pool, kafka: str, topics: str
) -> None:
    total, cases = 600, range(30)
    story = [told(number, nth) for nth in range(total // len(cases)) for number in cases]

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(live(dsn, kafka, topics, most_at_once=20))
        await tell(kafka, topics, story[: total // 2])
        for turn in range(3):
            async with live(dsn, kafka, topics, most_at_once=20) as other:
                await until(partial(_is_member, other.subscription))
                await tell(kafka, topics, story[total // 2 + turn * 100 :][:100])
        await drained(first.pool, total)

    counts = await pool.fetch("SELECT count FROM tallies")
    assert [row["count"] for row in counts] == [total // len(cases)] * len(cases)
    records = await everything(kafka, f"{topics}.{SERVICE}")
    assert len({dict(one.headers)["ce_id"] for one in records}) == total


async def test_a_frozen_replica_holds_nobody_up_and_writes_nothing_when_it_wakes(
    dsn: str, pool: Pool, kafka: str, topics: str
) -> None:
    await tell(kafka, topics, [told(1, nth) for nth in range(5)])

    async with process(dsn, kafka, topics, "runner.saved=stall#1", idle="2s") as zombie:
        await until(lambda: _holds_a_lock(pool))
        assert zombie.pid is not None
        os.kill(zombie.pid, signal.SIGSTOP)
        async with live(dsn, kafka, topics) as running:
            await drained(running.pool, 5)
            os.kill(zombie.pid, signal.SIGCONT)
            await tell(kafka, topics, [told(1, nth) for nth in range(5, 10)])
            await drained(running.pool, 10)

    assert await pool.fetchval(COUNT, case(1)) == 10


async def test_ten_megabytes_pass_through_the_broker_and_are_parked(
    dsn: str, kafka: str, topics: str
) -> None:
    good = Raw.of(told(1, 1))
    huge = Raw(good.key, b"x" * 10_000_000, good.headers)
    await put(kafka, f"{topics}.intake", [huge])
    await tell(kafka, topics, [told(2, 1)])

    async with live(dsn, kafka, topics) as running:
        await drained(running.pool, 1)
        await until(lambda: running.pool.fetchval("SELECT EXISTS (SELECT FROM parked)"))
        assert await running.pool.fetchval("SELECT length(value) FROM parked") == 10_000_000


async def test_a_header_name_that_the_client_can_not_read_is_parked_and_passed(
    dsn: str, kafka: str, topics: str
) -> None:
    await tell(kafka, topics, [told(number, nth) for nth in (1, 2) for number in range(9)])
    spoiled = Raw.of(told(1, 3))
    await put_with_a_name_not_in_utf_8(kafka, f"{topics}.intake", spoiled)
    await tell(kafka, topics, [told(number, nth) for nth in (4, 5) for number in range(9)])

    async with live(dsn, kafka, topics) as running:
        await drained(running.pool, 36)
        parked = await running.pool.fetch("SELECT cause, key FROM parked")

    assert [tuple(row) for row in parked] == [("a header is not UTF-8 text", None)]
    assert running.subscription.progress.restarts == 0


async def test_a_full_batch_is_handled_while_the_next_is_read_and_before_it(
    kafka: str, topics: str
) -> None:
    slow = Slow()
    one = _subscription(kafka, topics, slow, most_at_once=1)
    await tell(kafka, topics, [told(1, nth) for nth in (1, 2, 3)])
    task = asyncio.create_task(one.run())

    await until(lambda: _is(sorted(slow.said) == ["begun", "read", "read"]))
    slow.may_end.set()
    await until(lambda: _is(slow.said.count("ended") == 3))

    again = [word for word in slow.said if word != "read"]
    assert again == ["begun", "ended"] * 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_was_not_handled_comes_again_with_all_that_followed(
    kafka: str, topics: str
) -> None:
    broken = Slow(fails=1)
    broken.may_end.set()
    one = _subscription(kafka, topics, broken, most_at_once=1)
    await tell(kafka, topics, [told(1, nth) for nth in (1, 2, 3)])
    task = asyncio.create_task(one.run())

    await until(lambda: _is(len(broken.handled) == 3))

    assert broken.handled == sorted(broken.handled)
    assert one.progress.restarts == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@dataclass
class Slow:
    """Handles nothing before it may, and fails some times first."""

    fails: int = 0
    said: list[str] = field(default_factory=list)
    handled: list[int] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self, messages: Sequence[Message]) -> Sequence[Message]:
        self.said.append("read")
        return messages

    async def handle(self, messages: Sequence[Message]) -> None:
        self.said.append("begun")
        await self.may_end.wait()
        if self.fails:
            self.fails -= 1
            raise ConnectionError
        self.said.append("ended")
        self.handled += [one.offset for one in messages]


class Nothing:
    """Takes messages, and does nothing with them."""

    def read(self, messages: Sequence[Message]) -> Sequence[Message]:
        return messages

    async def handle(self, _: Sequence[Message]) -> None:
        return


def _subscription(
    kafka: str, topics: str, feed: Feeding | None = None, most_at_once: int = POLL_RECORDS
) -> Subscription:
    return Subscription(
        kafka,
        f"{topics}.{SERVICE}",
        [f"{topics}.intake"],
        feed or Nothing(),
        silent_seconds=2,
        session_ms=3000,
        most_at_once=most_at_once,
    )


async def _is(so: bool) -> bool:
    return so


async def _all_members(many: list[Subscription]) -> bool:
    return all(one.progress.member for one in many)


async def _is_member(one: Subscription) -> bool:
    return one.progress.member


async def _holds_a_lock(pool: Pool) -> bool:
    """Tell whether somebody stalls in a transaction; between two statements it is shorter."""
    return bool(
        await pool.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle in transaction'"
            " AND datname = current_database()"
            " AND state_change < clock_timestamp() - interval '300 milliseconds')"
        )
    )

"""Is Kafka reachable? A producer that starts slowly is one in the end, and one that ends, ends."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from shared.runtime.publisher import Publisher


async def test_a_start_that_outlasts_the_question_goes_on_and_is_there_at_the_next(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts, may_start = 0, asyncio.Event()
    really = AIOKafkaProducer.start

    async def slow(producer: AIOKafkaProducer) -> None:
        nonlocal starts
        starts += 1
        await may_start.wait()
        await really(producer)

    monkeypatch.setattr(AIOKafkaProducer, "start", slow)
    before = asyncio.all_tasks()
    publisher = Publisher(kafka)

    monkeypatch.setattr("shared.runtime.publisher.REACH_SECONDS", 0.01)
    assert [await publisher.reachable() for _ in range(3)] == [False] * 3
    monkeypatch.setattr("shared.runtime.publisher.REACH_SECONDS", 60)
    may_start.set()
    assert await publisher.reachable()
    assert starts == 1

    await publisher.close()
    may_start.clear()
    monkeypatch.setattr("shared.runtime.publisher.REACH_SECONDS", 0.01)
    assert not await publisher.reachable()
    await publisher.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before, "a close ends a start that goes on"

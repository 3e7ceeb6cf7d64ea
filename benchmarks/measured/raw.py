"""How fast could a hop be at most here? The same messages and rows, by the libraries alone.

aiokafka consumes the messages, asyncpg inserts the rows in batches, aiokafka produces the events,
one after the other. Nothing is decoded, decided, locked, looked up or deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.measured import service
from shared.contracts.base import CaseId
from shared.contracts.envelope import Recorded, derived_id, headers
from shared.runtime import clock, inbox, outbox
from shared.runtime.kafka import POLL_RECORDS
from shared.runtime.local.topics import PARTITIONS
from shared.runtime.postgres import Pool


@dataclass(frozen=True, slots=True)
class Limit:
    """Events a second of each part alone, and of one after the other."""

    consume: float
    insert: float
    produce: float

    @property
    def all(self) -> float:
        return 1 / (1 / self.consume + 1 / self.insert + 1 / self.produce)


@dataclass(frozen=True, slots=True)
class Decided:
    """What the hop writes for one input."""

    received: Recorded
    state: service.State
    event: Recorded


def decided(events: Sequence[Recorded]) -> list[Decided]:
    """Decide in memory, so that the rows and events are the very ones of the hop."""
    states: dict[CaseId, service.State] = {}
    found = []
    for one in events:
        state = states.get(one.case_id, service.DECIDER.initial)
        step = service.DECIDER.step(state, one.event, one.recorded_at)
        states[one.case_id] = step.state
        [event] = step.events
        recorded = Recorded(
            event, derived_id(one.event_id, "bench", 0), one.recorded_at, one.event_id
        )
        found.append(Decided(one, step.state, recorded))
    return found


async def limit(bootstrap: str, pool: Pool, prefix: str, work: Sequence[Decided]) -> Limit:
    """Measure the three; the messages lie in the prefix's intake topic already."""
    count = len(work)
    return Limit(
        count / await consume(bootstrap, f"{prefix}.intake", count),
        count / await insert(pool, work),
        count / await produce(bootstrap, f"{prefix}.raw", [one.event for one in work]),
    )


async def consume(bootstrap: str, topic: str, count: int) -> float:
    """Give the seconds from the first poll to the last message."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        await consumer.seek_to_beginning()
        began, got = clock.ticks(), 0
        while got < count:
            some = await consumer.getmany(timeout_ms=500, max_records=POLL_RECORDS)
            got += sum(map(len, some.values()))
        return clock.ticks() - began
    finally:
        await consumer.stop()


async def insert(pool: Pool, work: Sequence[Decided]) -> float:
    """Give the seconds for inbox, state and outbox rows, a transaction for each batch."""
    batches = [_rows(work[at : at + POLL_RECORDS]) for at in range(0, len(work), POLL_RECORDS)]
    began = clock.ticks()
    async with pool.acquire() as db:
        for batch in batches:
            async with db.transaction():
                for statement, columns in batch:
                    await db.execute(statement, *columns)
    return clock.ticks() - began


def _rows(batch: Sequence[Decided]) -> Sequence[tuple[str, Sequence[Any]]]:
    received = [one.received for one in batch]
    decided = [one.event for one in batch]
    return (
        (inbox.CLAIM, ([one.event_id for one in received], received[0].recorded_at)),
        (service.SAVE, service.columns([(one.received.case_id, one.state) for one in batch])),
        (outbox.APPEND, (*outbox.columns(decided), "benchmark")),
    )


async def produce(bootstrap: str, topic: str, events: Sequence[Recorded]) -> float:
    """Give the seconds from the first send to the last acknowledgement."""
    messages = [
        (one.event.model_dump_json().encode(), str(one.case_id).encode(), headers(one))
        for one in events
    ]
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.partitions_for(topic)
        began = clock.ticks()
        for value, key, attributes in messages:
            await producer.send(topic, value, key=key, headers=attributes)
        await producer.flush()
        return clock.ticks() - began
    finally:
        await producer.stop()

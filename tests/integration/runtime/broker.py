"""What lies in a topic, and how does a test put anything at all there?"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts.envelope import Recorded, headers
from shared.runtime.local.topics import PARTITIONS

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Raw:
    """A record as any producer might make it."""

    key: bytes | None
    value: bytes | None
    headers: Headers

    @classmethod
    def of(cls, recorded: Recorded) -> "Raw":
        value = recorded.event.model_dump_json().encode()
        return cls(str(recorded.case_id).encode(), value, headers(recorded))


async def put(bootstrap: str, topic: str, records: Iterable[Raw]) -> None:
    """Produce records in their order; those of one key stay in order."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_request_size=16 << 20
    )
    await producer.start()
    try:
        for one in records:
            await producer.send(topic, one.value, key=one.key, headers=one.headers)
    finally:
        await producer.stop()


async def tell(bootstrap: str, prefix: str, records: Iterable[Recorded]) -> None:
    """Publish events as intake's relay would."""
    await put(bootstrap, f"{prefix}.intake", map(Raw.of, records))


async def everything(bootstrap: str, topic: str) -> list[Any]:
    """Read a topic from its beginning to its end, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        found: dict[TopicPartition, list[Any]] = {tp: [] for tp in partitions}
        for tp, end in ends.items():
            while await consumer.position(tp) < end:
                for some in (await consumer.getmany(tp, timeout_ms=200)).values():
                    found[tp] += some
        return [record for tp in partitions for record in found[tp]]
    finally:
        await consumer.stop()

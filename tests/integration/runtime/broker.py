"""What lies in a topic, and how does a test put anything at all there?"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.record.util import calc_crc32c

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


async def put_with_a_name_not_in_utf_8(bootstrap: str, topic: str, one: Raw) -> None:
    """Produce what no Python client can: a header whose name is not UTF-8; librdkafka's can."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        partition = DefaultPartitioner()(one.key, list(range(PARTITIONS)), list(range(PARTITIONS)))
        batch = producer.create_batch()
        headers = [*one.headers, ("PLACEHOLDER", b"x")]
        batch.append(key=one.key, value=one.value, timestamp=None, headers=headers)
        batch.close()
        batch._build = partial(_spoiled, batch._build())
        await (await producer.send_batch(batch, topic, partition=partition))
    finally:
        await producer.stop()


def _spoiled(built: Any) -> bytearray:
    """Change the name, and the checksum that stands over it (Kafka record batch, v2)."""
    raw = bytearray(built)
    at = raw.index(b"PLACEHOLDER")
    raw[at : at + 2] = b"\xff\xfe"
    struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))
    return raw


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

"""What stands in the five topics? Read from the beginning to the end, as any consumer may."""

from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts.topics import SERVICES, topic
from shared.runtime.local.topics import PARTITIONS
from shared.testing.storm.ledger import Published


async def published(bootstrap: str, prefix: str) -> list[Published]:
    """Give every record, each partition's in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic(service, prefix), number)
            for service in SERVICES
            for number in range(PARTITIONS)
        ]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        found: list[Published] = []
        for tp, end in (await consumer.end_offsets(partitions)).items():
            while await consumer.position(tp) < end:
                for some in (await consumer.getmany(tp, timeout_ms=500)).values():
                    found += map(_published, some)
        return found
    finally:
        await consumer.stop()


def _published(record: Any) -> Published:
    heads = dict(record.headers)
    return Published(
        record.topic,
        record.partition,
        record.offset,
        UUID(heads["ce_id"].decode()),
        heads["ce_type"].decode(),
        UUID(record.key.decode()),
        record.value,
    )

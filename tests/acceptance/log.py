"""What was published about a case? Read from the five topics, as any consumer would."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer

from shared.contracts.base import Event
from shared.contracts.topics import EVENTS, SERVICES, topic
from shared.runtime.local.stack import Stack

PATIENT_SECONDS = 60


async def published(
    stack: Stack, case_id: str, wanted: Mapping[str, Sequence[object]]
) -> dict[str, list[Event]]:
    """Give the case's events by publisher, in order: as many as are wanted, and any beyond."""
    topics = {topic(name, stack.plan.topic_prefix): name for name in SERVICES}
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=stack.bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    found: dict[str, list[Event]] = {name: [] for name in SERVICES}
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENT_SECONDS):
            while any(len(found[name]) < len(told) for name, told in wanted.items()):
                await _read(consumer, topics, case_id, found)
            await _read(consumer, topics, case_id, found)
    except TimeoutError:
        pass  # what is missing shows in the comparison
    finally:
        await consumer.stop()
    return found


async def _read(
    consumer: Any, topics: Mapping[str, str], case_id: str, found: dict[str, list[Event]]
) -> None:
    batch = await consumer.getmany(timeout_ms=500)
    for partition, messages in batch.items():
        mine = [one for one in messages if one.key == case_id.encode()]
        found[topics[partition.topic]] += [_event(message) for message in mine]


def _event(message: Any) -> Event:
    kind = EVENTS[dict(message.headers)["ce_type"].decode()]
    return kind.model_validate_json(message.value)

"""What comes to reporting over Kafka, and what goes? Its neighbours' topics, and its own."""

import asyncio
from collections.abc import Sequence
from uuid import uuid5

from aiokafka import AIOKafkaConsumer

from shared.contracts.base import CaseId, Event
from shared.contracts.envelope import Recorded
from shared.contracts.topics import EVENTS, topic
from shared.testing.spec import NOON
from tests.integration.reporting.office import ORIGIN, Office
from tests.integration.runtime.broker import Raw, put

PATIENT_SECONDS = 60


async def publish(at_work: Office, events: Sequence[Event]) -> None:
    """Publish as the events' own services would, each to its topic."""
    settings = at_work.live.core.settings
    for number, event in enumerate(events):
        event_id = uuid5(ORIGIN, f"published {event.case_id} {number}")
        recorded = Recorded(event, event_id, NOON)
        where = topic(event.publisher(), settings.topic_prefix)
        await put(settings.kafka, where, [Raw.of(recorded)])


async def heard(at_work: Office, case: CaseId, *, until: str) -> list[str]:
    """Give the names of the case's events up to `until`, and what follows at once."""
    settings = at_work.live.core.settings
    consumer = AIOKafkaConsumer(
        topic("reporting", settings.topic_prefix),
        bootstrap_servers=settings.kafka,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    names: list[str] = []
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENT_SECONDS):
            while until not in names:
                batch = await consumer.getmany(timeout_ms=500)
                for messages in batch.values():
                    names += [_name(m) for m in messages if m.key == str(case).encode()]
    finally:
        await consumer.stop()
    return names


def _name(message: object) -> str:
    headers = dict(message.headers)  # type: ignore[attr-defined]
    return EVENTS[headers["ce_type"].decode()].__name__

"""How soon is an event that concerns one case answered with an offer? From Kafka to the commit.

The clock starts as the event is given to Kafka, and stops when another session can see the offer.
A day's other cases are there meanwhile, offered or being read, and come at random, as cases do.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import time
from random import Random
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Final
from uuid import UUID, uuid5

import asyncpg
from aiokafka import AIOKafkaProducer

from benchmarks.measured.rounds import scene
from services.matching.domain.duty import Shift
from services.matching.domain.state import Matching
from services.matching.store import roster
from services.matching.store.cases import WORKLIST
from shared.contracts.base import CaseId, Event
from shared.contracts.deid import CaseDeidentified
from shared.contracts.envelope import Recorded, headers
from shared.contracts.intake import CaseAccepted
from shared.runtime import clock, collector
from shared.runtime.service import Core

ORIGIN: Final = UUID("6a1f0b3e-0000-4000-8000-000000000024")
READERS: Final = 150
ALL_DAY: Final = Shift(start=time(), end=time())
TOGETHER: Final = 100
SETTLED_SECONDS: Final = 6.0  # one look over everything
# Cases come at random, in the mean so many seconds apart; 10,000 a day are 8.6 s apart.
APART_SECONDS: Final = 0.2
# Which of these cases were offered to somebody.
OFFERED = """
    SELECT DISTINCT case_id FROM decisions
    WHERE case_id = ANY($1::uuid[]) AND decision ->> 'reader' IS NOT NULL
"""


@dataclass
class Watched:
    """The cases that wait for an offer, by when their event was sent; and how long it took."""

    sent: dict[UUID, float] = field(default_factory=dict)
    took: dict[UUID, float] = field(default_factory=dict)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def over(self, dsn: str) -> Any:
        """Look whenever something was committed that concerns a reader."""
        db = await asyncpg.connect(dsn)
        await db.add_listener(WORKLIST, lambda *_: self._heard.set())
        looking = asyncio.create_task(self._look(db))
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            await db.close()

    async def _look(self, db: asyncpg.Connection) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            waits = [one for one in self.sent if one not in self.took]
            for row in await db.fetch(OFFERED, waits):
                self.took[row["case_id"]] = perf_counter() - self.sent[row["case_id"]]


async def measure(
    core: Core[Matching], dsn: str, kafka: str, cases: int, held: int
) -> dict[str, float]:
    """Give the milliseconds between clean cases and their offers, beside so many others."""
    seen = [accepted for accepted, _ in scene(held + cases, READERS).accepted]
    await _plant(core, held + cases)
    collector.rarely()  # as in a service
    await _fill(core, seen[:held])
    await asyncio.sleep(SETTLED_SECONDS)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    await producer.start()
    watched = Watched()
    try:
        async with watched.over(dsn):
            await _send(producer, core.settings.topic_prefix, seen[held:], watched)
    finally:
        await producer.stop()
    waits = sorted(took * 1e3 for took in watched.took.values())
    return {
        "held": held,
        "offered": len(waits),
        "offer_p50_ms": median(waits),
        "offer_p95_ms": quantiles(waits, n=20)[18],
    }


async def _plant(core: Core[Matching], cases: int) -> None:
    """Write a roster that has room for them all."""
    room: Mapping[str, Any] = {"shifts": (ALL_DAY,), "capacity": max(50, cases // 20)}
    readers = [one.model_copy(update=room) for one in scene(1, READERS).readers]
    async with core.pool.acquire() as db:
        await roster.seed(db, readers, clock.now())


async def _fill(core: Core[Matching], seen: Sequence[CaseAccepted]) -> None:
    for at in range(0, len(seen), TOGETHER):
        some = [_now(one) for one in seen[at : at + TOGETHER]]
        for events in (some, [_clean(one.case_id) for one in some]):
            await asyncio.gather(
                *(core.runner.submit(one, input_id=_id(one, "filled")) for one in events)
            )


async def _send(producer: Any, prefix: str, seen: Sequence[CaseAccepted], watched: Watched) -> None:
    chance = Random(1)  # noqa: S311 - gaps, no secret
    for one in seen:
        await _publish(producer, f"{prefix}.intake", _now(one))
        await asyncio.sleep(chance.expovariate(2 / APART_SECONDS))
        watched.sent[one.case_id] = perf_counter()
        await _publish(producer, f"{prefix}.deid", _clean(one.case_id))
        await asyncio.sleep(chance.expovariate(2 / APART_SECONDS))
    await asyncio.sleep(2)


async def _publish(producer: Any, topic: str, event: Event) -> None:
    told = Recorded(event, _id(event, "sent"), clock.now(), None)
    key, value = str(event.case_id).encode(), event.model_dump_json().encode()
    await producer.send_and_wait(topic, value, key=key, headers=headers(told))


def _id(event: Event, how: str) -> UUID:
    return uuid5(ORIGIN, f"{how} {event.ce_type()} {event.case_id}")


def _now(accepted: CaseAccepted) -> CaseAccepted:
    return accepted.model_copy(update={"accepted_at": clock.now()})


def _clean(case_id: CaseId) -> CaseDeidentified:
    return CaseDeidentified(
        case_id=case_id,
        partner="simulated",
        pseudonym="p-4f1c2a9d8e7b6a50",
        studies=(),
        documents=(),
        instances_cleaned=1,
        supplement=0,
    )

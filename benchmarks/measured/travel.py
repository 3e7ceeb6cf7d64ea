"""How many cases a second travel through all five services, and how soon is a reader asked?

People act inside intake, matching and reporting, where their requests would be handled, so that no
HTTP client competes for the two cores: intake's sealing and vault, every event over Kafka, one tiny
real CT a case through deid, and the webhook over HTTP are all in it; HTTP parsing and tokens at the
three edges are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles
from typing import Any

from aiokafka import AIOKafkaConsumer

from benchmarks.measured.servers import Servers
from benchmarks.measured.whole import Whole, whole
from shared.contracts.intake import CaseAccepted
from shared.contracts.matching import AssignmentOffered
from shared.runtime import clock


@dataclass(frozen=True, slots=True)
class Travel:
    """Cases a second, and seconds from CaseAccepted to the first offer at a steady rate.

    `cpu`: milliseconds of processor time that a case cost each program, at full speed.
    """

    cases_per_second: float
    cpu: Mapping[str, float]
    offers: Sequence[float]

    def percentile(self, which: int) -> float:
        return quantiles(self.offers, n=100)[which - 1]


async def measure(servers: Servers, warm_up: int, cases: int, paced: int, rate: float) -> Travel:
    async with whole(servers) as running:
        await running.submit(warm_up)
        await running.all_delivered()
        began, idle = clock.ticks(), running.cpu_seconds()
        await running.submit(cases)
        await running.all_delivered()
        per_second, busy = cases / (clock.ticks() - began), running.cpu_seconds()
        before = set(await _moments(running, "intake", CaseAccepted.ce_type()))
        await running.submit(paced, rate)
        await running.all_delivered()
        accepted = await _moments(running, "intake", CaseAccepted.ce_type())
        offered = await _moments(running, "matching", AssignmentOffered.ce_type())
    waits = [
        (offered[case] - at).total_seconds() for case, at in accepted.items() if case not in before
    ]
    cpu = {name: 1000 * (busy[name] - idle[name]) / cases for name in busy}
    return Travel(per_second, cpu, waits)


async def _moments(running: Whole, publisher: str, kind: str) -> Mapping[str, datetime]:
    """When each case's first event of a kind was decided, by the events' own times."""
    topic = f"{running.stack.plan.topic_prefix}.{publisher}"
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=running.servers.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: dict[str, datetime] = {}
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        left = {one for one, end in ends.items() if end}
        while left:
            for some in (await consumer.getmany(timeout_ms=500)).values():
                for record in some:
                    _note(record, kind, found)
            left = {one for one in left if await consumer.position(one) < ends[one]}
    finally:
        await consumer.stop()
    return found


def _note(record: Any, kind: str, found: dict[str, datetime]) -> None:
    headers = dict(record.headers)
    if headers["ce_type"].decode() == kind:
        at = datetime.fromisoformat(headers["ce_time"].decode())
        found.setdefault(record.key.decode(), at)

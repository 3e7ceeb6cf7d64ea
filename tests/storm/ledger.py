"""What did the storm cost? Every case, every event, every input is accounted for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer

from shared.contracts.envelope import derived_id
from shared.contracts.topics import SERVICES, topic
from shared.runtime.local.stack import Stack

# What happens once to a case that goes straight through, in the order within each topic.
CHAINS: Mapping[str, Sequence[str]] = {
    "intake": ("case-submitted", "case-accepted"),
    "deid": ("deidentification-planned", "case-deidentified"),
    "matching": ("case-opened", "assignment-offered", "assignment-accepted", "assignment-closed"),
    "reporting": (
        "reading-started",
        "opinion-locked",
        "first-report-revealed",
        "report-finalized",
    ),
}
MOST_POSITIONS = 32
INBOX = "SELECT input_id FROM inbox"
PARKED = "SELECT event_id FROM parked WHERE resolution IS NULL AND NOT behind"
LEFT = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM jobs)"


@dataclass(frozen=True, slots=True)
class Told:
    """A message as any consumer reads it."""

    publisher: str
    case_id: str
    kind: str
    event_id: str
    cause: str
    at: str


@dataclass
class Ledger:
    """The account of one storm; without `failures()` nothing was lost, doubled or disordered."""

    accepted: int
    finished: int
    lost_cases: list[str] = field(default_factory=list)
    lost_inputs: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    parked: int = 0
    left_behind: int = 0
    published: int = 0
    published_again: int = 0
    absorbed: int = 0
    drain_seconds: float = 0.0
    storm: dict[str, int] = field(default_factory=dict)

    def failures(self) -> list[str]:
        found = {
            "lost cases": len(self.lost_cases),
            "lost inputs": len(self.lost_inputs),
            "duplicated effects": len(self.doubled),
            "out of order": len(self.disordered),
            "parked": self.parked,
            "left behind": self.left_behind,
        }
        failures = [f"{name}: {count}" for name, count in found.items() if count]
        if self.absorbed == 0:
            failures.append("no duplicate was absorbed: the storm proved nothing")
        return failures

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"failures": self.failures()}


async def told(stack: Stack) -> list[Told]:
    """Read all five topics from the beginning to their present end."""
    topics = {topic(name, stack.plan.topic_prefix): name for name in SERVICES}
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=stack.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[Told] = []
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        left = {one for one, end in ends.items() if end}
        while left:
            for partition, records in (await consumer.getmany(timeout_ms=1000)).items():
                found += [_told(topics[partition.topic], one) for one in records]
            left = {one for one in left if await consumer.position(one) < ends[one]}
    finally:
        await consumer.stop()
    return found


def _told(publisher: str, record: Any) -> Told:
    headers = {name: value.decode("latin-1") for name, value in record.headers}
    kind = headers.get("ce_type", "").split(".")[-2:-1]
    return Told(
        publisher,
        (record.key or b"").decode("latin-1"),
        kind[0] if kind else "",
        headers.get("ce_id", ""),
        headers.get("ce_causationid", ""),
        headers.get("ce_time", ""),
    )


def firsts(messages: Iterable[Told]) -> list[Told]:
    """Give each event once, where it first stood."""
    seen: dict[str, Told] = {}
    for one in messages:
        seen.setdefault(one.event_id, one)
    return list(seen.values())


def by_case(events: Iterable[Told]) -> dict[tuple[str, str], list[Told]]:
    cases: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for one in events:
        cases[one.publisher, one.case_id].append(one)
    return cases


def lost_cases(accepted: Sequence[str], events: Sequence[Told], arrived: set[str]) -> list[str]:
    """Name each accepted case that did not come to its end, and where it stopped."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for one in events:
        kinds[one.case_id].add(one.kind)
    wanted = [kind for chain in CHAINS.values() for kind in chain] + ["delivered"]
    lost = []
    for case_id in accepted:
        missing = [kind for kind in wanted if kind not in kinds[case_id]]
        if missing or case_id not in arrived:
            lost.append(f"{case_id}: no {missing[0] if missing else 'webhook'}")
    return lost


def doubled(events: Sequence[Told], webhooks: Mapping[str, set[str]]) -> list[str]:
    """Name each effect that came twice under different ids."""
    once = {kind for chain in CHAINS.values() for kind in chain}
    counts = Counter((one.case_id, one.kind) for one in events if one.kind in once)
    found = [f"{case}: {count} times {kind}" for (case, kind), count in counts.items() if count > 1]
    found += [f"{case}: {len(ids)} webhooks" for case, ids in webhooks.items() if len(ids) > 1]
    deliveries = Counter(one.case_id for one in events if one.kind == "delivered")
    return found + [f"{case}: delivered {n} times" for case, n in deliveries.items() if n > 2]


def disordered(events: Sequence[Told]) -> list[str]:
    """Name each case whose events stand in another order than they were decided in."""
    found = []
    for (publisher, case_id), told_ in by_case(events).items():
        chain = [one.kind for one in told_ if one.kind in CHAINS.get(publisher, ())]
        wanted = sorted(chain, key=list(CHAINS.get(publisher, ())).index)
        times = [one.at for one in told_]
        if chain != wanted or times != sorted(times) or not _in_positions(told_):
            found.append(f"{case_id} in {publisher}")
    return found


def _in_positions(events: Sequence[Told]) -> bool:
    """Events of one cause carry ids derived from it and their position."""
    last: dict[str, int] = {}
    for one in events:
        ids = [str(derived_id(UUID(one.cause), one.publisher, n)) for n in range(MOST_POSITIONS)]
        position = ids.index(one.event_id) if one.event_id in ids else -1
        if position < 0 or position <= last.get(one.cause, -1):
            return False
        last[one.cause] = position
    return True


async def lost_inputs(stack: Stack, events: Sequence[Told]) -> tuple[list[str], int, int]:
    """Name each event that a listener's inbox lacks; count what is parked and unfinished."""
    lost: list[str] = []
    parked = left = 0
    for service in SERVICES:
        listens = import_module(f"services.{service}.subscribers").LISTENS
        wanted = {kind.ce_type().split(".")[-2] for kinds in listens.values() for kind in kinds}
        db = await asyncpg.connect(stack.dsn(service), server_settings={"search_path": service})
        try:
            known = {str(row["input_id"]) for row in await db.fetch(INBOX)}
            held = [str(row["event_id"]) for row in await db.fetch(PARKED)]
            left += await db.fetchval(LEFT)
        finally:
            await db.close()
        parked += len(held)
        lost += [
            f"{one.case_id}: {service} never handled {one.kind}"
            for one in events
            if one.publisher in listens and one.kind in wanted and one.event_id not in known
        ]
    return lost, parked, left

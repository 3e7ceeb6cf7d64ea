"""Promise 6: a case's events reach Kafka in the order decided, whatever Kafka or a relay does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka.errors import NotEnoughReplicasError

from shared.contracts.deid import DeidentificationPlanned
from shared.runtime import outbox
from shared.runtime.feed import Feed
from shared.runtime.handle import Runner
from shared.runtime.outbox import Outgoing, Publish, Relay
from shared.runtime.postgres import Pool, Wakeups
from shared.runtime.publisher import BATCH_BYTES, Publisher
from shared.runtime.wire import LARGEST_VALUE, Readable, read
from tests.integration.runtime.broker import Raw, everything
from tests.integration.runtime.live import until
from tests.integration.runtime.messages import WANTED, message
from tests.integration.runtime.poison import WRONG
from tests.integration.runtime.tally import SERVICE, case, told

# https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html
DEBEZIUM = {
    "id": "uuid",
    "aggregatetype": "text",
    "aggregateid": "uuid",
    "type": "text",
    "payload": "text",
}
CASES = range(20)
PER_CASE = 10


async def decided(runner: Runner[Any]) -> None:
    """Fill the outbox: events of many cases, interleaved."""
    stream = [message(told(n, nth), 1000 * n + nth) for nth in range(PER_CASE) for n in CASES]
    await Feed(runner, WANTED)(stream)


async def empty(pool: Pool) -> bool:
    return not await pool.fetchval("SELECT EXISTS (SELECT FROM outbox)")


@asynccontextmanager
async def at_work(relay: Relay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class Site:
    """An outbox and a Kafka, and relays between them."""

    runner: Runner[Any]
    dsn: str
    kafka: str
    prefix: str
    publisher: Publisher

    @property
    def pool(self) -> Pool:
        return self.runner.pool

    @property
    def topic(self) -> str:
        return f"{self.prefix}.{SERVICE}"

    def relay(self, publish: Publish | None = None) -> Relay:
        wakeups = Wakeups(self.dsn, SERVICE)
        return Relay(self.pool, SERVICE, self.prefix, publish or self.publisher, wakeups)

    async def published(self) -> list[Any]:
        return await everything(self.kafka, self.topic)

    async def emptied(self) -> None:
        await until(lambda: empty(self.pool))


@pytest.fixture
async def site(runner: Runner[Any], dsn: str, kafka: str, topics: str) -> AsyncIterator[Site]:
    publisher = Publisher(kafka)
    yield Site(runner, dsn, kafka, topics, publisher)
    await publisher.close()


def counts(records: Sequence[Any]) -> dict[bytes, list[int]]:
    """Give each case's counts in the order of the first time that each was published."""
    seen: dict[bytes, list[int]] = {}
    for record in records:
        count = int(DeidentificationPlanned.model_validate_json(record.value).studies[0])
        if count not in seen.setdefault(record.key, []):
            seen[record.key].append(count)
    return seen


IN_ORDER = {str(case(n)).encode(): list(range(1, PER_CASE + 1)) for n in CASES}


async def test_order_is_kept_though_kafka_refuses_some_batches(site: Site) -> None:
    await decided(site.runner)
    waves = 0

    async def refusing(wave: Sequence[Outgoing]) -> list[int]:
        """Every wave loses one partition's batch, as if its leader were away; one loses all."""
        nonlocal waves
        waves += 1
        if waves == 3:
            raise NotEnoughReplicasError
        keys = sorted({one.key for one in wave})
        gone = set(keys[:: max(2, len(keys) // 3)]) if waves < 6 else set()
        return await site.publisher([one for one in wave if one.key not in gone])

    async with at_work(site.relay(refusing)):
        await site.emptied()

    assert waves > 3
    assert counts(await site.published()) == IN_ORDER


async def test_events_published_but_not_acknowledged_come_twice_under_one_id(site: Site) -> None:
    await decided(site.runner)
    lost = False

    async def unheard(wave: Sequence[Outgoing]) -> list[int]:
        nonlocal lost
        done = await site.publisher(wave)
        if not lost:
            lost = True
            raise ConnectionResetError
        return done

    async with at_work(site.relay(unheard)):
        await site.emptied()

    records = await site.published()
    ids = [dict(record.headers)["ce_id"] for record in records]
    assert len(ids) == 2 * len(set(ids)) == 2 * len(CASES) * PER_CASE
    assert counts(records) == IN_ORDER


async def test_of_two_relays_one_leads_and_the_other_takes_over(site: Site) -> None:
    first = site.relay()
    second = site.relay()

    async with at_work(second):
        async with at_work(first):
            await decided(site.runner)
            await site.emptied()
            assert min(first.published, second.published) == 0
            leader, other = sorted((first, second), key=lambda one: -one.published)
            before = other.published
            # Its connection ends, as when its process dies.
            await site.pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            await Feed(site.runner, WANTED)([message(told(99, 1), 99_000)])
            await site.emptied()
        await Feed(site.runner, WANTED)([message(told(98, 1), 98_000)])
        await site.emptied()

    assert (leader.published + other.published) == len(CASES) * PER_CASE + 2
    assert before == 0
    assert second.published > 0


async def test_a_leader_that_froze_loses_its_lead(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LEAD_WHILE_ALIVE", "SET idle_session_timeout = '300ms'")
    frozen = asyncio.Event()

    async def freeze(_: Sequence[Outgoing]) -> list[int]:
        frozen.set()
        await asyncio.Event().wait()
        raise AssertionError

    await decided(site.runner)
    async with at_work(site.relay(freeze)):
        await frozen.wait()
        monkeypatch.undo()
        async with at_work(site.relay()):
            await site.emptied()


async def test_what_is_published_reads_as_a_cloud_event_of_ours(site: Site) -> None:
    await Feed(site.runner, WANTED)([message(told(1, 1))])
    [row] = await site.pool.fetch("SELECT * FROM outbox")

    async with at_work(site.relay()):
        await site.emptied()

    [record] = await site.published()
    heads = dict(record.headers)
    assert record.key == str(case(1)).encode()
    assert heads == {
        "ce_specversion": b"1.0",
        "ce_id": str(row["id"]).encode(),
        "ce_type": DeidentificationPlanned.ce_type().encode(),
        "ce_source": b"/overread/deid",
        "ce_subject": record.key,
        "ce_time": row["occurred_at"].isoformat().encode(),
        "ce_causationid": str(told(1, 1).event_id).encode(),
        "content-type": b"application/json",
    }
    wanted = {DeidentificationPlanned.ce_type(): DeidentificationPlanned}
    arrived = message(told(1, 1))
    arrived = type(arrived)(
        record.topic, record.partition, record.offset, record.key, record.value, record.headers
    )
    assert isinstance(read(arrived, wanted), Readable)


async def test_the_largest_event_fits_one_batch(site: Site) -> None:
    largest = Raw(str(case(1)).encode(), b"x" * LARGEST_VALUE, [])
    assert largest.value is not None
    headers = [(name, b"v" * 100) for name in "abcdefghi"]
    wave = [
        Outgoing(seq, site.topic, str(case(1)).encode(), largest.value, headers) for seq in (1, 2)
    ]

    first = await site.publisher(wave)
    second = await site.publisher(wave[1:])

    assert (first, second) == ([1], [2])
    assert LARGEST_VALUE + 10_000 < BATCH_BYTES < 1_048_588
    assert len(await site.published()) == 2


async def test_debezium_can_read_the_table_instead(pool: Pool) -> None:
    rows = await pool.fetch(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'outbox' AND table_schema = current_schema()"
    )

    columns = {row["column_name"]: row["data_type"] for row in rows}
    assert DEBEZIUM.items() <= columns.items()


async def test_an_event_too_large_never_reaches_the_outbox(runner: Runner[Any], pool: Pool) -> None:
    await Feed(runner, WANTED)([WRONG["an event too large to publish"][0](message(told(5, 1)))])

    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0
    assert await pool.fetchval("SELECT count(*) FROM parked") == 1


async def test_no_task_of_an_abandoned_producer_lives_on(kafka: str, topics: str) -> None:
    before = asyncio.all_tasks()
    publisher = Publisher(kafka)
    wave = [Outgoing(1, f"{topics}.{SERVICE}", b"key", b"{}", [])]

    assert await publisher(wave) == [1]
    await publisher.close()
    await asyncio.sleep(0.1)

    assert not publisher.connected
    assert asyncio.all_tasks() == before


async def test_a_leader_that_waits_for_a_slow_kafka_keeps_its_lead(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LEAD_WHILE_ALIVE", "SET idle_session_timeout = '1s'")
    monkeypatch.setattr(outbox, "PULSE_SECONDS", 0.1)
    waves = 0

    async def slow(wave: Sequence[Outgoing]) -> list[int]:
        nonlocal waves
        waves += 1
        await asyncio.sleep(2)
        return await site.publisher(wave)

    await decided(site.runner)
    async with at_work(site.relay(slow)):
        await site.emptied()

    assert waves == 1

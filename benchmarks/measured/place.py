"""Where does a hop run? On topics and in a database of its own, gone afterwards."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from benchmarks.measured import service
from benchmarks.measured.servers import PASSWORDS, Servers
from shared.contracts.envelope import Recorded, headers
from shared.runtime.local.database import drop_database, init_database
from shared.runtime.local.topics import create_named_topics, delete_topics
from shared.runtime.postgres import RUNTIME_MIGRATIONS, Pool, migrate, open_pool


@dataclass
class Place:
    """A Kafka prefix and a database that were not there before, and are gone afterwards."""

    servers: Servers
    prefix: str
    dsn: str
    pool: Pool
    made: int = 0

    async def told(self, events: Sequence[Recorded]) -> str:
        """Publish events as intake would on a topic of their own; give its prefix."""
        prefix = await self.topics()
        await produce(self.servers.kafka, f"{prefix}.intake", events)
        return prefix

    async def topics(self) -> str:
        """Make topics of their own; give their prefix."""
        self.made += 1
        prefix = f"{self.prefix}.r{self.made}"
        names = [f"{prefix}.{name}" for name in ("intake", service.NAME, "raw")]
        await create_named_topics(self.servers.kafka, names)
        return prefix

    async def emptied(self) -> None:
        await self.pool.execute("TRUNCATE inbox, outbox, cases")


@asynccontextmanager
async def opened(servers: Servers, name: str = "bench_hop") -> AsyncIterator[Place]:
    await drop_database(servers.postgres, name)
    dsns = await init_database(servers.postgres, PASSWORDS, name)
    dsn = dsns[service.NAME]
    prefix = name.replace("_", "-")
    async with open_pool(dsn, service.NAME) as pool:
        await migrate(pool, service.NAME, [RUNTIME_MIGRATIONS])
        await pool.execute(service.CREATE)
        yield Place(servers, prefix, dsn, pool)
    await delete_topics(servers.kafka, prefix)
    await drop_database(servers.postgres, name)


async def produce(bootstrap: str, topic: str, events: Sequence[Recorded]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for one in events:
            value = one.event.model_dump_json().encode()
            key = str(one.case_id).encode()
            await producer.send(topic, value, key=key, headers=headers(one))
    finally:
        await producer.stop()

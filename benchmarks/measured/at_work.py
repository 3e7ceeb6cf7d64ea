"""How soon does the running matching answer? An event, a changed roster, a million deadlines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg

import examples
from benchmarks.measured import offers
from benchmarks.measured.servers import PASSWORDS, Servers
from services.matching.__main__ import SERVICE
from services.matching.domain.state import Matching
from services.matching.settings import Settings
from services.matching.store import roster
from shared.runtime import clock
from shared.runtime.local.database import drop_database, init_database, service_dsn
from shared.runtime.local.topics import create_topics, delete_topics
from shared.runtime.service import Core
from shared.runtime.timers import AT_ONCE, DUE, HANDLING
from shared.testing.running import running
from shared.testing.tokens import issuing

NAME, PREFIX = "bench_matching", "bench-matching"
# Every case is offered as soon as somebody is free, instead of waiting for who asks.
PUSHED = Path(examples.__file__).parent / "matching-policy.yaml"
HELD = "SELECT reader FROM assignments WHERE standing = 'offered' LIMIT 1"
GONE = "SELECT NOT EXISTS (SELECT FROM assignments WHERE standing = 'offered' AND reader = $1)"
# Deadlines of cases that are nobody's: some due, and as many as wanted that are not.
PENDING = """
    INSERT INTO timers (case_id, kind, due_at, retry_at)
    SELECT gen_random_uuid(), 'bench', at, at FROM (
        SELECT now() + n * interval '1 second' AS at FROM generate_series($1::int, $2::int) AS n)
        AS pending
"""
TICKS = 15


async def measure(servers: Servers, cases: int, held: int, timers: int) -> dict[str, float]:
    dsn = service_dsn(servers.postgres, "matching", PASSWORDS["matching"], NAME)
    await drop_database(servers.postgres, NAME)
    await init_database(servers.postgres, PASSWORDS, NAME)
    await create_topics(servers.kafka, PREFIX)
    try:
        async with _running(servers, dsn) as core:
            found = await offers.measure(core, dsn, servers.kafka, cases, held)
            found["roster_s"] = await _changed(core)
        return {**found, **await _ticks(dsn, timers)}
    finally:
        await delete_topics(servers.kafka, PREFIX)
        await drop_database(servers.postgres, NAME)


@asynccontextmanager
async def _running(servers: Servers, dsn: str) -> AsyncIterator[Core[Matching]]:
    async with issuing() as issuer:
        settings = Settings(
            postgres=dsn, port=8103, kafka=servers.kafka, objects="memory://", issuer=issuer.url,
            topic_prefix=PREFIX, policy=PUSHED,
        )  # fmt: skip
        async with running(SERVICE, settings) as live:
            yield live.core


async def _changed(core: Core[Matching]) -> float:
    """Give the seconds from a reader's leaving the roster until they hold no offer any more."""
    async with core.pool.acquire() as db:
        name = await db.fetchval(HELD)
        known = await roster.reader(db, name)
        assert known is not None, "who holds an offer is on the roster"
        began = perf_counter()
        await roster.put(db, known.model_copy(update={"active": False}), clock.now())
        while not await db.fetchval(GONE, name):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.005)
        return perf_counter() - began


async def _ticks(dsn: str, timers: int) -> dict[str, float]:
    """Give the milliseconds of a tick over 100 due deadlines, with none and many pending."""
    db = await asyncpg.connect(dsn)
    try:
        await db.execute("DELETE FROM timers")
        few = await _tick(db)
        for since in range(0, timers, 100_000):
            upto = min(timers, since + 100_000)
            await db.execute(PENDING, since + 86_400, upto + 86_399, timeout=600)
        await db.execute("ANALYZE timers")
        many = await _tick(db)
        pending = await db.fetchval("SELECT count(*) FROM timers", timeout=60)
    finally:
        await db.close()
    return {"pending": pending, "tick_few_ms": few, "tick_many_ms": many}


async def _tick(db: asyncpg.Connection) -> float:
    took = []
    for _ in range(TICKS):
        await db.execute(PENDING, -100, -1)
        began = perf_counter()
        rows = await db.fetch(DUE, clock.now(), AT_ONCE, HANDLING)
        took.append((perf_counter() - began) * 1e3)
        assert len(rows) == 100, "all that are due are claimed"
        await db.execute("DELETE FROM timers WHERE kind = 'bench' AND attempts > 0")
    return median(took)

"""How does a whole tally run: consumer, relay, ticker, worker and submissions around one runner?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from shared.contracts.deid import DeidentificationFailed
from shared.runtime.feed import Feed
from shared.runtime.handle import Runner
from shared.runtime.jobs import ClaimedJob, Worker
from shared.runtime.kafka import Subscription
from shared.runtime.outbox import Relay
from shared.runtime.patience import Patience
from shared.runtime.postgres import RUNTIME_MIGRATIONS, Pool, Wakeups, migrate, open_pool
from shared.runtime.publisher import Publisher
from shared.runtime.submissions import Submissions
from shared.runtime.timers import Ticker
from tests.integration.runtime.messages import WANTED
from tests.integration.runtime.tally import CREATE, SERVICE, TALLY, Tally, load, save

QUIET_SECONDS = 60
NOTHING_LEFT = """
    SELECT NOT EXISTS (SELECT FROM outbox) AND NOT EXISTS (SELECT FROM jobs WHERE NOT stuck)
       AND NOT EXISTS (SELECT FROM timers)
"""


async def perform(job: ClaimedJob) -> DeidentificationFailed:
    """The heavy work of the tally: none, but its result counts."""
    return DeidentificationFailed(case_id=job.case_id, partner="done", reason=job.kind)


@dataclass
class Live:
    """The parts of a running tally."""

    pool: Pool
    dsn: str
    kafka: str
    prefix: str
    performers: dict[str, Any] = field(default_factory=lambda: {"work": perform})
    most_at_once: int = 500
    member: str | None = None

    def __post_init__(self) -> None:
        self.runner: Runner[Tally] = Runner(SERVICE, self.pool, TALLY, load, save)
        self.wakeups = Wakeups(self.dsn, SERVICE)
        self.feed = Feed(self.runner, WANTED, Patience(longest=0.5))
        self.submissions = Submissions(self.runner)
        self.publisher = Publisher(self.kafka)
        self.relay = Relay(self.pool, SERVICE, self.prefix, self.publisher, self.wakeups)
        self.ticker = Ticker(self.pool, SERVICE, self.wakeups, self.submissions.deadlines)
        self.worker = Worker(
            self.pool, SERVICE, self.performers, self.submissions.result, self.wakeups
        )
        self.subscription = Subscription(
            self.kafka,
            f"{self.prefix}.{SERVICE}",
            [f"{self.prefix}.intake"],
            self.feed,
            silent_seconds=3,
            session_ms=1500,
            most_at_once=self.most_at_once,
            member=self.member,
        )

    def loops(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        parts: list[Any] = [
            self.subscription,
            self.relay,
            self.ticker,
            self.worker,
            self.submissions,
        ]
        return [self.wakeups.listen, *(part.run for part in parts)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Live"]:
        """Keep every part going; a bug in one ends the test."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(loop()) for loop in self.loops()]
                try:
                    yield self
                finally:
                    for task in tasks:
                        task.cancel()
        finally:
            await self.publisher.close()


@asynccontextmanager
async def live(dsn: str, kafka: str, prefix: str, **options: Any) -> AsyncIterator[Live]:
    """Run a tally within the body."""
    async with open_pool(dsn, SERVICE) as pool:
        await migrate(pool, SERVICE, [RUNTIME_MIGRATIONS])
        await pool.execute(CREATE)
        async with Live(pool, dsn, kafka, prefix, **options).running() as running:
            yield running


async def until(
    true: Callable[[], Awaitable[Any]], seconds: float = QUIET_SECONDS, every: float = 0.05
) -> None:
    """Wait for a condition that nobody signals: what another process or server has done."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - see the docstring
            await asyncio.sleep(every)


async def drained(pool: Pool, inputs: int) -> None:
    """Wait until so many inputs were handled and all that they led to has left."""

    async def done() -> bool:
        with suppress(OSError):
            count: int = await pool.fetchval("SELECT count(*) FROM inbox")
            return count >= inputs and bool(await pool.fetchval(NOTHING_LEFT))
        return False

    await until(done)

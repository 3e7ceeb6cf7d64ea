"""A tally as a process of its own, that a test may kill."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from multiprocessing.process import BaseProcess

from shared.runtime import failpoints, outbox, timers
from shared.runtime.postgres import SERVER_SETTINGS
from tests.integration.runtime.live import live

# A server that has imported everything forks each child: 20 of them start in the time of one.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])
# What a dead ticker had claimed is asked again after so long: sooner than in production.
SOON = timedelta(seconds=2)


@asynccontextmanager
async def process(
    dsn: str, kafka: str, prefix: str, points: str = "", *, idle: str = "30s"
) -> AsyncIterator[BaseProcess]:
    """Run a tally with these points armed, and kill it at the end of the body.

    `idle`: how long Postgres suffers a transaction, or a lead, in which nothing happens.
    """
    child = FORKS.Process(target=main, args=(dsn, kafka, prefix, points, idle))
    child.start()
    try:
        yield child
    finally:
        child.kill()
        await asyncio.to_thread(child.join)


async def exit_code(child: BaseProcess, seconds: float = 60) -> int | None:
    """Wait for its end; None when it lives on."""
    await asyncio.to_thread(child.join, seconds)
    return child.exitcode


def main(dsn: str, kafka: str, prefix: str, points: str, idle: str) -> None:
    timers.HANDLING = SOON
    SERVER_SETTINGS["idle_in_transaction_session_timeout"] = idle
    outbox.LEAD_WHILE_ALIVE = f"SET idle_session_timeout = '{idle}'"
    asyncio.run(_run(dsn, kafka, prefix, points))


async def _run(dsn: str, kafka: str, prefix: str, points: str) -> None:
    failpoints.arm(points)
    # The next child is this one come back: it need not wait until Kafka misses the dead one.
    async with live(dsn, kafka, prefix, member="child"):
        await asyncio.Event().wait()

"""Does a service's memory stay flat while it works off a backlog? A consumer in its own process."""

import asyncio
import json
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psutil
import uvloop

from benchmarks.measured.hopping import Hopping
from benchmarks.measured.hospital import inputs
from benchmarks.measured.place import Place, opened, produce
from benchmarks.measured.servers import Servers
from benchmarks.measured.service import NAME
from shared.runtime import collector
from shared.runtime.local.topics import create_named_topics
from shared.runtime.postgres import open_pool

CHUNK = 10_000
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of the consuming process after a tenth of the backlog, and at its end."""

    early: int
    late: int

    @property
    def growth(self) -> float:
        return self.late / self.early


async def measure(servers: Servers, count: int) -> Memory:
    """Fill a topic with `count` events, then let a process of its own work them off."""
    async with opened(servers, "bench_backlog") as place:
        prefix = f"{place.prefix}.b"
        topics = [f"{prefix}.{name}" for name in ("intake", NAME)]
        await create_named_topics(servers.kafka, topics)
        events = inputs(count)
        while chunk := list(islice(events, CHUNK)):
            await produce(servers.kafka, f"{prefix}.intake", chunk)
        asked = (servers.kafka, place.dsn, prefix, str(count))
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__, *asked), stdout=asyncio.subprocess.PIPE
        )
        answer, _ = await child.communicate()
    return Memory(**json.loads(answer))


async def work_off(kafka: str, dsn: str, prefix: str, count: int) -> Memory:
    """Drain the backlog here, and look at this process's own memory."""
    async with open_pool(dsn, NAME) as pool:
        hopping = Hopping(Place(Servers(kafka, dsn, Path()), prefix, dsn, pool), prefix)
        draining = asyncio.ensure_future(hopping.seconds(count))
        while hopping.handled < count // 10:
            await asyncio.wait([draining], timeout=POLL_SECONDS)
        early = psutil.Process().memory_info().rss
        await draining
        return Memory(early, psutil.Process().memory_info().rss)


if __name__ == "__main__":
    kafka, dsn, prefix, count = sys.argv[1:]
    collector.rarely()  # as in a service
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        done = loop.run(work_off(kafka, dsn, prefix, int(count)))
    sys.stdout.write(json.dumps({"early": done.early, "late": done.late}))

"""What goes wrong in a storm? Services are killed, the broker three times, Postgres twice."""

import asyncio
import random
from dataclasses import dataclass, field

import httpx

from shared.contracts.topics import SERVICES
from shared.runtime import clock
from shared.runtime.local.stack import Stack

KILL_EVERY_SECONDS = 2.0
BROKER_KILLS = 3
POSTGRES_CRASHES = 2
AWAY_SECONDS = 1.5
SCRAPE_SECONDS = 0.5
# Random kills hardly hit the gaps between two steps: these do.
FAILPOINTS = (
    "runner.claimed=raise@0.004,runner.saved=kill@0.002,runner.written=raise@0.006,"
    "runner.committed=kill@0.004,consumer.handled=kill@0.004,relay.published=kill@0.006,"
    "relay.read=raise@0.004,job.performed=kill@0.01,job.recorded=raise@0.01"
)


@dataclass
class Weather:
    """Kills and restarts; `duplicates` is what services said they absorbed before they died."""

    stack: Stack
    seed: int
    servers_too: bool = True
    kills: int = 0
    deaths: int = 0
    broker_kills: int = 0
    postgres_crashes: int = 0
    _absorbed: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    @property
    def duplicates(self) -> int:
        return sum(self._absorbed.values())

    async def rage(self, seconds: float) -> None:
        """Do all of it for so long; on leaving, everything runs again."""
        ends = clock.ticks() + seconds
        servers = [
            *((self._kill_broker, (n + 1) / (BROKER_KILLS + 1)) for n in range(BROKER_KILLS)),
            *(
                (self._crash_postgres, (n + 0.5) / POSTGRES_CRASHES)
                for n in range(POSTGRES_CRASHES)
            ),
        ]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kill_services(ends))
            for act, share in servers if self.servers_too else ():
                group.create_task(_later(seconds * share, act))
        for name in SERVICES:
            await asyncio.to_thread(self.stack.services[name].child.start)

    async def tend(self) -> None:
        """Restart what died, and note what each said of duplicates, for ever."""
        async with httpx.AsyncClient(timeout=2) as http:
            while True:
                for name in SERVICES:
                    child = self.stack.services[name].child
                    if not child.is_alive:
                        self.deaths += 1
                        await asyncio.to_thread(child.start)
                    await self._scrape(http, name)
                await asyncio.sleep(SCRAPE_SECONDS)

    async def _scrape(self, http: httpx.AsyncClient, name: str) -> None:
        program = self.stack.services[name]
        try:
            figures = (await http.get(f"{program.url}/metrics")).text
        except httpx.HTTPError:
            return
        lines = [one for one in figures.splitlines() if one.startswith("overread_events_handled_t")]
        found = sum(float(one.rsplit(" ", 1)[1]) for one in lines if 'outcome="duplicate"' in one)
        self._absorbed[name, program.child.pid] = int(found)

    async def _kill_services(self, ends: float) -> None:
        while clock.ticks() < ends:
            await asyncio.sleep(KILL_EVERY_SECONDS)
            name = self.dice.choice(SERVICES)
            await asyncio.to_thread(self.stack.kill, name)
            self.kills += 1

    async def _kill_broker(self) -> None:
        kafka = self.stack.kafka
        if kafka is None:
            return
        await asyncio.to_thread(kafka.kill9)
        self.broker_kills += 1
        await asyncio.sleep(AWAY_SECONDS)
        await asyncio.to_thread(kafka.start)

    async def _crash_postgres(self) -> None:
        postgres = self.stack.postgres
        if postgres is None:
            return
        await asyncio.to_thread(postgres.crash)
        self.postgres_crashes += 1
        await asyncio.sleep(AWAY_SECONDS)
        await asyncio.to_thread(postgres.start)


async def _later(seconds: float, act: object) -> None:
    await asyncio.sleep(seconds)
    await act()  # type: ignore[operator]

"""The real parts of a service around one runner: what goes through a hop goes through these."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.measured import service
from benchmarks.measured.place import Place
from shared.runtime import clock
from shared.runtime.feed import Feed
from shared.runtime.handle import Incoming, Runner
from shared.runtime.kafka import POLL_RECORDS, Subscription
from shared.runtime.outbox import Relay
from shared.runtime.postgres import Wakeups
from shared.runtime.publisher import Publisher
from shared.runtime.wire import Message, Poison

STILL_SECONDS = 60.0


@dataclass
class Hopping:
    """The real parts of a service around one runner, without HTTP, timers and jobs."""

    place: Place
    prefix: str
    most_at_once: int = POLL_RECORDS
    began: float = 0.0
    handled: int = 0
    loops: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        place, name = self.place, service.NAME
        runner = Runner(name, place.pool, service.DECIDER, service.load, service.save)
        self.feed = Feed(runner, service.WANTED)
        wakeups = Wakeups(place.dsn, name)
        self.publisher = Publisher(place.servers.kafka)
        self.relay = Relay(place.pool, name, self.prefix, self.publisher, wakeups)
        self.consuming = Subscription(
            place.servers.kafka,
            f"{self.prefix}.{name}",
            [f"{self.prefix}.intake"],
            self,
            most_at_once=self.most_at_once,
        )
        self.loops = [wakeups.listen, self.relay.run, self.consuming.run]

    def read(self, messages: Sequence[Message]) -> Sequence[Incoming | Poison]:
        self.began = self.began or clock.ticks()
        return self.feed.read(messages)

    async def handle(self, items: Sequence[Incoming | Poison]) -> None:
        await self.feed.handle(items)
        self.handled += len(items)

    async def seconds(self, count: int) -> float:
        """Run until `count` events were published; the clock starts with the first message."""
        tasks = [asyncio.ensure_future(loop()) for loop in self.loops]
        try:
            moved, published = clock.ticks(), 0
            while published < count:
                done, _ = await asyncio.wait(tasks, timeout=0.005)
                for task in done:
                    task.result()
                if self.relay.published > published:
                    moved, published = clock.ticks(), self.relay.published
                elif clock.ticks() - moved > STILL_SECONDS:
                    raise RuntimeError(f"{published} of {count} events, then none for a minute")
            return clock.ticks() - self.began
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.publisher.close()

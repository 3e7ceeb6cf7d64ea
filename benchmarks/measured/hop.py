"""How many events a second go through one hop of the real runner, and how many could at most?

A hop is: consume, decode, inbox, load, decide, save, outbox, relay, publish. The raw limit does the
same I/O without us, one after the other: aiokafka consumes the same messages, asyncpg inserts the
same rows in batches, aiokafka produces the same events.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.measured import raw, service
from benchmarks.measured.hospital import inputs
from benchmarks.measured.place import Place, opened
from benchmarks.measured.servers import Servers
from shared.runtime import clock, collector
from shared.runtime.feed import Feed
from shared.runtime.handle import Incoming, Runner
from shared.runtime.kafka import POLL_RECORDS, Subscription
from shared.runtime.outbox import Relay
from shared.runtime.postgres import Wakeups
from shared.runtime.publisher import Publisher
from shared.runtime.wire import Message, Poison

STILL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Hop:
    """Events a second of each round."""

    batched: Sequence[float]
    single: Sequence[float]
    limits: Sequence[raw.Limit]

    @property
    def of_limit(self) -> float:
        """The median over the rounds of the share of that round's limit."""
        return median(b / one.all for b, one in zip(self.batched, self.limits, strict=True))

    @property
    def times_single(self) -> float:
        return median(b / s for b, s in zip(self.batched, self.single, strict=True))


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
        consuming = Subscription(
            place.servers.kafka,
            f"{self.prefix}.{name}",
            [f"{self.prefix}.intake"],
            self,
            most_at_once=self.most_at_once,
        )
        self.loops = [wakeups.listen, self.relay.run, consuming.run]

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


async def measure(servers: Servers, rounds: int, count: int) -> Hop:
    """Alternate the three, because the machine is shared; one by one goes a twentieth of them."""
    limits, batched, single = [], [], []
    work = raw.decided(list(inputs(count)))
    events = [one.received for one in work]
    few = events[: max(1, count // 20)]
    collector.rarely()  # a service does not hold the events to come
    async with opened(servers) as place:
        for _ in range(rounds):
            prefix = await place.told(events)
            await place.emptied()
            limits.append(await raw.limit(servers.kafka, place.pool, prefix, work))
            batched.append(await _rate(place, prefix, count))
            single.append(await _rate(place, await place.told(few), len(few), most_at_once=1))
    return Hop(batched, single, limits)


async def _rate(place: Place, prefix: str, count: int, most_at_once: int = POLL_RECORDS) -> float:
    await place.emptied()
    return count / await Hopping(place, prefix, most_at_once).seconds(count)

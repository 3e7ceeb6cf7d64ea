"""How many events a second go through one hop of a service that runs as replicas?

Each replica is a process with the real parts: Kafka's group shares the partitions among them, and
one leads the relay. All have joined before the messages are published, and begin together.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from ctypes import c_bool, c_int64
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.sharedctypes import SynchronizedArray
from multiprocessing.synchronize import Event as Signal
from typing import Any

import uvloop

from benchmarks.measured import service
from benchmarks.measured.hopping import STILL_SECONDS, Hopping
from benchmarks.measured.place import Place, produce
from benchmarks.measured.servers import Servers
from shared.contracts.envelope import Recorded
from shared.runtime import clock, collector
from shared.runtime.postgres import open_pool

REPLICAS = 2  # one for each of the two cores that the targets are for
SETTLED_SECONDS = 1.0  # without a change in the group
LOOK_SECONDS = 0.005


@dataclass
class Held(Hopping):
    """A replica whose first batch waits for the signal."""

    begin: Signal | None = None

    async def handle(self, items: Sequence[Any]) -> None:
        if self.begin is not None:
            begin, self.begin = self.begin, None
            await asyncio.to_thread(begin.wait)
        await super().handle(items)


@dataclass(frozen=True)
class Seen:
    """What the replicas show: are they members of the group, how much did each publish?"""

    begin: Signal
    members: "SynchronizedArray[Any]"
    published: "SynchronizedArray[Any]"


async def seconds(place: Place, events: Sequence[Recorded], replicas: int = REPLICAS) -> float:
    """Give the seconds from the signal until all of what was decided is published."""
    prefix = await place.topics()
    spawn = get_context("spawn")
    seen = Seen(
        spawn.Event(), spawn.Array(c_bool, replicas), spawn.Array(c_int64, replicas, lock=True)
    )
    children = [
        spawn.Process(target=_replica, args=(place.servers, place.dsn, prefix, seen, number))
        for number in range(replicas)
    ]
    for child in children:
        child.start()
    try:
        await _joined(seen)
        await produce(place.servers.kafka, f"{prefix}.intake", events)
        return await _through(seen, len(events))
    finally:
        for child in children:
            child.terminate()
            child.join()


async def _joined(seen: Seen) -> None:
    """Wait until all are members, and stay so."""
    since = began = clock.ticks()
    while clock.ticks() - since < SETTLED_SECONDS:
        await asyncio.sleep(LOOK_SECONDS)
        if not all(seen.members[:]):
            since = clock.ticks()
        if clock.ticks() - began > STILL_SECONDS:
            raise RuntimeError("the replicas did not join their group within a minute")


async def _through(seen: Seen, count: int) -> float:
    began = moved = clock.ticks()
    published = 0
    seen.begin.set()
    while published < count:
        await asyncio.sleep(LOOK_SECONDS)
        now = sum(seen.published[:])
        if now > published:
            moved, published = clock.ticks(), now
        elif clock.ticks() - moved > STILL_SECONDS:
            raise RuntimeError(f"{published} of {count} events, then none for a minute")
    return clock.ticks() - began


def _replica(servers: Servers, dsn: str, prefix: str, seen: Seen, number: int) -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of the other one's joining
    collector.rarely()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop, suppress(KeyboardInterrupt):
        loop.run(_run(servers, dsn, prefix, seen, number))


async def _run(servers: Servers, dsn: str, prefix: str, seen: Seen, number: int) -> None:
    async with open_pool(dsn, service.NAME) as pool, asyncio.TaskGroup() as group:
        hopping = Held(Place(servers, prefix, dsn, pool), prefix, begin=seen.begin)
        for loop in hopping.loops:
            group.create_task(loop())  # type: ignore[arg-type] # each is a coroutine function
        while True:
            seen.members[number] = hopping.consuming.progress.member
            seen.published[number] = hopping.relay.published
            await asyncio.sleep(LOOK_SECONDS)

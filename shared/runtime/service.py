"""How is one service one program? Its parts around one runner, in the order they start and stop.

HTTP edge, consumer, relay, ticker and worker live in one process; replicas share the work through
Kafka's groups, the relay's and the timers' locks and the jobs' leases.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import uvloop
from fastapi import APIRouter, FastAPI

from shared.contracts.base import Event
from shared.contracts.topics import topic
from shared.decider import Decider
from shared.runtime import clock, collector, failpoints, http, inbox, operations, telemetry
from shared.runtime.auth import Issuer
from shared.runtime.errors import is_weather
from shared.runtime.feed import Feed
from shared.runtime.handle import Load, Runner, Save
from shared.runtime.jobs import Performer, Worker
from shared.runtime.kafka import Subscription
from shared.runtime.outbox import Relay
from shared.runtime.patience import Patience
from shared.runtime.postgres import RUNTIME_MIGRATIONS, Pool, Wakeups, migrate, open_pool
from shared.runtime.publisher import Publisher
from shared.runtime.settings import ServiceSettings
from shared.runtime.submissions import Submissions
from shared.runtime.timers import Ticker

State = TypeVar("State")
Loop = Callable[[], Awaitable[None]]
PRUNE_SECONDS = 600.0
LOG = telemetry.logger(__name__)


@dataclass(frozen=True)
class Core(Generic[State]):
    """What a service's own edges build on. `runner` is how inputs are submitted."""

    name: str
    settings: Any
    pool: Pool
    runner: Submissions[State]
    issuer: Issuer
    wakeups: Wakeups


@dataclass(frozen=True)
class Edges:
    """What a service adds to the runner: routes, performers of jobs, loops, start and end."""

    routers: tuple[APIRouter, ...] = ()
    performers: Mapping[str, Performer] = field(default_factory=dict)
    loops: Mapping[str, Loop] = field(default_factory=dict)
    on_start: tuple[Loop, ...] = ()
    closes: tuple[Loop, ...] = ()
    body_limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Service(Generic[State]):
    """One service as data; `listens` says whose events it wants."""

    name: str
    title: str
    decider: Decider[State, Any, Any]
    load: Load[State]
    save: Save[State]
    listens: Mapping[str, Sequence[type[Event]]]
    edges: Callable[[Core[State]], Edges]
    migrations: Path
    concurrency: int = 16

    @property
    def wanted(self) -> dict[str, type[Event]]:
        return {kind.ce_type(): kind for kinds in self.listens.values() for kind in kinds}


@dataclass
class Running(Generic[State]):
    """A service's parts while it runs."""

    service: Service[State]
    core: Core[State]
    edges: Edges
    feed: Feed
    subscription: Subscription | None
    publisher: Publisher
    relay: Relay
    ticker: Ticker
    worker: Worker
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def loops(self) -> dict[str, Loop]:
        """All that goes on beside HTTP."""
        loops: dict[str, Loop] = {
            "wakeups": self.core.wakeups.listen,
            "submissions": self.core.runner.run,
            "relay": self.relay.run,
            "ticker": self.ticker.run,
            "prune": lambda: prune_for_ever(self.core.pool),
            "measure": lambda: operations.measure_for_ever(self),
            **self.edges.loops,
        }
        if self.edges.performers:
            loops["worker"] = self.worker.run
        if self.subscription:
            loops["consumer"] = self.subscription.run
        return loops

    async def readiness(self) -> dict[str, bool]:
        """Tell what this replica needs and whether it is there."""
        consuming = self.subscription is None or (
            self.subscription.progress.connected and self.feed.healthy
        )
        return {
            "started": self.started.is_set(),
            "postgres": self.core.runner.healthy and await operations.answers(self.core.pool),
            "kafka": await self.publisher.reachable(),
            "consumption": consuming,
        }


def assemble(service: Service[State], settings: ServiceSettings, pool: Pool) -> Running[State]:
    """Put the parts together; nothing runs yet."""
    name = service.name
    runner = Runner(name, pool, service.decider, service.load, service.save)
    submissions = Submissions(runner)
    wakeups = Wakeups(settings.postgres, name)
    issuer = Issuer(settings.issuer)
    core = Core(name, settings, pool, submissions, issuer, wakeups)
    edges = service.edges(core)
    feed = Feed(runner, service.wanted)
    publisher = Publisher(settings.kafka)
    topics = [topic(publisher_, settings.topic_prefix) for publisher_ in service.listens]
    group = f"{settings.topic_prefix}.{name}"
    return Running(
        service,
        core,
        edges,
        feed,
        Subscription(settings.kafka, group, topics, feed, member=settings.member)
        if topics
        else None,
        publisher,
        Relay(pool, name, settings.topic_prefix, publisher, wakeups),
        Ticker(pool, name, wakeups, submissions.deadlines),
        Worker(pool, name, edges.performers, submissions.result, wakeups, service.concurrency),
    )


@asynccontextmanager
async def running(
    service: Service[State], settings: ServiceSettings
) -> AsyncIterator[tuple[FastAPI, Running[State]]]:
    """Give the HTTP app at once, alive but not ready; go to work when the database is there.

    `live.started` is set when it works. A start that can never succeed (a broken seed file) ends
    the body and is raised. On leaving, everything stops in reverse.
    """
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.postgres, service.name))
        live = assemble(service, settings, pool)
        for close in (*live.edges.closes, live.publisher.close):
            stack.push_async_callback(close)
        async with asyncio.TaskGroup() as group:
            work = group.create_task(_work(live))
            try:
                yield _app(service, live), live
            finally:
                work.cancel()


async def _work(live: Running[Any]) -> None:
    """Bring the schema up to date, then keep every loop going."""
    await _outlast(lambda: migrate_all(live))
    for start in live.edges.on_start:
        await _outlast(start)
    async with asyncio.TaskGroup() as group:
        for name, loop in live.loops().items():
            group.create_task(keep_going(name, loop), name=name)
        live.started.set()
        LOG.info("started")


async def migrate_all(live: Running[Any]) -> None:
    service = live.service
    await migrate(live.core.pool, service.name, [RUNTIME_MIGRATIONS, service.migrations])


async def _outlast(step: Loop) -> None:
    """Try a step of the start until the weather allows it; anything else ends the program."""
    patience = Patience()
    while True:
        try:
            return await step()
        except Exception as error:
            if not is_weather(error):
                raise
            LOG.warning("start_waits", cause=type(error).__name__)
            await patience.pause()


def _app(service: Service[Any], live: Running[Any]) -> FastAPI:
    app = http.create_app(
        service.title,
        version="1",
        description=__doc__ or "",
        issuer=live.core.issuer,
        readiness=live.readiness,
        body_limits=live.edges.body_limits,
    )
    for router in (*live.edges.routers, operations.router(live)):
        app.include_router(router)
    return app


async def keep_going(name: str, loop: Loop) -> None:
    """Run a loop for ever: a bug in one must not take the others down, nor stay unseen."""
    patience = Patience(first=0.5, longest=30)
    while True:
        started = clock.ticks()
        try:
            await loop()
        except Exception as error:
            LOG.exception("loop_failed", loop=name, cause=type(error).__name__)
        if clock.ticks() - started > patience.longest:
            patience.reset()
        await patience.pause()


async def prune_for_ever(pool: Pool) -> None:
    while True:
        async with pool.acquire() as db:
            await inbox.prune(db, clock.now())
        await asyncio.sleep(PRUNE_SECONDS)


def run(service: Service[Any], settings: ServiceSettings) -> None:
    """Run the program until it is told to stop (SIGTERM, SIGINT)."""
    telemetry.start(service.name, settings.telemetry, settings.otlp)
    failpoints.arm(settings.failpoints)
    collector.rarely()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_serve(service, settings))


async def _serve(service: Service[Any], settings: ServiceSettings) -> None:
    async with running(service, settings) as (app, _):
        await http.serve(app, settings.host, settings.port)

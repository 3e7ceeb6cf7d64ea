"""How does one storm go? Start all, hurt it while it works, let it drain, draw the ledger."""

import asyncio
import importlib
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
from starlette.requests import Request
from starlette.responses import Response

from cli.players import Answered, Operator
from cli.receiver import WebhookReceiver, case_of, listening
from shared.contracts.topics import EVENTS, SERVICES
from shared.runtime import clock
from shared.runtime.local import environment, ports
from shared.runtime.local.child import Child, Command
from shared.runtime.local.database import init_database, with_database
from shared.runtime.local.failure import SetupError
from shared.runtime.local.places import CHECKOUT
from shared.runtime.local.program import Program
from shared.runtime.local.stack import Plan, Stack
from shared.testing.storm import bookkeeper, hospital
from shared.testing.storm.audit import Audit
from shared.testing.storm.evidence import published
from shared.testing.storm.hospital import Hospital
from shared.testing.storm.ledger import Evidence, Ledger, balanced
from shared.testing.storm.planted import BUGS
from shared.testing.storm.weather import Weather

READERS = ("dr-osei", "dr-lindqvist", "dr-baptiste")
BOOKKEEPERS = 2
# Rare enough for work to go on, often enough that each is passed: a case takes some 60 batches.
POINTS = (
    "runner.saved=raise@0.01,runner.written=kill@0.005,runner.committed=kill@0.005,"
    "consumer.polled=raise@0.01,consumer.handled=kill@0.01,consumer.acknowledged=raise@0.005,"
    "relay.read=raise@0.01,relay.published=kill@0.005,job.performed=kill@0.01,"
    "ticker.claimed=kill@0.01"
)
LOOK_SECONDS = 1.0
LINGER_SECONDS = 60.0
STARTS = 5
MOST = 0.8


@dataclass(frozen=True)
class Forecast:
    """What kind of storm. `still_seconds`: without progress for so long, it will not drain."""

    cases: int
    seconds: float
    seed: int
    bug: str = "none"
    still_seconds: float = 60.0

    @property
    def points(self) -> str:
        return POINTS if self.bug == "none" else BUGS[self.bug].points


@dataclass
class Storm:
    """One storm in a folder of its own."""

    forecast: Forecast
    folder: Path
    tell: Callable[[str], None]
    stack: Stack = field(init=False)
    books: list[Program] = field(default_factory=list)
    receiver: WebhookReceiver = field(default_factory=WebhookReceiver)
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.receiver.answer = self._moody
        argv = {name: self._argv(f"services.{name}") for name in SERVICES}
        extra = {name: {"OVERREAD_FAILPOINTS": self.forecast.points} for name in SERVICES}
        extra["matching"]["MATCHING_SEED"] = str(Path(__file__).parent / "readers.yaml")
        plan = Plan(self.folder, argv=argv, extra=extra, mailbox=True)
        self.stack = Stack(plan, self.tell)

    async def rage(self) -> Ledger:
        """Go through the whole storm; everything is stopped at the end."""
        try:
            await asyncio.to_thread(_in_the_end, self.stack.start)
            await self._open_books()
            audit = Audit(self._admin_dsn, [*SERVICES, bookkeeper.NAME])
            await audit.install()
            async with AsyncExitStack() as open_:
                await open_.enter_async_context(listening(self.receiver))
                operator = await open_.enter_async_context(self._operator())
                return await self._weathered(audit, operator)
        finally:
            await asyncio.to_thread(self._stop)

    async def _weathered(self, audit: Audit, operator: Operator) -> Ledger:
        self.receiver.secrets.append(await operator.set_channels("st-brigid", self.receiver.url))
        working = hospital.of(self.stack.urls, self.stack.clients, READERS, self.forecast.seed)
        self.bug.touch()
        weather = self._weather()
        weather.start()
        try:
            async with self._reading(working):
                await working.work(self.forecast.cases, 0.8 * self.forecast.seconds)
                await asyncio.to_thread(weather.wait_until_calm)
                await self._linger(working)
                drained = await self._drain(audit, operator, working, weather)
        finally:
            await asyncio.to_thread(weather.end)
        ledger = balanced(await self._evidence(audit, working))
        ledger.kills = weather.killed
        ledger.seconds_to_drain = drained
        return ledger

    def _moody(self, request: Request, _: bytes) -> Response | None:
        """Refuse every fifth result the first time that it comes."""
        name = request.headers.get("webhook-id", "")
        if name in self.refused or sum(name.encode()) % 5:
            return None
        self.refused.add(name)
        return Response(status_code=503)

    @property
    def bug(self) -> Path:
        """While it exists, the bookkeeper meets a bug in some cases."""
        return self.folder / "bug"

    @property
    def calm(self) -> Path:
        """Once it exists, whatever starts has no fail point armed."""
        return self.folder / "calm"

    @property
    def _admin_dsn(self) -> str:
        return with_database(self.stack.admin_dsn, self.stack.plan.database)

    def _argv(self, module: str) -> Sequence[str]:
        planted = "shared.testing.storm.planted"
        return (sys.executable, "-m", planted, self.forecast.bug, str(self.calm), module)

    async def _open_books(self) -> None:
        """Start the bookkeeper's replicas beside the five services."""
        login = {bookkeeper.NAME: self.stack.keys.passwords["notify"]}
        dsns = await init_database(self.stack.admin_dsn, login, self.stack.plan.database)
        common = environment.outer_environment() | {
            "OVERREAD_KAFKA": self.stack.bootstrap,
            "OVERREAD_OBJECTS": str(self.stack.places.objects),
            "OVERREAD_ISSUER": self.stack.urls["issuer"],
            "OVERREAD_FAILPOINTS": self.forecast.points,
            "BOOKKEEPER_POSTGRES": dsns[bookkeeper.NAME],
            "BOOKKEEPER_BUG": str(self.bug),
        }
        for number, port in enumerate(ports.free_ports(BOOKKEEPERS), 1):
            name = f"{bookkeeper.NAME}-{number}"
            own = {"BOOKKEEPER_PORT": str(port), "BOOKKEEPER_MEMBER": name}
            argv = self._argv("shared.testing.storm.bookkeeper")
            command = Command(name, argv, self.stack.places.log(name), common | own, CHECKOUT)
            self.books.append(Program(command, self.stack.places.record(name), port))
        for one in self.books:
            await asyncio.to_thread(_in_the_end, partial(_ready, one))

    def _operator(self) -> Operator:
        urls = {**self.stack.urls, bookkeeper.NAME: self.books[0].url}
        return Operator(urls, "operator", self.stack.clients["operator"])

    def _programs(self) -> dict[str, Child]:
        own = {name: program.child for name, program in self.stack.services.items()}
        return {**own, **{one.child.command.name: one.child for one in self.books}}

    def _weather(self) -> Weather:
        if self.stack.kafka is None or self.stack.postgres is None:
            raise ValueError("a storm needs servers of its own: unset OVERREAD_KAFKA and _POSTGRES")
        return Weather(
            self._programs(),
            self.stack.kafka,
            self.stack.postgres,
            self.forecast.seconds,
            self.forecast.seed,
            self.tell,
        )

    @asynccontextmanager
    async def _reading(self, working: Hospital) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            readers = group.create_task(working.read_for_ever())
            yield
            readers.cancel()

    async def _linger(self, working: Hospital) -> None:
        """Keep the fail points armed until most cases were signed, or for a while.

        On a busy machine the blows are over before the work has well begun.
        """
        ends = clock.ticks() + LINGER_SECONDS
        wanted = MOST * self.forecast.cases
        while clock.ticks() < ends and len(working.signed) < wanted:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(LOOK_SECONDS)

    async def _drain(
        self, audit: Audit, operator: Operator, working: Hospital, weather: Weather
    ) -> float:
        """Let it all come to an end; give the seconds until it had, or until nothing moved."""
        began = moved = clock.ticks()
        self.calm.touch()
        self.bug.unlink()
        await asyncio.to_thread(weather.sweep)
        before: object = None
        while clock.ticks() - moved < self.forecast.still_seconds:
            if weather.failure:
                raise weather.failure
            await self._replay(operator)
            left = await self._left(audit)
            if left is not None and not any(left.values()) and self._all_delivered(working):
                return clock.ticks() - began
            now = (left, len(self.receiver.arrived), len(working.signed))
            if now != before:
                before, moved = now, clock.ticks()
            await asyncio.sleep(LOOK_SECONDS)
        return moved - began

    async def _left(self, audit: Audit) -> dict[str, int] | None:
        with suppress(OSError, asyncpg.PostgresError):
            return await audit.left()
        return None

    async def _replay(self, operator: Operator) -> None:
        """Do what an operator does when the bug is mended: replay what is parked."""
        with suppress(httpx.TransportError, Answered):
            for one in await operator.parked(bookkeeper.NAME):
                path = f"/v1/operations/parked/{one['id']}/replay"
                with suppress(Answered):
                    await operator.ask("POST", bookkeeper.NAME, path)

    def _all_delivered(self, working: Hospital) -> bool:
        return set(working.accepted) <= self._results().keys()

    def _results(self) -> Counter[str]:
        return Counter(case_of(one.bundle) for one in self.receiver.arrived.values())

    async def _evidence(self, audit: Audit, working: Hospital) -> Evidence:
        listens = {name: _listened(name) for name in SERVICES}
        return Evidence(
            cases=[UUID(case) for case in working.accepted],
            published=await published(self.stack.bootstrap, self.stack.plan.topic_prefix),
            appended=await audit.appended(),
            known=await audit.known(),
            listens={**listens, bookkeeper.NAME: set(EVENTS)},
            books=await audit.books(),
            results={UUID(case): count for case, count in self._results().items()},
            left=await audit.left(),
            unset=await audit.unset(),
            absorbed=await audit.absorbed() + self._repeated_webhooks(),
        )

    def _repeated_webhooks(self) -> int:
        return len(self.receiver.calls) - len(self.receiver.arrived) - len(self.refused)

    def _stop(self) -> None:
        for one in self.books:
            one.child.kill9()
        self.stack.stop()


def _listened(service: str) -> set[str]:
    listens = importlib.import_module(f"services.{service}.subscribers").LISTENS
    return {kind.ce_type() for kinds in listens.values() for kind in kinds}


def _ready(program: Program) -> None:
    program.child.start()
    program.await_ready()


def _in_the_end(start: Callable[[], None]) -> None:
    """Start something; a fail point may kill it before it is ready, but not for ever."""
    for attempt in range(STARTS):
        try:
            start()
        except SetupError:
            if attempt == STARTS - 1:
                raise
        else:
            return

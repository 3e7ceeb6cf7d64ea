"""How does one storm go? Start, work and rage at once, drain, count."""

import asyncio
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from cli.players import Operator
from cli.receiver import Mailbox, WebhookReceiver, case_of, listening, taking_mail
from shared.contracts.topics import SERVICES
from shared.runtime import clock
from shared.runtime.local.clients import read_seed
from shared.runtime.local.stack import Plan, Stack
from tests.storm import ledger
from tests.storm.ledger import Ledger
from tests.storm.people import People
from tests.storm.weather import FAILPOINTS, Weather

PARTNER = "st-brigid"
DRAIN_SECONDS = 600.0
STILL_SECONDS = 45.0
REFUSED_SHARE = 0.2


@dataclass(frozen=True)
class Storm:
    """One storm. `argv` starts a service another way: with a planted bug, for instance."""

    cases: int
    seconds: float
    seed: int
    argv: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    failpoints: str = FAILPOINTS
    servers_too: bool = True
    patience: float = DRAIN_SECONDS
    still: float = STILL_SECONDS
    tell: Callable[[str], None] = print


async def run(storm: Storm, folder: Path | None = None) -> Ledger:
    """Run one storm on a stack of its own and give its ledger; everything is stopped after."""
    with tempfile.TemporaryDirectory(prefix="overread-storm-") as made:
        extra = {name: {"OVERREAD_FAILPOINTS": storm.failpoints} for name in SERVICES}
        stack = Stack(Plan(folder or Path(made), argv=storm.argv, extra=extra))
        storm.tell("starting the servers and five services")
        await asyncio.to_thread(stack.start)
        try:
            return await _raging(storm, stack)
        finally:
            await asyncio.to_thread(stack.stop)


async def _raging(storm: Storm, stack: Stack) -> Ledger:
    receiver = WebhookReceiver()
    receiver.answer = _moody(receiver, storm.seed)
    async with listening(receiver), taking_mail(Mailbox(), stack.ports["smtp"]):
        async with Operator(stack.urls, "operator", stack.clients["operator"]) as operator:
            receiver.secrets.append(await operator.set_channels(PARTNER, receiver.url))
        readers = tuple(one.id for one in read_seed() if "reader" in one.scopes)
        people = People(stack.urls, stack.clients, readers, storm.seed, PARTNER)
        weather = Weather(stack, storm.seed, servers_too=storm.servers_too)
        storm.tell(f"{storm.cases} cases in {storm.seconds:.0f} s, and the storm begins")
        tending = asyncio.create_task(weather.tend())
        working = asyncio.create_task(people.work(storm.cases, storm.seconds))
        try:
            await weather.rage(storm.seconds)
            storm.tell("the storm is over; draining")
            return await _drained(storm, stack, people, weather, receiver, working)
        finally:
            for task in (working, tending):
                task.cancel()
            await asyncio.gather(working, tending, return_exceptions=True)


async def _drained(  # noqa: PLR0917 - the cast of one storm
    storm: Storm,
    stack: Stack,
    people: People,
    weather: Weather,
    receiver: WebhookReceiver,
    working: "asyncio.Task[None]",
) -> Ledger:
    """Count again and again until all is well, or nothing has moved for a while."""
    began = moved = clock.ticks()
    last: tuple[int, ...] = ()
    while True:
        book = await _count(stack, people, weather, receiver)
        unfinished = len(book.lost_cases) + len(book.lost_inputs) + book.left_behind
        book.drain_seconds = round(clock.ticks() - began, 1)
        if working.done() and working.exception():
            raise working.exception() or RuntimeError
        if working.done() and unfinished == 0:
            return book
        now = (book.accepted, book.published, len(book.lost_inputs), book.left_behind)
        moved = clock.ticks() if now != last else moved
        last = now
        if clock.ticks() - moved > storm.still or clock.ticks() - began > storm.patience:
            return book
        await asyncio.sleep(2)


async def _count(
    stack: Stack, people: People, weather: Weather, receiver: WebhookReceiver
) -> Ledger:
    messages = await ledger.told(stack)
    events = ledger.firsts(messages)
    webhooks: dict[str, set[str]] = defaultdict(set)
    for name, one in list(receiver.arrived.items()):
        webhooks[case_of(one.bundle)].add(name)
    lost = ledger.lost_cases(people.accepted, events, set(webhooks))
    inputs, parked, left = await ledger.lost_inputs(stack, events)
    again = len(messages) - len(events)
    return Ledger(
        accepted=len(people.accepted),
        finished=len(people.accepted) - len(lost),
        lost_cases=lost,
        lost_inputs=inputs,
        doubled=ledger.doubled(events, webhooks),
        disordered=ledger.disordered(events),
        parked=parked,
        left_behind=left,
        published=len(events),
        published_again=again,
        absorbed=again + weather.duplicates,
        storm={
            "kills": weather.kills,
            "deaths_at_fail_points": weather.deaths,
            "broker_kills": weather.broker_kills,
            "postgres_crashes": weather.postgres_crashes,
            "double_clicks": people.double_clicks,
            "requests_tried_again": people.retried,
        },
    )


def _moody(receiver: WebhookReceiver, seed: int) -> Callable[[Request, bytes], Response | None]:
    """Refuse some webhooks the first time they come: each has to come again."""
    refused: set[str] = set()

    def answer(request: Request, _body: bytes) -> Response | None:
        name = request.headers.get("webhook-id", "")
        if name in refused or random.Random(f"{seed}{name}").random() > REFUSED_SHARE:
            return None
        refused.add(name)
        return Response(status_code=503)

    return answer

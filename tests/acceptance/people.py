"""Who takes part? A hospital with its receivers, an operator and a reader: outside, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from cli.players import Operator, Partner, Reader
from cli.receiver import Mailbox, WebhookReceiver, listening, taking_mail
from shared.runtime.local.stack import Stack
from shared.testing import story

TRACE = "5" * 32  # everybody works under one trace, as a hospital's own tracing would have it


@dataclass
class Watched:
    """The partner's own timeline, followed live."""

    seen: list[tuple[str, str]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, partner: Partner) -> None:
        async for told in partner.timeline():
            entry = told["data"]
            self.seen.append((entry["case_id"], entry["type"].removeprefix("org.overread.")))
            self._news.set()

    async def until(self, case_id: str, what: str, times: int = 1) -> None:
        """Wait until something happened to the case so often."""
        async with asyncio.timeout(60):
            while self.seen.count((case_id, what)) < times:
                self._news.clear()
                await self._news.wait()


@dataclass(frozen=True)
class People:
    """Everybody, ready to act."""

    partner: Partner
    operator: Operator
    reader: Reader
    receiver: WebhookReceiver
    mailbox: Mailbox
    timeline: Watched


@asynccontextmanager
async def people(stack: Stack) -> AsyncIterator[People]:
    async with AsyncExitStack() as open_:
        enter = open_.enter_async_context
        receiver = await enter(listening(WebhookReceiver()))
        mailbox = await enter(taking_mail(Mailbox(), stack.ports["smtp"]))

        def login(name: str) -> tuple[dict[str, str], str, str]:
            return stack.urls, name, stack.clients[name]

        partner = await enter(Partner(*login(story.PARTNER)))
        operator = await enter(Operator(*login(story.OPERATOR)))
        reader = await enter(Reader(*login(story.READER)))
        # Each comes with a trace of its own; the case stays in that of its submission.
        for player, trace in ((partner, TRACE), (operator, "6" * 32), (reader, "7" * 32)):
            player.http.headers["traceparent"] = f"00-{trace}-{'1' * 16}-01"
        receiver.secrets.append(await operator.set_channels(story.PARTNER, receiver.url))
        timeline = Watched()
        following = asyncio.create_task(timeline.follow(partner))
        open_.push_async_callback(_ended, following)
        yield People(partner, operator, reader, receiver, mailbox, timeline)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

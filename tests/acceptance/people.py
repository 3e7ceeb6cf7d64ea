"""Who takes part? A hospital with its receivers, an operator and a reader: outside, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from cli.players import Operator, Partner, Reader
from cli.receiver import Mailbox, WebhookReceiver, listening, taking_mail
from shared.runtime.local.stack import Stack
from shared.testing import story

TRACE = "5" * 32  # everybody works under one trace, as a hospital's own tracing would have it


@dataclass(frozen=True)
class People:
    """Everybody, ready to act."""

    partner: Partner
    operator: Operator
    reader: Reader
    receiver: WebhookReceiver
    mailbox: Mailbox


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
        for player in (partner, operator, reader):
            player.http.headers["traceparent"] = f"00-{TRACE}-{'1' * 16}-01"
        receiver.secrets.append(await operator.set_channels(story.PARTNER, receiver.url))
        yield People(partner, operator, reader, receiver, mailbox)

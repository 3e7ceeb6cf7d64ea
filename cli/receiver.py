"""What does the partner's own side look like? A webhook that verifies, and a mailbox.

The demo, the acceptance test and notify's tests let results come in here, as they would come in
at a hospital: over HTTP, signed as Standard Webhooks says, and over SMTP.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

Answer = Callable[[Request, bytes], Response | None]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One verified webhook: its id, by which repeats are known, and the FHIR Bundle."""

    id: str
    bundle: dict[str, Any]
    traceparent: str


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class WebhookReceiver:
    """A partner's endpoint. It takes each webhook-id once, and answers repeats with 204 too.

    `secrets` are those that the operator handed over; `answer` can make it refuse or fail, and
    while `open` is cleared it takes its time.
    """

    secrets: list[str] = field(default_factory=list)
    answer: Answer | None = None
    url: str = ""
    arrived: dict[str, Arrived] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=_set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:  # the sender died half-way: its next attempt comes whole
            return Response(status_code=400)
        self.calls.append((request.headers.get("webhook-id", ""), _signatures(request)))
        self._news.set()
        await self.open.wait()
        refused = self.answer(request, body) if self.answer else None
        if refused is not None:
            return refused
        if not self._is_genuine(request, body):
            return Response(status_code=401)
        name = request.headers["webhook-id"]
        trace = request.headers.get("traceparent", "")
        self.arrived.setdefault(name, Arrived(name, json.loads(body), trace))
        self._news.set()
        return Response(status_code=204)

    def _is_genuine(self, request: Request, body: bytes) -> bool:
        for secret in self.secrets:
            try:
                Webhook(secret).verify(body, dict(request.headers))
            except WebhookVerificationError:
                continue
            return True
        return False

    async def wait_for(self, wanted: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something holds, asking again after each call."""
        async with asyncio.timeout(seconds):
            while not wanted():
                self._news.clear()
                await self._news.wait()

    async def result_of(self, case_id: str, seconds: float = 60) -> Arrived:
        """Wait for the result of a case."""

        def found() -> list[Arrived]:
            return [one for one in self.arrived.values() if case_of(one.bundle) == case_id]

        await self.wait_for(lambda: bool(found()), seconds)
        return found()[0]


def case_of(bundle: dict[str, Any]) -> str:
    return str(bundle["identifier"]["value"])


def _signatures(request: Request) -> str:
    return request.headers.get("webhook-signature", "")


@asynccontextmanager
async def listening(
    receiver: WebhookReceiver, port: int = 0, **tls: Any
) -> AsyncIterator[WebhookReceiver]:
    """Let the receiver listen on 127.0.0.1; its `url` says where. `tls` as uvicorn takes it."""
    app = Starlette(routes=[Route("/results", receiver.receive, methods=["POST"])])
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, lifespan="off", **tls
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.01)
        bound = server.servers[0].sockets[0].getsockname()[1]
        receiver.url = f"{'https' if tls else 'http'}://localhost:{bound}/results"
        yield receiver
    finally:
        server.should_exit = True
        await serving


@dataclass
class Mailbox:
    """A mail server for one machine: it keeps what is handed in. `refuse` answers instead."""

    refuse: str | None = None
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if self.refuse is not None:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - ditto
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        mail = message_from_bytes(raw, policy=policy.default)
        self.mails.append(mail)
        self.recipients += envelope.rcpt_tos
        self._news.set()
        return "250 OK"

    async def mail_about(self, case_id: str, seconds: float = 60) -> EmailMessage:
        """Wait for a mail whose link leads to the case."""
        async with asyncio.timeout(seconds):
            while True:
                for mail in self.mails:
                    if case_id in mail.get_content():
                        return mail
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def taking_mail(mailbox: Mailbox, port: int = 0) -> AsyncIterator[Mailbox]:
    """Let the mailbox listen on 127.0.0.1; its `port` says where."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", port)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()

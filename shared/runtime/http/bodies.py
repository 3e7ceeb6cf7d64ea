"""How much may a request carry? Bytes are counted as they stream in; nothing is buffered here."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.errors import Problem
from shared.runtime.http.problems import answer

SMALL = 1 << 20  # bytes: an event, a form, a report; images have a route with a limit of its own
SILENCE_SECONDS = 60.0  # between two pieces of a body, from an honest client on a bad line
LINGER_SECONDS = 2.0  # see _Lingering


class BodyLimit:
    """Refuses bodies over the limit of the longest path prefix that matches, else SMALL."""

    def __init__(self, app: ASGIApp, limits: Mapping[str, int]) -> None:
        self.app = app
        self.limits = sorted(limits.items(), key=lambda one: -len(one[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        headers = Headers(scope=scope)
        body = _Body(receive, limit, headers)
        lingering = _Lingering(body, send)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            await answer(_too_large(limit))(scope, body, lingering)
        else:
            await self.app(scope, body, lingering)

    def _limit(self, path: str) -> int:
        return next((most for prefix, most in self.limits if path.startswith(prefix)), SMALL)


class _Body:
    """Receives a body up to the limit, and waits for each piece only so long."""

    def __init__(self, receive: Receive, limit: int, headers: Headers) -> None:
        self._receive = receive
        self._limit = limit
        self._left = limit
        self._begun = False
        self._more = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        self._waits_for_leave = "expect" in headers  # 100-continue: it sends only when asked to

    async def __call__(self) -> Message:
        if not self._more:
            return await self._receive()  # waits for the client to leave, as long as it takes
        try:
            message = await asyncio.wait_for(self._next(), SILENCE_SECONDS)
        except TimeoutError:
            raise Problem(408, "body-too-slow", "The body stopped coming.") from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _too_large(self._limit)
        return message

    @property
    def is_coming(self) -> bool:
        """Whether the client is sending what nobody has read yet."""
        return self._more and (self._begun or not self._waits_for_leave)

    async def drain(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while self._more:
                    await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        self._begun = True
        self._more = bool(message.get("more_body"))
        return message


class _Lingering:
    """Answers a client that is still sending so that it can read the answer.

    A connection closed on unread bytes is reset, and the answer is lost with it; so read on for a
    moment, and only then close (the lingering close of RFC 9112, section 9.6).
    """

    def __init__(self, body: _Body, send: Send) -> None:
        self._body = body
        self._send = send

    async def __call__(self, message: Message) -> None:
        if not self._body.is_coming:
            await self._send(message)
        elif message["type"] == "http.response.start":
            MutableHeaders(scope=message)["Connection"] = "close"
            await self._send(message)
        elif message.get("more_body"):
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            await self._body.drain()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _too_large(limit: int) -> Problem:
    return Problem(
        413, "body-too-large", f"At most {limit} bytes are taken here.", extra={"limit": limit}
    )

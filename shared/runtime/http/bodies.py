"""How much may a request carry? Bytes are counted as they stream in; nothing is buffered here."""

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.errors import Problem
from shared.runtime.http.problems import answer

SMALL = 1 << 20  # bytes: an event, a form, a report; images have a route with a limit of its own
SILENCE_SECONDS = 60.0  # between two pieces of a body, from an honest client on a bad line


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
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            await answer(_too_large(limit))(scope, receive, send)
            return
        await self.app(scope, _Counted(receive, limit), send)

    def _limit(self, path: str) -> int:
        return next((most for prefix, most in self.limits if path.startswith(prefix)), SMALL)


class _Counted:
    """Receives a body up to the limit, and waits for each piece only so long."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._left = limit
        self._more = True

    async def __call__(self) -> Message:
        if not self._more:
            return await self._receive()  # waits for the client to leave, as long as it takes
        try:
            message = await asyncio.wait_for(self._receive(), SILENCE_SECONDS)
        except TimeoutError:
            raise Problem(408, "body-too-slow", "The body stopped coming.") from None
        self._more = bool(message.get("more_body"))
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _too_large(self._limit)
        return message


def _too_large(limit: int) -> Problem:
    return Problem(
        413, "body-too-large", f"At most {limit} bytes are taken here.", extra={"limit": limit}
    )

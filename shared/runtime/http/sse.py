"""How does a caller follow events live? Server-sent events (HTML standard, section 9.2).

A heartbeat keeps proxies from closing the line; a client that comes back says with Last-Event-ID
where it was; a server that stops ends its streams, so that clients go to another replica.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

HEARTBEAT_SECONDS = 15.0  # the HTML standard's advice
RETRY_MILLISECONDS = 3000


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its id is opaque and resumes the stream; its data is JSON."""

    id: str
    event: str
    data: BaseModel | Mapping[str, Any]

    def encoded(self) -> bytes:
        told = (
            self.data.model_dump_json()
            if isinstance(self.data, BaseModel)
            else orjson.dumps(dict(self.data)).decode()
        )
        return format_sse_event(data_str=told, event=_line(self.event), id=_line(self.id))


Source = Callable[[str | None], AsyncIterator[ServerEvent]]


class EventStream(StreamingResponse):
    """A response without an end, but for the source's, the client's or the server's."""

    media_type = "text/event-stream"

    def __init__(
        self, source: Source, last_event_id: str | None, heartbeat: float = HEARTBEAT_SECONDS
    ) -> None:
        super().__init__(iter(()), headers={"X-Accel-Buffering": "no"})
        self.source = source
        self.last_event_id = last_event_id
        self.heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        frames = self._frames(scope["app"].state.stopping)
        self.body_iterator = frames
        async with aclosing(frames):
            await super().__call__(scope, receive, send)

    async def _frames(self, stopping: asyncio.Event) -> AsyncGenerator[bytes, None]:
        yield format_sse_event(retry=RETRY_MILLISECONDS)
        events = aiter(self.source(self.last_event_id))
        stop = asyncio.create_task(stopping.wait())
        coming = asyncio.create_task(_next(events))
        try:
            while True:
                done, _ = await asyncio.wait(
                    {coming, stop}, timeout=self.heartbeat, return_when=asyncio.FIRST_COMPLETED
                )
                if coming in done:
                    event = coming.result()
                    if event is None:
                        return
                    yield event.encoded()
                    coming = asyncio.create_task(_next(events))
                elif stop in done:
                    return
                else:
                    yield format_sse_event(comment="heartbeat")
        finally:
            stop.cancel()
            coming.cancel()
            await asyncio.gather(stop, coming, return_exceptions=True)
            if isinstance(events, AsyncGenerator):
                await events.aclose()


def event_stream(source: Source, last_event_id: str | None) -> EventStream:
    """Stream what the source gives after `last_event_id`; None means from its beginning."""
    return EventStream(source, last_event_id)


async def _next(events: AsyncIterator[ServerEvent]) -> ServerEvent | None:
    return await anext(events, None)


def _line(text: str) -> str:
    if set(text) & set("\r\n\0"):
        raise ValueError("an event's id and name are single lines")
    return text

"""How is a connection cut at the one moment that matters? A TCP proxy that reads what passes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

Cut = Literal["before", "after"]
COMMIT = b"COMMIT"


class Proxy:
    """Passes bytes between clients and a server; may cut a connection as COMMIT is sent.

    `before`: the server never gets the COMMIT. `after`: it has answered it, but the client never
    hears. In both cases the client sees the same: a connection that is gone.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self.cut: Cut | None = None
        self.cuts = 0
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()

    def of(self, dsn: str) -> str:
        """The same database, through the proxy."""
        parts = urlsplit(dsn)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))

    async def _serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, forth = await asyncio.open_connection(*self._server)
        cutting = asyncio.Event()
        ways = [
            asyncio.create_task(self._forth(client, forth, cutting)),
            asyncio.create_task(self._back(server, back, cutting)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for writer in (back, forth):
            writer.transport.abort()

    async def _forth(
        self, client: asyncio.StreamReader, forth: asyncio.StreamWriter, cutting: asyncio.Event
    ) -> None:
        while sent := await client.read(65536):
            if self.cut is not None and COMMIT in sent:
                how, self.cut = self.cut, None
                self.cuts += 1
                if how == "before":
                    return
                cutting.set()
            forth.write(sent)
            await forth.drain()

    async def _back(
        self, server: asyncio.StreamReader, back: asyncio.StreamWriter, cutting: asyncio.Event
    ) -> None:
        while answered := await server.read(65536):
            if cutting.is_set():
                return
            back.write(answered)
            await back.drain()

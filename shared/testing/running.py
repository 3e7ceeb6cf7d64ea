"""How does a test run one real service in its own process? On a free port, with real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import uvicorn

from shared.runtime.service import Core, Running, Service
from shared.runtime.service import running as service_running
from shared.runtime.settings import ServiceSettings

State = TypeVar("State")
START_SECONDS = 120


@dataclass(frozen=True)
class Live(Generic[State]):
    """A service at work; `url` is its HTTP edge."""

    url: str
    parts: Running[State]

    @property
    def core(self) -> Core[State]:
        return self.parts.core


@asynccontextmanager
async def running(service: Service[State], settings: ServiceSettings) -> AsyncIterator[Live[State]]:
    """Run the service until the block ends; it is migrated and at work when the block begins."""
    async with service_running(service, settings) as (app, parts):
        await asyncio.wait_for(parts.started.wait(), START_SECONDS)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        try:
            yield Live(await _address(server), parts)
        finally:
            server.should_exit = True
            await serving


async def _address(server: Any) -> str:
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    return f"http://{host}:{port}"

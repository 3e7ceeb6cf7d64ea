"""How is a service's HTTP app put together? Edge, limits, problems and probes, in this order."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from starlette.middleware import Middleware

from shared.runtime.auth import Issuer
from shared.runtime.http import probes
from shared.runtime.http.bodies import BodyLimit
from shared.runtime.http.described import describe_problems
from shared.runtime.http.edge import Edge
from shared.runtime.http.problems import handle_problems

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(  # noqa: PLR0913 - what differs between services, each by name
    title: str,
    *,
    version: str,
    description: str,
    issuer: Issuer,
    readiness: probes.Readiness,
    lifespan: Lifespan | None = None,
    body_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """Make the app; routers come with `app.include_router`.

    `body_limits` gives path prefixes that take more than bodies.SMALL bytes.
    """
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        # Ours is made in edge.py: the framework's own would put addresses into spans.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        middleware=[Middleware(Edge), Middleware(BodyLimit, limits=body_limits or {})],
    )
    app.state.issuer = issuer
    app.state.stopping = asyncio.Event()
    handle_problems(app)
    describe_problems(app)
    app.include_router(probes.router(readiness))
    return app

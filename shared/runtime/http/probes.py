"""Is the service alive, is it ready, and what are its figures? For machines, without a token."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.runtime.errors import is_weather
from shared.runtime.telemetry import logger

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]

LOG = logger(__name__)
ANSWER_SECONDS = 5.0  # a dependency that takes longer is not there


def router(readiness: Readiness) -> APIRouter:
    """Give `/livez` (the process answers), `/readyz` (its dependencies do), `/metrics`."""
    probes = APIRouter(include_in_schema=False)

    @probes.get("/livez")
    async def livez() -> Response:
        return JSONResponse({"status": "ok"})

    @probes.get("/readyz")
    async def readyz() -> Response:
        found = await _asked(readiness)
        ready = all(found.values())
        checks = {name: "ok" if there else "away" for name, there in found.items()}
        status = "ok" if ready else "unavailable"
        return JSONResponse({"status": status, "checks": checks}, 200 if ready else 503)

    @probes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return probes


async def _asked(readiness: Readiness) -> Mapping[str, bool]:
    """Ask all dependencies; one that is so far away that it can't be asked is away too."""
    try:
        return await asyncio.wait_for(readiness(), ANSWER_SECONDS)
    except Exception as error:
        if not is_weather(error):
            raise
        LOG.warning("readiness_met_weather", exc_info=error)
        return {"readiness": False}

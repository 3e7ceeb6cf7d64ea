"""Who submits the cases? A partner's integrator, when POST /benchmark/cases says how many.

A submission goes through the API's own translation: digested, sealed, kept once per key. The one
image, of sixteen pixels, is put in the vault by hand instead of by STOW.
"""

import asyncio
from dataclasses import replace
from typing import Any

from fastapi import APIRouter

from benchmarks.measured.acting.partner import Integrator
from services.intake.__main__ import service
from services.intake.settings import Settings
from shared.runtime.service import Core, Edges, Service, run
from shared.runtime.settings import read


def beside(own: Service[Any]) -> Service[Any]:
    """Give the service with an integrator in it; nothing else of it is changed."""

    def edges(core: Core[Any]) -> Edges:
        parts, integrator = own.edges(core), Integrator.of(core)
        orders: asyncio.Queue[tuple[range, float]] = asyncio.Queue()

        async def work() -> None:
            while True:
                await integrator.submit(*await orders.get())

        return replace(
            parts,
            routers=(*parts.routers, router(orders)),
            loops={**parts.loops, "integrator": work},
        )

    return replace(own, edges=edges)


def router(orders: "asyncio.Queue[tuple[range, float]]") -> APIRouter:
    routes = APIRouter()

    @routes.post("/benchmark/cases", status_code=202)
    async def submit(first: int, count: int, rate: float = 0) -> None:
        """Begin to submit; `rate` in cases a second, 0 for as fast as it goes."""
        await orders.put((range(first, first + count), rate))

    return routes


if __name__ == "__main__":
    settings = read(Settings)
    run(beside(service(settings)), settings)

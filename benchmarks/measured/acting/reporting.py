"""Who reads? The reader who holds the case: starts, drafts, locks, reveals and signs, at once."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Response

from benchmarks.measured.acting.prompts import Act, Prompts, persist
from services.reporting.__main__ import SERVICE
from services.reporting.api import comparing, reading, signing
from services.reporting.api.asking import Desk
from services.reporting.domain.entries import OpinionEntry
from services.reporting.domain.events import ReaderAssigned
from services.reporting.gateways import Library
from services.reporting.settings import Settings
from shared.runtime.service import Core, run
from shared.runtime.settings import read
from shared.testing import chest

OPINION = OpinionEntry.model_validate(chest.OPINION)


def reading_cases(core: Core[Any]) -> Act:
    desk = Desk(core, Library.open(core.settings.objects))
    routes = _routes(desk)

    async def work(assigned: ReaderAssigned) -> None:
        who = assigned.assignment.reader
        asked: dict[str, Any] = {"case_id": assigned.case_id, "who": who, "response": Response()}
        started = await persist(lambda: routes["start"](**asked, key="start"))
        drafted = await routes["put_draft"](**asked, entry=OPINION, seen=started.revision)
        await routes["lock"](**asked, key="lock", seen=drafted.revision)
        await routes["reveal"](**asked, key="reveal")
        await routes["finalize"](**asked, key="finalize", seen=None)

    return work


def _routes(desk: Desk) -> Mapping[str, Callable[..., Any]]:
    routers = (part.router(desk) for part in (reading, comparing, signing))
    return {route.name: route.endpoint for one in routers for route in one.routes}


if __name__ == "__main__":
    run(Prompts(ReaderAssigned).beside(SERVICE, reading_cases), read(Settings))

"""Builds intake from its parts and runs it. The only file here that knows them all."""

from pathlib import Path
from typing import Any

from services.intake.api.edge import Edge
from services.intake.api.router import routers
from services.intake.domain.decide import intake
from services.intake.domain.state import State
from services.intake.gateways import seed
from services.intake.gateways.attach import Attacher
from services.intake.settings import Settings
from services.intake.store import cases, partners
from services.intake.subscribers import LISTENS
from shared.runtime import clock
from shared.runtime.objects import ObjectStore
from shared.runtime.sandbox import Sandbox
from shared.runtime.service import Core, Edges, Service, run
from shared.runtime.settings import read


def service(settings: Settings) -> Service[State]:
    """Give the service; its patience is a setting, so its decider is made here."""
    return Service(
        name="intake",
        title="Overread intake",
        decider=intake(settings.patience),
        load=cases.load,
        save=cases.save,
        listens=LISTENS,
        edges=edges,
        migrations=Path(__file__).parent / "migrations",
    )


def edges(core: Core[State]) -> Edges:
    settings: Settings = core.settings
    objects = ObjectStore.open(settings.objects, reads={"raw"}, writes={"raw"})
    sandbox = Sandbox(workers=settings.sandbox_workers)
    attacher = Attacher(core, objects)

    async def close() -> None:
        sandbox.close()

    async def load_seed() -> None:
        await _load_seed(core, settings)

    return Edges(
        routers=routers(Edge(core, settings, objects, sandbox, attacher)),
        loops={"attach": attacher.attach_for_ever},
        on_start=(load_seed,),
        closes=(close,),
        body_limits={"/dicomweb/": settings.stow_bytes, "/v1/events": settings.event_bytes},
    )


async def _load_seed(core: Core[Any], settings: Settings) -> None:
    """Write the seed's partners; those an operator changed since stay as they are."""
    if settings.seed is None:
        return
    content = seed.read(settings.seed)
    async with core.pool.acquire() as db:
        for partner, terms in content.partners.items():
            await partners.seed(db, partner, terms, clock.now())


def main() -> None:
    settings = read(Settings)
    run(service(settings), settings)


if __name__ == "__main__":
    main()

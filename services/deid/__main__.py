"""How is deid put together? The only file that knows all its parts."""

from pathlib import Path

from services.deid import store
from services.deid.api import deciding, listing, looking
from services.deid.api.desk import Desk
from services.deid.domain.decide import DEID
from services.deid.domain.state import State
from services.deid.gateways.vault import Vault
from services.deid.performers import Cleaning
from services.deid.settings import Settings
from services.deid.subscribers import LISTENS
from shared.runtime.sandbox import Sandbox
from shared.runtime.service import Core, Edges, Service, run
from shared.runtime.settings import read


def edges(core: Core[State]) -> Edges:
    settings: Settings = core.settings
    vault = Vault.open(settings.objects, settings.spool)
    sandbox = Sandbox(settings.workers, settings.memory, settings.seconds)
    looks = Sandbox(1, settings.memory, settings.seconds)  # a person need not wait for the queue
    cleaning = Cleaning(vault, sandbox, settings.pseudonym_key, settings.workers)
    desk = Desk(core, vault, looks)

    async def close() -> None:
        sandbox.close()
        looks.close()

    return Edges(
        routers=tuple(part.router(desk) for part in (listing, looking, deciding)),
        performers={"clean": cleaning.perform},
        closes=(close,),
    )


SERVICE: Service[State] = Service(
    name="deid",
    title="Overread deid",
    decider=DEID,
    load=store.load,
    save=store.save,
    listens=LISTENS,
    edges=edges,
    migrations=Path(__file__).parent / "migrations",
)

if __name__ == "__main__":
    run(SERVICE, read(Settings))

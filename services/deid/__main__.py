"""How is deid put together? The only file that knows all its parts."""

import sys
from collections.abc import Sequence
from pathlib import Path

from services.deid import store
from services.deid.api import deciding, listing, looking
from services.deid.api.desk import Desk
from services.deid.domain.decide import DEID
from services.deid.domain.state import State
from services.deid.gateways.policies import PolicyBroken, load_policies
from services.deid.gateways.sealing import Sealing
from services.deid.gateways.vault import Vault
from services.deid.performers import Cleaning
from services.deid.settings import Settings
from services.deid.subscribers import LISTENS
from shared.runtime.sandbox import Sandbox
from shared.runtime.service import Core, Edges, Service, run
from shared.runtime.settings import EX_CONFIG, read


def edges(core: Core[State]) -> Edges:
    settings: Settings = core.settings
    vault = Vault.open(settings.objects, settings.spool)
    sandbox = Sandbox(settings.workers, settings.memory, settings.seconds)
    looks = Sandbox(1, settings.memory, settings.seconds)  # a person need not wait for the queue
    policies = load_policies(settings.policies)

    async def borne(partner: str, pseudonyms: Sequence[str]) -> frozenset[str]:
        async with core.pool.acquire() as db:
            return await store.borne(db, partner, pseudonyms)

    public = settings.notify_public_key
    sealing = Sealing(vault, public) if public else None
    cleaning = Cleaning(
        vault, sandbox, settings.keyring, settings.workers, policies, borne, sealing
    )
    reading = Cleaning(vault, looks, settings.keyring, 1, policies, borne)
    desk = Desk(core, vault, looks, reading)

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


def main() -> None:
    """Run the program; a broken policy stops it before it cleans anything."""
    settings = read(Settings)
    try:
        load_policies(settings.policies)
    except PolicyBroken as error:
        sys.stderr.write(f"deid can't start, DEID_POLICIES is wrong: {error}\n")
        raise SystemExit(EX_CONFIG) from None
    run(SERVICE, settings)


if __name__ == "__main__":
    main()

"""Builds matching from its parts and runs it. The only file here that knows them all."""

import sys
from base64 import b64decode
from functools import partial
from pathlib import Path
from typing import Any

from services.matching.api import (
    availability,
    calendars,
    directory,
    files,
    live,
    next_case,
    operators,
    orders,
    readers,
    webhooks,
    why,
)
from services.matching.domain.decide import MATCHING
from services.matching.domain.policy import Policy
from services.matching.domain.state import Matching
from services.matching.gateways import seed
from services.matching.gateways.policy_file import PolicyBroken, read_policy
from services.matching.gateways.reload import Watched
from services.matching.optimiser import Optimiser
from services.matching.performers import Teller
from services.matching.reading_room import InForce, ReadingRoom
from services.matching.settings import Settings
from services.matching.store import contracts, roster
from services.matching.store.cases import load, save
from services.matching.subscribers import LISTENS
from services.matching.watch import Watch
from shared.runtime import clock
from shared.runtime.postgres import Pool
from shared.runtime.service import Core, Edges, Service, run
from shared.runtime.settings import EX_CONFIG, read
from shared.runtime.webhooks import sending
from shared.runtime.webhooks.secrets import Safe

ROUTERS = (readers, availability, calendars, directory, operators, orders, live, why)


def edges(core: Core[Matching]) -> Edges:
    settings: Settings = core.settings
    planted = (
        () if settings.seed is None else (partial(plant, core.pool, seed.read(settings.seed)),)
    )
    rules = InForce(Policy() if settings.policy is None else read_policy(settings.policy))
    watched = _watched(core.pool, settings, rules)
    key, allowed = settings.store_key, settings.allow_private
    safe = None if key is None else Safe(b64decode(key.get_secret_value()))
    http = sending.client(settings.trust)
    loops = {"optimiser": Optimiser(core, rules).run, "watch": Watch(core).run}
    loops |= {one.name: one.run for one in watched}
    loops |= {} if safe is None else {"teller": Teller(core, http, safe, allowed).run}
    asking = next_case.router(core, ReadingRoom(rules))
    own = (files.router(watched), webhooks.router(core, safe, allowed), asking)
    return Edges(
        routers=(*(one.router(core) for one in ROUTERS), *own),
        loops=loops,
        on_start=planted,
        closes=(http.aclose,),
    )


def _watched(pool: Pool, settings: Settings, rules: InForce) -> tuple[Watched[Any], ...]:
    """Read the files again when they change; a broken one leaves the old one in force."""
    found: list[Watched[Any]] = []
    if settings.seed is not None:
        found.append(Watched("seed", settings.seed, seed.read, partial(plant, pool)))
    if settings.policy is not None:
        found.append(Watched("policy", settings.policy, read_policy, partial(follow, rules)))
    return tuple(found)


async def follow(rules: InForce, policy: Policy) -> None:
    """Hand out cases by another policy from now on: the next round and the next question see it."""
    rules.policy = policy


async def plant(pool: Pool, content: seed.Seed) -> None:
    """Write the seed, all or nothing."""
    async with pool.acquire() as db, db.transaction():
        await roster.seed(db, content.readers, clock.now())
        for contract in content.contracts:
            await contracts.seed(db, contract, clock.now())


SERVICE: Service[Matching] = Service(
    name="matching",
    title="Overread matching: who reads a case, and by when",
    decider=MATCHING,
    load=load,
    save=save,
    listens=LISTENS,
    edges=edges,
    migrations=Path(__file__).parent / "migrations",
)


def main() -> None:
    """Run the program; a broken seed or policy file stops it before it does anything."""
    settings = read(Settings)
    try:
        if settings.seed is not None:
            seed.read(settings.seed)
        if settings.policy is not None:
            read_policy(settings.policy)
    except (seed.SeedBroken, PolicyBroken) as error:
        sys.stderr.write(f"matching can't start:\n{error}\n")
        raise SystemExit(EX_CONFIG) from None
    run(SERVICE, settings)


if __name__ == "__main__":
    main()

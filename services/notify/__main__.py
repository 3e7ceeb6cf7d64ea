"""Builds notify from its parts and runs it. The only file here that knows them all."""

import sys
from base64 import b64decode
from functools import partial
from pathlib import Path

from services.notify.api import operator, partner, way_back
from services.notify.domain.decide import NOTIFY
from services.notify.domain.state import State
from services.notify.gateways import seed
from services.notify.gateways.mail import MailServer
from services.notify.gateways.result import Purpose, Results
from services.notify.gateways.way_back import WaysBack
from services.notify.performers import Performers, Sender
from services.notify.settings import Settings
from services.notify.store import partners
from services.notify.store.cases import load, save
from services.notify.store.operations import record_opening
from services.notify.store.partners import Channels
from services.notify.subscribers import LISTENS
from shared.contracts.base import CaseId
from shared.runtime import clock
from shared.runtime.objects import ObjectStore
from shared.runtime.postgres import Pool
from shared.runtime.service import Core, Edges, Service, run
from shared.runtime.settings import EX_CONFIG, read
from shared.runtime.webhooks import sending
from shared.runtime.webhooks.secrets import Safe


async def record(pool: Pool, case_id: CaseId, purpose: Purpose) -> None:
    """Commit a line of the audit trail."""
    async with pool.acquire() as db:
        await record_opening(db, case_id, purpose.who, purpose.why, clock.now())


async def plant(pool: Pool, found: seed.Seed) -> None:
    """Add the seed's partners that aren't there yet."""
    async with pool.acquire() as db, db.transaction():
        for one in found.partners:
            await partners.seed(db, one.partner, Channels(one.webhook, one.mail), clock.now())


def edges(core: Core[State]) -> Edges:
    settings: Settings = core.settings
    safe = Safe(b64decode(settings.store_key.get_secret_value()))
    objects = ObjectStore.open(settings.objects, reads={"reports"})
    note = partial(record, core.pool)
    results = Results(note, objects, settings.private_keys)
    ways_back = WaysBack(note, objects.with_rights(reads={"sealed"}), settings.private_keys)
    http = sending.client(settings.trust)
    server = MailServer.read(settings.smtp.get_secret_value())
    sender = Sender(server, settings.mail_from, settings.case_link)
    performers = Performers(
        core.pool, core.runner, results, safe, http, sender, settings.allow_private
    )
    planted = (
        () if settings.seed is None else (partial(plant, core.pool, seed.read(settings.seed)),)
    )
    return Edges(
        routers=(
            partner.router(core, results),
            operator.router(core, safe),
            way_back.router(core, ways_back),
        ),
        performers=performers.table(),
        on_start=planted,
        closes=(http.aclose,),
    )


SERVICE: Service[State] = Service(
    name="notify",
    title="Overread notify: results, their delivery and the partner's timeline",
    decider=NOTIFY,
    load=load,
    save=save,
    listens=LISTENS,
    edges=edges,
    migrations=Path(__file__).parent / "migrations",
    # Attempts wait for other people's servers; slow ones must not hold up the rest.
    concurrency=32,
)


def main() -> None:
    """Run the program; a broken seed file stops it before it does anything."""
    settings = read(Settings)
    try:
        if settings.seed is not None:
            seed.read(settings.seed)
    except seed.SeedBroken as error:
        sys.stderr.write(f"notify can't start: {error}\n")
        raise SystemExit(EX_CONFIG) from None
    run(SERVICE, settings)


if __name__ == "__main__":
    main()

"""How is reporting put together? The only file that knows all its parts."""

from pathlib import Path

from services.reporting import store
from services.reporting.api import comparing, reading, report, seeing, signing, software
from services.reporting.api.asking import Desk
from services.reporting.domain.decide import REPORTING
from services.reporting.domain.state import State
from services.reporting.gateways import Library
from services.reporting.settings import Settings
from services.reporting.subscribers import LISTENS
from shared.runtime.service import Core, Edges, Service, run
from shared.runtime.settings import read


def edges(core: Core[State]) -> Edges:
    desk = Desk(core, Library.open(core.settings.objects))
    routes = (seeing, reading, comparing, signing, report, software)
    return Edges(routers=tuple(part.router(desk) for part in routes))


SERVICE: Service[State] = Service(
    name="reporting",
    title="Overread reporting",
    decider=REPORTING,
    load=store.load,
    save=store.save,
    listens=LISTENS,
    edges=edges,
    migrations=Path(__file__).parent / "migrations",
)

if __name__ == "__main__":
    run(SERVICE, read(Settings))

"""Which event travels on which topic? One topic per publisher keeps a case's events in order."""

from types import ModuleType

from shared.contracts import deid, intake, matching, notify, reporting
from shared.contracts.base import Event

PUBLISHERS: tuple[ModuleType, ...] = (intake, deid, matching, reporting, notify)


def _published_by(module: ModuleType) -> list[type[Event]]:
    found = [value for value in vars(module).values() if isinstance(value, type)]
    return [c for c in found if issubclass(c, Event) and c.__module__ == module.__name__]


EVENTS: dict[str, type[Event]] = {
    event.ce_type(): event for module in PUBLISHERS for event in _published_by(module)
}
SERVICES: tuple[str, ...] = tuple(module.__name__.rpartition(".")[2] for module in PUBLISHERS)
PUBLISHED: frozenset[type[Event]] = frozenset(EVENTS.values())


def topic(service: str, prefix: str = "overread") -> str:
    return f"{prefix}.{service}"

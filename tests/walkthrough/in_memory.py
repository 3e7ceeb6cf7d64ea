"""What carries events from service to service when there is no Kafka? A list, in order."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from services.deid.domain.decide import DEID
from services.deid.subscribers import LISTENS as DEID_LISTENS
from services.intake.domain.decide import INTAKE
from services.intake.subscribers import LISTENS as INTAKE_LISTENS
from services.matching.domain.decide import MATCHING
from services.matching.subscribers import LISTENS as MATCHING_LISTENS
from services.notify.domain.decide import NOTIFY
from services.notify.subscribers import LISTENS as NOTIFY_LISTENS
from services.reporting.domain.decide import REPORTING
from services.reporting.subscribers import LISTENS as REPORTING_LISTENS
from shared.contracts.base import Event
from shared.contracts.topics import PUBLISHED
from shared.decider import Decider, Job
from shared.testing.spec import NOON

Listens = Mapping[str, Sequence[type[Event]]]
Perform = Callable[[Job], Any]

SERVICES: Mapping[str, tuple[Decider[Any, Any, Any], Listens]] = {
    "intake": (INTAKE, INTAKE_LISTENS),
    "deid": (DEID, DEID_LISTENS),
    "matching": (MATCHING, MATCHING_LISTENS),
    "reporting": (REPORTING, REPORTING_LISTENS),
    "notify": (NOTIFY, NOTIFY_LISTENS),
}


@dataclass
class Overread:
    """Five deciders and what passes between them. `perform` does their heavy work, by job kind."""

    perform: Mapping[str, Perform]
    now: datetime = NOON
    published: dict[str, list[Event]] = field(default_factory=lambda: {one: [] for one in SERVICES})
    _on_its_way: deque[tuple[str, Any]] = field(default_factory=deque)

    @cached_property
    def states(self) -> dict[str, Any]:
        return {name: decider.initial for name, (decider, _) in SERVICES.items()}

    def tell(self, service: str, received: Any) -> None:
        """Let one input reach one service, and everything that follows from it reach the others."""
        self._on_its_way.append((service, received))
        while self._on_its_way:
            self._handle(*self._on_its_way.popleft())

    def _handle(self, service: str, received: Any) -> None:
        decider, _ = SERVICES[service]
        step = decider.step(self.states[service], received, self.now)
        assert step.refused is None, step.refused
        self.states[service] = step.state
        for event in step.events:
            self._on_its_way += [
                (service, self.perform[job.kind](job)) for job in decider.jobs(event)
            ]
            if type(event) in PUBLISHED:
                self.published[service].append(event)
                self._on_its_way += [(listener, event) for listener in _listeners(service, event)]


def _listeners(publisher: str, event: Event) -> list[str]:
    return [
        name for name, (_, listens) in SERVICES.items() if type(event) in listens.get(publisher, ())
    ]

"""What stands on the floor of a simulation? The cases' folders, readers' seats, and the clock."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import heappush
from itertools import count
from typing import Any

from services.matching.domain.author import Author
from services.matching.domain.decide import MATCHING
from services.matching.domain.need import need_of
from services.matching.domain.state import asked_of
from services.matching.simulation.arrival import Arrival
from services.matching.simulation.people import Accepted, Folder, Seat
from services.matching.simulation.record import SAID_OF_A_READER, Record
from services.matching.simulation.tiring import Tiring
from services.matching.simulation.world import DRAIN, World
from shared.contracts.base import CaseId, Event
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentOffered,
    AssignmentReleased,
    Explanation,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
)


@dataclass
class Floor:
    """One world as it stands, and what was said in it so far."""

    world: World
    now: float = 0.0
    accepted: list[Accepted] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        fresh = MATCHING.initial.model_copy(update={"contracts": self.world.contracts})
        self.staff = self.world.staff
        self.folders = [
            Folder(n, one, fresh.model_copy(update={"author": self._author(one)}))
            for n, one in enumerate(self.world.cases)
        ]
        self.tiring = Tiring(self.world.readers)
        self.record = Record()
        self.by_id = {one.arrival.accepted.case_id: one for one in self.folders}
        self.seats = [Seat(n) for n in range(len(self.world.readers))]
        self.rest = self.world.scenario.readers.breaks / (1 - self.world.scenario.readers.breaks)
        self.lag = self.world.scenario.friction.app_seconds
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = count()
        self._ended: defaultdict[int, list[float]] = defaultdict(list)
        self._numbers = {one.id: n for n, one in enumerate(self.world.readers)}
        self._open = len(self.folders)

    def at(self, when: float, do: Callable[..., None], *values: Any) -> None:
        heappush(self._heap, (max(when, self.now), next(self._order), do, values))

    def ended_after(self, folder: Folder, at: float) -> float:
        """Give when what was accepted then was given back or closed."""
        return min((one for one in self._ended[folder.number] if one >= at), default=self.now)

    def _last(self) -> float:
        """Give the end of the world: the readers' shifts end, and what is unread stays so."""
        scenario = self.world.scenario
        return (scenario.starts_at + timedelta(days=scenario.days) + DRAIN).timestamp()

    def _note(self, folder: Folder, event: Event) -> None:
        if isinstance(event, SAID_OF_A_READER):
            number = self.number(event.reader)
            self.record.note(event, self.now, folder.number, number)
            self.tiring.note(event, self.now, folder, number)
        if isinstance(event, AssignmentOffered):
            folder.asked += 1
            folder.paged += event.paged
            self.seats[self.number(event.reader)].asked += 1
        elif isinstance(event, OfferExpired | OfferDeclined | OfferWithdrawn):
            self.seats[self.number(event.reader)].asked -= 1
        elif isinstance(event, AssignmentAccepted):
            made = asked_of(folder.state.assignment, event.assignment)
            paged = made is not None and made.paged
            self.seats[self.number(event.reader)].asked -= 1
            self.accepted.append((self.now, folder, self.number(event.reader), paged))
        elif isinstance(event, AssignmentReleased | AssignmentClosed):
            self._ended[folder.number].append(self.now)

    def _luck(self, folder: Folder) -> float:
        """Give the next of the case's lucky numbers: each policy meets them in the same order."""
        folder.lucky += 1
        return folder.arrival.luck[folder.lucky % len(folder.arrival.luck)]

    def _who(self, seat: Seat, why: Explanation) -> dict[str, Any]:
        return {
            "reader": self.world.readers[seat.number],
            "load": seat.load,
            "work": self.tiring.work(seat.number, self.now),
            "explanation": why,
        }

    def _stands(self, folder: Folder, made: AssignmentOffered) -> bool:
        asked = asked_of(folder.state.assignment, made.assignment)
        return asked is not None and asked.standing == "offered"

    def _author(self, case: Arrival) -> Author:
        return self.staff.columns.author(need_of(case.accepted))

    def _id(self, folder: Folder) -> CaseId:
        return folder.arrival.accepted.case_id

    def _fields(self, seat: Seat) -> tuple[str, ...]:
        return self.world.readers[seat.number].subspecialties

    def number(self, reader: str) -> int:
        return self._numbers[reader]

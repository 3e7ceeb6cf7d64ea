"""Who and what is in a simulation: the cases' folders, the readers' seats, and who decides."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from services.matching.domain.state import Matching
from services.matching.simulation.arrival import Arrival
from shared.contracts.matching import Explanation


@dataclass(slots=True)
class Folder:
    """A case on its way, and what is to be counted of it."""

    number: int
    arrival: Arrival
    state: Matching
    asked: int = 0
    paged: int = 0
    reader: int | None = None
    delivered_at: float | None = None
    rings_at: float = 0.0
    lucky: int = -1


@dataclass(slots=True)
class Reading:
    """A case on a reader's desk; `turn` counts how often it was taken up."""

    folder: Folder
    left: float
    since: float = 0.0
    turn: int = 0


@dataclass(slots=True)
class Seat:
    """A reader at their desk: what they read (the last is open), hold unread, and have read."""

    number: int
    on: bool = False
    rests: bool = False
    desk: list[Reading] = field(default_factory=list)
    queue: list[Folder] = field(default_factory=list)
    asked: int = 0
    read: int = 0
    worked: float = 0.0

    @property
    def load(self) -> int:
        return len(self.desk) + len(self.queue) + self.asked

    @property
    def idle(self) -> bool:
        return self.on and not (self.desk or self.rests or self.queue)


@dataclass(frozen=True, slots=True)
class Pushed:
    """An offer as a policy makes it; the contract's window holds where it says no `until`."""

    why: Explanation
    broad: bool
    paged: bool = False
    until: datetime | None = None
    at_once: int = 0


# When, which case, by whom (their number), and whether they were paged.
Accepted: TypeAlias = tuple[float, Folder, int, bool]


class Player(Protocol):
    """A policy that plays: it is told what happens, and answers by `take` and `offer`."""

    every: float

    def opened(self, folder: Folder) -> None: ...
    def reopened(self, folder: Folder) -> None: ...
    def came(self, seat: Seat) -> None: ...
    def left(self, seat: Seat) -> None: ...
    def freed(self, seat: Seat) -> None: ...
    def began(self, seat: Seat, until: float) -> None: ...
    def closed(self, folder: Folder) -> None: ...
    def tick(self) -> None: ...

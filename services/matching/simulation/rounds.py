"""How do pushed offers play? The running service's rounds, as soon as something stirs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.matching.domain.inputs import OfferCase
from services.matching.domain.plan import Round
from services.matching.domain.policy import Policy
from services.matching.domain.rivals import Silent, outdo, silent
from services.matching.domain.state import going
from services.matching.domain.waiting import waiting
from services.matching.simulation.people import Folder, Seat
from services.matching.simulation.play import Play
from shared.contracts.base import ReaderId


@dataclass
class InRounds:
    """Pushes every case: what opens alone, and all that wait when somebody is free."""

    play: Play
    policy: Policy
    every: float = 60.0
    waits: dict[int, Folder] = field(default_factory=dict)
    asked: dict[int, Folder] = field(default_factory=dict)
    outdone: int = 0
    _free: set[ReaderId] = field(default_factory=set)

    def opened(self, folder: Folder) -> None:
        self.waits[folder.number] = folder
        self._round([folder])

    reopened = opened

    def came(self, seat: Seat) -> None: ...
    def left(self, seat: Seat) -> None: ...
    def began(self, seat: Seat, until: float) -> None: ...

    def closed(self, folder: Folder) -> None:
        self.waits.pop(folder.number, None)
        self.asked.pop(folder.number, None)

    def freed(self, seat: Seat) -> None:
        del seat
        self.tick()

    def tick(self) -> None:
        """Look at all that wait if somebody became free; for them nobody was the last time."""
        limits = [one.capacity for one in self.play.world.readers]
        seats = [one for one in self.play.seats if one.on and one.load < limits[one.number]]
        free = {self.play.world.readers[one.number].id for one in seats}
        if free <= self._free:
            self._free = free
        else:
            self._round(list(self.waits.values()))

    def _round(self, folders: Iterable[Folder]) -> None:
        now = datetime.fromtimestamp(self.play.now, UTC)
        world, seats = self.play.world, self.play.seats
        named = {world.readers[one.number].id: one for one in seats}
        loads = {name: one.load for name, one in named.items() if one.load}
        away = {name for name, one in named.items() if not one.on}
        work = self.play.tiring.works(self.play.now)
        this = Round(world.staff.roster, loads, now, work=work, away=away, staff=world.staff)
        came = this.free - self._free
        found = (waiting(one.state.assignment, self._due(one)) for one in folders)
        for proposed in this.plan([one for each in found for one in each]):
            if isinstance(proposed, OfferCase):
                self._propose(proposed)
        if came and self.policy.better.at_most:
            for rival in outdo(this.later, self._silent(), came, self.policy.better):
                self.outdone += self._propose(rival)
        self._free = this.free

    def _silent(self) -> list[Silent]:
        each = (silent(one.state.assignment, self._due(one)) for one in self.asked.values())
        return [one for some in each for one in some]

    def _propose(self, proposed: OfferCase) -> bool:
        folder = self.play.by_id[proposed.case_id]
        seat = self.play.seats[self.play.number(proposed.reader.id)]
        made = self.play.propose(folder, seat, proposed)
        if not waiting(folder.state.assignment, self._due(folder)):
            self.waits.pop(folder.number, None)
        if made:
            self.asked[folder.number] = folder
        return made

    def _due(self, folder: Folder) -> datetime:
        clock = going(folder.state.clock)
        assert clock is not None  # noqa: S101 - it was accepted
        return clock.due_at

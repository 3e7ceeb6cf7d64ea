"""How do simpler policies play on the same cases? Claiming, and pushing in several orders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from services.matching.domain.hours import Interval
from services.matching.domain.policy import Policy
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.rota import Rota
from services.matching.domain.staff import Mask
from services.matching.domain.state import Open, Unfillable, brief_of
from services.matching.simulation.people import Folder, Pushed, Seat
from services.matching.simulation.play import NO_REASON, Play

URGENCY: Final = {"emergent": 0, "urgent": 1, "expedited": 2, "tumour_board": 3, "routine": 4}


@dataclass
class Baseline:
    """What the baselines share: a pool of waiting cases, and no thought for tomorrow."""

    play: Play
    every: float = 60.0
    pool: Pool = field(init=False)

    def __post_init__(self) -> None:
        staff = self.play.staff
        nothing: Sequence[Sequence[Interval]] = [[] for _ in staff.readers]
        self.pool = Pool(staff, Rota.of(nothing), Policy())
        self.rows: dict[int, Folder] = {}

    def opened(self, folder: Folder) -> None:
        self.served(self._add(folder))

    def _add(self, folder: Folder) -> int:
        brief = brief_of(folder.state.assignment)
        assert brief is not None  # noqa: S101 - it was opened
        row = self.pool.add(Entry(brief.need, folder.arrival.due_at, brief.refused), self.play.now)
        self.rows[row] = folder
        return row

    def reopened(self, folder: Folder) -> None:
        self.opened(folder)

    def served(self, row: int) -> None:
        raise NotImplementedError

    def came(self, seat: Seat) -> None: ...
    def left(self, seat: Seat) -> None: ...
    def freed(self, seat: Seat) -> None: ...
    def began(self, seat: Seat, until: float) -> None: ...
    def closed(self, folder: Folder) -> None: ...
    def tick(self) -> None: ...

    def waiting(self) -> list[int]:
        return [int(one) for one in np.flatnonzero(self.pool.waits)]

    def broad(self, row: int, reader: int) -> bool:
        return not self.pool.right[row, reader]


class FirstToClaim(Baseline):
    """A board that all see, STAT first and then by age: who is free takes the first they may."""

    def served(self, row: int) -> None:
        idle = [one for one in self.play.seats if one.idle and self.pool.able[row, one.number]]
        if idle:
            who = int(self.rows[row].arrival.luck[-1] * len(idle))
            self._claim(row, idle[who])

    def freed(self, seat: Seat) -> None:
        for _ in range(4):
            mine = [row for row in self.waiting() if self.pool.able[row, seat.number]]
            if not mine or self._claim(min(mine, key=self._place), seat):
                return

    def _place(self, row: int) -> tuple[bool, float]:
        arrival = self.rows[row].arrival
        return arrival.accepted.service_level != "emergent", arrival.at

    def _claim(self, row: int, seat: Seat) -> bool:
        folder = self.rows[row]
        broad = self.broad(row, seat.number)
        self.pool.drop(folder.arrival.accepted.case_id)
        taken = self.play.take(folder, seat, NO_REASON, broad=broad)
        if not taken and isinstance(folder.state.assignment, Open | Unfillable):
            self._add(folder)
        return taken


class Push(Baseline):
    """Cases are pushed as soon as somebody on shift has room; in turn by level and age."""

    def served(self, row: int) -> None:
        who = self.pick(row, self._room() & self.pool.able[row])
        if who is not None:
            self._push(row, who)

    def pick(self, row: int, among: Mask) -> int | None:
        raise NotImplementedError

    def place(self, row: int) -> tuple[float, ...]:
        arrival = self.rows[row].arrival
        return URGENCY[arrival.accepted.service_level], arrival.at

    def tick(self) -> None:
        room = self._room()
        served = self.pool.waits & self.pool.able[:, room].any(axis=1)
        for row in sorted(map(int, np.flatnonzero(served)), key=self.place):
            if not room.any():
                return
            who = self.pick(row, room & self.pool.able[row])
            if who is not None:
                self._push(row, who)
                room = self._room()

    def _room(self) -> Mask:
        limits = [one.capacity for one in self.play.world.readers]
        return np.array([s.on and s.load < limits[s.number] for s in self.play.seats], bool)

    def _push(self, row: int, who: int) -> None:
        folder = self.rows[row]
        seat = self.play.seats[who]
        if self.play.offer(folder, seat, Pushed(NO_REASON, self.broad(row, who))):
            self.pool.drop(folder.arrival.accepted.case_id)


class RoundRobin(Push):
    """Each in their turn, whatever they have."""

    turn = 0

    def pick(self, row: int, among: Mask) -> int | None:
        del row
        who = np.flatnonzero(among)
        if not len(who):
            return None
        after = who[who >= self.turn]
        found = int(after[0] if len(after) else who[0])
        self.turn = found + 1
        return found


class LeastLoaded(Push):
    """Who has the least to do."""

    def pick(self, row: int, among: Mask) -> int | None:
        del row
        who = np.flatnonzero(among)
        loads = [self.play.seats[one].load for one in who]
        return int(who[int(np.argmin(loads))]) if len(who) else None


class EarliestDeadline(Push):
    """The earliest deadline first, at a right subspecialist who has room, if there is one."""

    def place(self, row: int) -> tuple[float, ...]:
        return (self.rows[row].arrival.due_at,)

    def pick(self, row: int, among: Mask) -> int | None:
        who = np.flatnonzero(among)
        fit = [(not self.pool.right[row, one], self.play.seats[one].load) for one in who]
        return int(who[min(range(len(who)), key=fit.__getitem__)]) if len(who) else None


BASELINES: Final[dict[str, type[Baseline]]] = {
    "first_to_claim": FirstToClaim,
    "round_robin": RoundRobin,
    "least_loaded": LeastLoaded,
    "earliest_deadline": EarliestDeadline,
}

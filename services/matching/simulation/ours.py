"""How does the product's policy play? Directed next case; offers and pages are the exception."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from services.matching.domain.directed import Choice, Directed
from services.matching.domain.duties import OVERRUN, can_wait, crew
from services.matching.domain.hours import intervals
from services.matching.domain.policy import Policy
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.rota import Rota
from services.matching.domain.staff import Mask
from services.matching.domain.state import Offered, Open, Unfillable, brief_of
from services.matching.domain.urging import Asked, Crew, pressing, urged
from services.matching.simulation.people import Folder, Pushed, Seat
from services.matching.simulation.play import Play
from services.matching.simulation.world import DRAIN

TRIES = 4


@dataclass
class Ours:
    """Plays `directed.py` as the running service does: who is free asks; what opens is shown."""

    play: Play
    policy: Policy
    every: float = field(init=False)

    def __post_init__(self) -> None:
        world = self.play.world
        self.every = 60.0
        staff = self.play.staff
        since = world.scenario.starts_at
        until = since + timedelta(days=world.scenario.days) + DRAIN
        rota = Rota.of([intervals(one, since, until) for one in world.readers])
        self.pool = Pool(staff, rota, self.policy)
        self.directed = Directed(self.pool)
        self.rows: dict[int, Folder] = {}
        self.paged_until = np.zeros(len(world.readers))
        self.by_paging = np.array([bool(one.calendar) for one in world.readers])
        self._awaited = sorted(
            (begins, n) for n, one in enumerate(rota.begins) for begins in one if begins < np.inf
        )
        self._came = 0
        self._overrun = np.zeros(len(world.readers))
        self._spurned: list[Folder] = []

    # what happens

    def opened(self, folder: Folder) -> None:
        self._look(self._add(folder), self._idle())

    reopened = opened

    def came(self, seat: Seat) -> None:
        self.directed.present[seat.number] = True
        self.directed.free_at[seat.number] = self.play.now

    def left(self, seat: Seat) -> None:
        self.directed.present[seat.number] = False

    def freed(self, seat: Seat) -> None:
        self.directed.free_at[seat.number] = self.play.now
        if self._tired(seat):
            return
        for _ in range(TRIES):
            choice = self.directed.next_for(seat.number, self.play.now)
            if choice is None or self._give(choice):
                break
        self._return()

    def began(self, seat: Seat, until: float) -> None:
        """Forecast the end by what such readings usually take: nobody knows this one."""
        folder = seat.desk[-1].folder
        level = folder.arrival.accepted.service_level
        del until
        usual = self.policy.reading_of(level).total_seconds()
        self.directed.free_at[seat.number] = self.play.now + usual
        self._overrun[seat.number] = usual * OVERRUN

    def closed(self, folder: Folder) -> None:
        del folder

    def tick(self) -> None:
        now = self.play.now
        self._strike_absent()
        free = self.directed.free_at
        idle = self._idle()
        late = (free < now) & self.directed.present
        free[late] = now + np.where(idle, 0.0, self._overrun)[late]
        self.directed.stir(now)
        for row in self.directed.stirring(idle, now):
            if self._look(row, idle):
                idle = self._idle()

    # what it does

    def _add(self, folder: Folder) -> int:
        brief = brief_of(folder.state.assignment)
        assert brief is not None  # noqa: S101 - it was opened
        owed = folder.arrival.due_at - self.play.world.scenario.deliver_minutes * 60
        asked = brief.refused | {one.reader for one in brief.offers}
        row = self.directed.add(
            Entry(brief.need, owed, brief.noes, brief.earlier, asked), self.play.now
        )
        self.rows[row] = folder
        return row

    def _idle(self) -> Mask:
        return np.array(
            [
                one.on and not (one.desk or one.rests or one.queue or self._tired(one))
                for one in self.play.seats
            ],
            bool,
        )

    def _look(self, row: int, idle: Mask) -> bool:
        """See to a case without being asked; True: somebody took it."""
        choice = self.directed.reader_for(row, idle, self.play.now)
        given = choice is not None and self._give(choice)
        self._return()
        if choice is None:
            self._urge(row)
        return given

    def _give(self, choice: Choice) -> bool:
        folder, seat = self.rows[choice.row], self.play.seats[choice.reader]
        why = self.directed.explain(choice)
        self.pool.drop(folder.arrival.accepted.case_id)
        taken = self.play.take(folder, seat, why, broad=choice.broad)
        if not taken:
            self._spurned.append(folder)
        return taken

    def _return(self) -> None:
        """Put back what was not taken after all: it waits for somebody else."""
        while self._spurned:
            folder = self._spurned.pop()
            if isinstance(folder.state.assignment, Open | Unfillable | Offered):
                self._add(folder)

    def _urge(self, row: int) -> None:
        folder, now = self.rows[row], self.play.now
        asked = self._asked(folder)
        if not pressing(self.directed, row, asked, now):
            return
        for one in list(urged(self.directed, row, asked, self._crew(), now)):
            choice, seat = one.choice, self.play.seats[one.choice.reader]
            why = self.directed.explain(choice)
            until = datetime.fromtimestamp(one.until, UTC)
            offer = Pushed(why, choice.broad, one.paged, until, self.policy.at_once * 2)
            if self.play.offer(folder, seat, offer):
                self._add(folder)

    def _asked(self, folder: Folder) -> list[Asked]:
        brief = brief_of(folder.state.assignment)
        offers = brief.offers if brief else ()
        return [Asked(self.play.number(one.reader), one.paged) for one in offers]

    def _crew(self) -> Crew:
        seats, on = self.play.seats, self.by_paging
        return crew(
            np.array([s.on and len(s.desk) == 1 and self._can_wait(s) for s in seats]),
            np.array([len(s.desk) for s in seats]),
            np.array([not (s.on or s.desk or s.queue or self._tired(s)) for s in seats]) & on,
        )

    def _tired(self, seat: Seat) -> bool:
        return self.play.tiring.tired(seat.number, self.play.now)

    def _can_wait(self, seat: Seat) -> bool:
        folder = seat.desk[0].folder
        room = seat.load < self.play.world.readers[seat.number].capacity
        waits = room and can_wait(self.policy, folder.arrival.due_at, self.play.now)
        return waits and not self._tired(seat)

    def _strike_absent(self) -> None:
        """Whose shift began and who is not there will not come."""
        now = self.play.now
        while self._came < len(self._awaited) and self._awaited[self._came][0] <= now - 60:
            _, n = self._awaited[self._came]
            self._came += 1
            if not self.directed.present[n]:
                self.pool.rota.absent(n, now)

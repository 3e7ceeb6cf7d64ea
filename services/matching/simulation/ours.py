"""How does the product's policy play? Directed next case; offers and pages are the exception."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from services.matching.domain.directed import Choice, Directed
from services.matching.domain.hours import intervals
from services.matching.domain.policy import Policy
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.rota import Rota
from services.matching.domain.state import brief_of
from services.matching.simulation.people import Folder, Seat
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

    # what happens

    def opened(self, folder: Folder) -> None:
        row = self._add(folder)
        idle = self._idle()
        choice = self.directed.reader_for(row, idle, self.play.now)
        if choice is not None:
            self._give(choice)
        else:
            self._escalate(row)

    reopened = opened

    def came(self, seat: Seat) -> None:
        self.directed.present[seat.number] = True
        self.directed.free_at[seat.number] = self.play.now

    def left(self, seat: Seat) -> None:
        self.directed.present[seat.number] = False

    def freed(self, seat: Seat) -> None:
        self.directed.free_at[seat.number] = self.play.now
        for _ in range(TRIES):
            choice = self.directed.next_for(seat.number, self.play.now)
            if choice is None or self._give(choice):
                return

    def began(self, seat: Seat, until: float) -> None:
        """Forecast the end by what such readings usually take: nobody knows this one."""
        folder = seat.desk[-1].folder
        level = folder.arrival.accepted.service_level
        del until
        self.directed.free_at[seat.number] = (
            self.play.now + self.policy.reading_of(level).total_seconds()
        )

    def closed(self, folder: Folder) -> None:
        del folder

    def tick(self) -> None:
        now = self.play.now
        self._strike_absent()
        free = self.directed.free_at
        free[(free < now) & self.directed.present] = now
        self.directed.stir(now)
        for row in self.directed.stirring(self._idle(), now):
            choice = self.directed.reader_for(row, self._idle(), now)
            if choice is not None:
                self._give(choice)
            else:
                self._escalate(row)

    # what it does

    def _add(self, folder: Folder) -> int:
        brief = brief_of(folder.state.assignment)
        assert brief is not None  # noqa: S101 - it was opened
        owed = folder.arrival.due_at - self.play.world.scenario.deliver_minutes * 60
        row = self.pool.add(Entry(brief.need, owed, brief.refused), self.play.now)
        self.rows[row] = folder
        return row

    def _idle(self) -> np.ndarray:
        return np.array([one.idle for one in self.play.seats], bool)

    def _give(self, choice: Choice) -> bool:
        folder, seat = self.rows[choice.row], self.play.seats[choice.reader]
        why = self.directed.explain(choice)
        self.pool.drop(folder.arrival.accepted.case_id)
        return self.play.take(folder, seat, why, broad=choice.broad)

    def _escalate(self, row: int) -> None:
        """Ask somebody who is at another case, or page, when nobody will be free in time."""
        now = self.play.now
        spare = self.pool.latest[row] - now
        if 0 <= spare < self.policy.interrupt_within.total_seconds() and self._interrupt(row):
            return
        if self.policy.pages and self.directed.soonest(row, now) > self.pool.latest[row]:
            self._page(row)

    def _interrupt(self, row: int) -> bool:
        seats = self.play.seats
        busy = np.array(
            [s.on and len(s.desk) == 1 and not s.asked and self._can_wait(s) for s in seats]
        )
        who = np.flatnonzero(busy & self.pool.able[row])
        if not len(who):
            return False
        right = self.pool.right[row, who]
        best = int(who[np.argmax(right * 10 + self.directed.free_at[who] / 1e10)])
        return self._push(row, best, paged=False)

    def _can_wait(self, seat: Seat) -> bool:
        folder = seat.desk[0].folder
        return folder.arrival.due_at - self.play.now > self.policy.patience.total_seconds()

    def _page(self, row: int) -> None:
        now = self.play.now
        away = np.array([not s.on and not s.desk and not s.asked for s in self.play.seats])
        who = np.flatnonzero(away & self.by_paging & self.pool.able[row])
        reading = self.pool.reading[row]
        if not len(who) or now + reading > self.pool.owed[row]:
            return
        right = self.pool.right[row, who]
        self._push(row, int(who[np.argmax(right)]), paged=True)

    def _push(self, row: int, reader: int, *, paged: bool) -> bool:
        folder = self.rows[row]
        broad = not self.pool.right[row, reader]
        choice = Choice(row, reader, broad, 1.0, {})
        seat = self.play.seats[reader]
        made = self.play.offer(
            folder, seat, self.directed.explain(choice), broad=broad, paged=paged
        )
        if made:
            self.pool.drop(folder.arrival.accepted.case_id)
        return made

    def _strike_absent(self) -> None:
        """Whose shift began and who is not there will not come."""
        now = self.play.now
        while self._came < len(self._awaited) and self._awaited[self._came][0] <= now - 60:
            _, n = self._awaited[self._came]
            self._came += 1
            if not self.directed.present[n]:
                self.pool.rota.absent(n, now)

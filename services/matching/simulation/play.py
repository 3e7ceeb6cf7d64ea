"""How do weeks of cases go by? A heap of events, and the real decider for each case.

Nothing in here decides who may read or how a clock stands: every step goes through
`MATCHING.step`, with the same inputs as in the running service. Times are seconds since 1970.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop
from typing import Final

from services.matching.domain.decide import MATCHING
from services.matching.domain.fit import POLICY
from services.matching.domain.inputs import (
    AcceptOffer,
    Input,
    OfferCase,
    ReleaseAssignment,
    TakeCase,
)
from services.matching.domain.state import Matching, Open, Unfillable
from services.matching.simulation.floor import Floor
from services.matching.simulation.people import Folder, Player, Pushed, Reading, Seat
from services.matching.simulation.said import (
    assignment_of,
    clean,
    decline,
    delivered,
    differs,
    finalized,
    lognormal,
)
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.matching import (
    AssignmentOffered,
    Explanation,
    OfferExpired,
    PoolBroadened,
)
from shared.decider import Step

NO_REASON: Final = Explanation(score=0, terms=(), eligible=0, excluded=(), policy="baseline")
# What is offered so waits until its reader has read what they began.
UNHURRIED: Final = (NO_REASON.policy, POLICY)


@dataclass
class Play(Floor):
    """One world under one policy."""

    player: Player = field(init=False)

    def run(self, player: Player) -> None:
        """Let everything happen until every case was delivered."""
        self.player = player
        for folder in self.folders:
            self.at(folder.arrival.at, self._arrives, folder)
        for seat, traits in zip(self.seats, self.world.traits, strict=True):
            for begins, ends in traits.present:
                self.at(begins, self._comes, seat)
                self.at(ends, self._leaves, seat)
        self.at(self.world.cases[0].at if self.world.cases else 0.0, self._ticks)
        last = self._last()
        while self._heap and self._open and self._heap[0][0] < last:
            self.now, _, do, values = heappop(self._heap)
            do(*values)

    # what a policy may do

    def take(self, folder: Folder, seat: Seat, why: Explanation, *, broad: bool) -> bool:
        """Give a free reader a case that they asked for; False: the decider refused."""
        friction = self.world.scenario.friction
        if self._luck(folder) < friction.declines_next:
            self._say_no(folder, seat, why, broad=broad)
            return False
        step = self.submit(
            folder, TakeCase(case_id=self._id(folder), **self._who(seat, why), broad=broad)
        )
        if step.refused is not None:
            return False
        seat.rests = True  # until the app has shown it
        self.at(self.now + self.lag, self._begins, seat, folder)
        return True

    def offer(self, folder: Folder, seat: Seat, offer: Pushed) -> bool:
        """Push a case at a reader, who answers when they see it."""
        how = {name: getattr(offer, name) for name in ("broad", "paged", "until", "at_once")}
        known = {"case_id": self._id(folder), **self._who(seat, offer.why)}
        return self.propose(folder, seat, OfferCase.model_validate(known | how))

    def propose(self, folder: Folder, seat: Seat, received: OfferCase) -> bool:
        """Let the decider make an offer; who was asked answers when they see it."""
        step = self.submit(folder, received)
        made = next((one for one in step.events if isinstance(one, AssignmentOffered)), None)
        if made is not None:
            self._ponder(folder, seat, made, paged=received.paged)
        return made is not None

    def submit(self, folder: Folder, received: Input) -> Step[Matching, Event]:
        """Put an input to the case's decider, and see to what it wants to be asked again."""
        now = datetime.fromtimestamp(self.now, UTC)
        step = MATCHING.step(folder.state, received, now)
        folder.state = step.state
        if step.refused is not None:
            self.refused += 1
        for event in step.events:
            self._note(folder, event)
        rings = min((one.due_at for one in MATCHING.deadlines(step.state)), default=None)
        if rings is not None and rings.timestamp() != folder.rings_at:
            folder.rings_at = rings.timestamp()
            self.at(folder.rings_at, self._rings, folder, folder.rings_at)
        return step

    # what happens

    def _arrives(self, folder: Folder) -> None:
        self.submit(folder, folder.arrival.accepted)
        self.at(folder.arrival.opens_at, self._opens, folder)

    def _opens(self, folder: Folder) -> None:
        self.submit(folder, clean(folder.arrival.accepted))
        self.player.opened(folder)

    def _rings(self, folder: Folder, when: float) -> None:
        if folder.rings_at != when:
            return
        due_at = datetime.fromtimestamp(when, UTC)
        step = self.submit(
            folder, DeadlineReached(case_id=self._id(folder), kind="due", due_at=due_at)
        )
        forgiven = any(isinstance(one, PoolBroadened) for one in step.events)
        expired = any(isinstance(one, OfferExpired) for one in step.events)
        if expired or (forgiven and isinstance(folder.state.assignment, Open | Unfillable)):
            self.player.reopened(folder)

    def _comes(self, seat: Seat) -> None:
        seat.on = True
        self.player.came(seat)
        self._next(seat)

    def _leaves(self, seat: Seat) -> None:
        """End the shift: what was begun is read to its end, what was not goes back."""
        seat.on = False
        self.player.left(seat)
        while seat.queue:
            folder = seat.queue.pop()
            self.submit(
                folder,
                ReleaseAssignment(
                    case_id=self._id(folder),
                    assignment=assignment_of(folder.state),
                    reader=self.world.readers[seat.number].id,
                    reason="shift_ended",
                ),
            )
            self.player.reopened(folder)

    def _ticks(self) -> None:
        self.player.tick()
        self.at(self.now + self.player.every, self._ticks)

    def _begins(self, seat: Seat, folder: Folder) -> None:
        """Open a case; one that was open is set aside until this one is done."""
        seat.rests = False
        if seat.desk:
            current = seat.desk[-1]
            current.left -= self.now - current.since
            current.turn += 1
        right = folder.arrival.accepted.subspecialty in self._fields(seat)
        minutes = self.world.minutes(folder.arrival, seat.number, right=right)
        folder.reader = seat.number
        seat.desk.append(Reading(folder, minutes * 60))
        self._resumes(seat)

    def _resumes(self, seat: Seat) -> None:
        reading = seat.desk[-1]
        reading.since = self.now
        ends = self.now + reading.left
        self.at(ends, self._ends, seat, reading, reading.turn)
        self.player.began(seat, ends + sum(one.left for one in seat.desk[:-1]))

    def _ends(self, seat: Seat, reading: Reading, turn: int) -> None:
        if reading.turn != turn or not seat.desk or seat.desk[-1] is not reading:
            return
        seat.desk.pop()
        seat.read += 1
        right = reading.folder.arrival.accepted.subspecialty in self._fields(seat)
        took = self.world.minutes(reading.folder.arrival, seat.number, right=right) * 60
        seat.worked += took
        self._read(seat, reading.folder)
        if seat.desk:
            self._resumes(seat)
        else:
            seat.rests = True
            self.at(self.now + took * self.rest, self._rested, seat)

    def _read(self, seat: Seat, folder: Folder) -> None:
        """Sign, or ask for a third reader where the second opinion differs."""
        now = datetime.fromtimestamp(self.now, UTC)
        if folder.arrival.adjudicated and folder.number not in self.record.read:
            who = self.world.readers[seat.number].id
            assignment = assignment_of(folder.state)
            self.submit(folder, differs(folder.arrival.accepted, assignment, who, now))
            self.player.reopened(folder)
            return
        self.submit(folder, self._signed(folder, seat, now))
        later = self.world.scenario.deliver_minutes * 60
        self.at(self.now + later, self._arrived, folder)
        self.player.closed(folder)

    def _rested(self, seat: Seat) -> None:
        seat.rests = False
        self._next(seat)

    def _next(self, seat: Seat) -> None:
        if seat.desk or seat.rests:
            return
        if seat.queue:
            seat.queue.sort(key=lambda one: one.arrival.due_at)
            self._begins(seat, seat.queue.pop(0))
        elif seat.on:
            self.player.freed(seat)

    def _arrived(self, folder: Folder) -> None:
        now = datetime.fromtimestamp(self.now, UTC)
        self.submit(folder, delivered(folder.arrival.accepted, now))
        folder.delivered_at = self.now
        self._open -= 1

    # how people answer

    def _ponder(self, folder: Folder, seat: Seat, made: AssignmentOffered, *, paged: bool) -> None:
        friction = self.world.scenario.friction
        answers = friction.page_answers if paged else friction.answers
        median = friction.page_median_minutes if paged else friction.answer_median_minutes
        if self._luck(folder) >= answers:
            return
        wait = median * 60 * lognormal(self._luck(folder), friction.answer_sigma)
        self.at(self.now + wait, self._answers, folder, seat, made)

    def _answers(self, folder: Folder, seat: Seat, made: AssignmentOffered) -> None:
        """Answer an offer; who left meanwhile does not, and late answers are told so."""
        if not (seat.on or made.paged) or not self._stands(folder, made):
            return
        reader = self.world.readers[seat.number]
        if self._luck(folder) < self.world.scenario.friction.declines or len(seat.desk) > 1:
            self.submit(folder, decline(self._id(folder), made, "too_busy"))
            self.player.reopened(folder)
            return
        received = AcceptOffer(
            case_id=self._id(folder),
            assignment=made.assignment,
            reader=reader,
            load=seat.load - 1,
            work=self.tiring.work(seat.number, self.now),
        )
        if self.submit(folder, received).refused is None:
            self._taken_up(folder, seat, made)

    def _taken_up(self, folder: Folder, seat: Seat, made: AssignmentOffered) -> None:
        urgent = made.explanation.policy not in UNHURRIED
        if urgent and not seat.rests:
            self._begins(seat, folder)
        else:
            seat.queue.append(folder)
            self._next(seat)

    def _say_no(self, folder: Folder, seat: Seat, why: Explanation, *, broad: bool) -> None:
        """Decline what the app showed: it was offered, and never comes back to this reader."""
        received = OfferCase(case_id=self._id(folder), **self._who(seat, why), broad=broad)
        step = self.submit(folder, received)
        for made in step.events:
            if isinstance(made, AssignmentOffered):
                self.submit(folder, decline(self._id(folder), made, "other"))
                self.player.reopened(folder)

    def _signed(self, folder: Folder, seat: Seat, now: datetime) -> Input:
        who = self.world.readers[seat.number].id
        return finalized(folder.arrival.accepted, assignment_of(folder.state), who, now)

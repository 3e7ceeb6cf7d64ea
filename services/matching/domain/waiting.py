"""What does a round need of a case that waits for a reader, or for one more?"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.matching.domain.eligibility import Earlier, Question
from services.matching.domain.fit import Asking
from services.matching.domain.kind import Kind, kind_of
from services.matching.domain.need import Need
from services.matching.domain.state import Assignment, Offered, Open, Unfillable, searches
from shared.contracts.base import ReaderId


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that wants `room` more readers asked. `told`: the constraints named before.

    `seen_by` are those who have read the patient before; `beside` is the software that has it.
    `broad` and `paged`: a rung lets those beyond its field be asked, and those on call.
    """

    need: Need
    due_at: datetime
    room: int
    refused: frozenset[ReaderId]
    asked: frozenset[ReaderId]
    told: frozenset[str] | None
    offered: bool
    earlier: tuple[Earlier, ...] = ()
    seen_by: frozenset[ReaderId] = frozenset()
    beside: frozenset[ReaderId] = frozenset()
    broad: bool = False
    paged: bool = False
    kind: Kind = field(init=False, repr=False, compare=False)
    order: tuple[float, int] = field(init=False, repr=False, compare=False)
    parties: tuple[str | None, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what every round asks of it: most cases wait for many rounds."""
        need = self.need
        object.__setattr__(self, "kind", kind_of(need))
        object.__setattr__(self, "order", (self.due_at.timestamp(), need.slot.int))
        parties = (need.partner, need.first_reader, need.first_group)
        object.__setattr__(self, "parties", parties)

    def question(self, now: datetime) -> Question:
        return Question(self.need, self.refused, now, self.earlier, self.broad, self.paged)

    def narrow(self) -> "Waiting":
        """Give it as it is asked of those of its field who are on shift."""
        return replace(self, broad=False, paged=False) if self.broad or self.paged else self

    def nearer(self) -> Iterator["Waiting"]:
        """Give it as it is asked before all whom its rungs allow: nobody is paged in vain."""
        yield self.narrow()
        if self.broad and self.paged:
            yield replace(self, paged=False)

    def asking(self, now: datetime) -> Asking:
        return Asking(self.need, now, self.due_at, self.seen_by, self.asked)


def waiting(assignment: Assignment, due_at: datetime) -> tuple[Waiting, ...]:
    """Give what the round needs of a case, or each part of it; nothing where it wants nobody."""
    return tuple(
        asked_for(one, due_at)
        for one in searches(assignment)
        if isinstance(one, Open | Unfillable | Offered) and one.brief.room > 0
    )


def asked_for(assignment: Open | Unfillable | Offered, due_at: datetime) -> Waiting:
    """Give the same of a case that may have asked as many as it may."""
    brief = assignment.brief
    why = assignment.why if isinstance(assignment, Unfillable) else None
    return Waiting(
        need=brief.need,
        due_at=due_at,
        room=max(0, brief.room),
        refused=brief.refused,
        asked=frozenset(one.reader for one in brief.offers),
        told=None if why is None else frozenset(one.constraint for one in why),
        offered=isinstance(assignment, Offered),
        earlier=brief.earlier,
        beside=frozenset(one.reader for one in brief.beside),
        broad=brief.broad,
        paged=brief.paged,
    )

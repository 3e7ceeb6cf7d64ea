"""Who became free, and fits a case clearly better than somebody who was asked and is silent?

Looked at after a round, of what it left: the cases that still waited came first. What is found is
only proposed; the case's decider asks the rules and the policy's limits again.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np

from services.matching.domain.columns import Numbers
from services.matching.domain.crowd import FREE
from services.matching.domain.groups import Groups
from services.matching.domain.inputs import OutdoOffer
from services.matching.domain.outdoing import yielding
from services.matching.domain.picture import Picture
from services.matching.domain.plan import Planned, Scores, WhyOffered, offers, wishes_of
from services.matching.domain.policy import Better
from services.matching.domain.state import AskedReader, Assignment, Brief, Offered, searches
from services.matching.domain.waiting import Waiting, asked_for
from shared.contracts.base import ReaderId

# So many silent offers are compared with who became free, the most urgent first: a round must not
# take long for them. The others' turn comes with the next who becomes free.
MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Silent:
    """A case that has asked as many as it may, and none of them has answered."""

    case: Waiting
    brief: Brief


def silent(
    assignment: Assignment, due_at: datetime, seen_by: frozenset[ReaderId] = frozenset()
) -> tuple[Silent, ...]:
    """Give it, or its parts; not where nobody thinks, or one more may be asked anyway."""
    return tuple(
        Silent(replace(asked_for(one, due_at).narrow(), seen_by=seen_by), one.brief)
        for one in searches(assignment)
        if isinstance(one, Offered) and one.brief.room < 1
    )


def outdo(
    picture: Picture, cases: Collection[Silent], came: AbstractSet[ReaderId], limits: Better
) -> Iterator[OutdoOffer]:
    """Propose the better offers; `came` are those who were not free the last time."""
    now = picture.crowd.now
    some = [one for one in cases if yielding(one.brief, limits, now)]
    some.sort(key=lambda one: (one.case.due_at, one.case.need.slot))
    if some and came:
        yield from Rivals(picture, some[:MOST], came, limits).found()


@dataclass
class Rivals:
    """Who came, beside who is silent. `left`: the places that who came still has."""

    picture: Picture
    cases: list[Silent]
    came: AbstractSet[ReaderId]
    limits: Better
    left: Numbers = field(init=False)
    groups: Groups = field(init=False)
    numbers: list[int] = field(init=False)
    scores: Scores = field(init=False)

    def __post_init__(self) -> None:
        crowd = self.picture.crowd
        theirs = np.array([one.id in self.came for one in self.picture.staff.readers], bool)
        self.left = np.where(theirs & crowd.free, crowd.columns.capacity - crowd.loads, 0)
        waits = [one.case for one in self.cases]
        self.groups = Groups(self.picture)
        self.numbers = [self.groups.of(one) for one in waits]
        scoring = self.picture.scoring(waits[0].asking(crowd.now))
        wishes = wishes_of(waits, self.numbers, self.groups, scoring)
        self.scores = Scores(scoring, wishes)

    def found(self) -> Iterator[OutdoOffer]:
        so_far: Counter[int] = Counter()
        for row in range(len(self.cases)):
            if self.left.any():
                yield from self._better(row, so_far)

    def _better(self, row: int, so_far: Counter[int]) -> Iterator[OutdoOffer]:
        number = self.numbers[row]
        codes = self.groups.codes[number]
        free = np.flatnonzero(codes == FREE)
        here = free[self.left[free] > 0]
        old = self._weakest(row)
        if old is None or not len(here):
            return
        fits = self.scores.of(row, here)
        gain = float(fits.max()) - old[1]
        if gain < self.limits.by:
            return
        n = int(here[int(fits.argmax())])
        self.left[n] -= 1
        planned = Planned(row, self.cases[row].case, codes, [n])
        once = np.bincount([n], minlength=len(self.left))
        grounds = WhyOffered(self.picture, planned, self.scores, once)
        for made in offers(grounds, *self.groups.counts(number), so_far):
            yield OutdoOffer(
                **dict(made), instead_of=old[0].assignment, gain=gain, limits=self.limits
            )

    def _weakest(self, row: int) -> tuple[AskedReader, float] | None:
        """Give the offer that fits worst, and how well its reader fits without it."""
        index, one = self.picture.staff.index, self.cases[row]
        each = [
            (offer, float(self.scores.of(row, np.array([index[offer.reader]]), less=1)[0]))
            for offer in yielding(one.brief, self.limits, self.picture.crowd.now)
            if offer.reader in index
        ]
        return min(each, key=lambda pair: pair[1], default=None)

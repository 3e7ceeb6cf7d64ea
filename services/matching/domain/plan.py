"""Which open case is offered to whom? All cases and readers are weighed together, in rounds.

A round asks the rules of everybody at once (crowd.py), solves who gets what as an assignment
problem (spread.py), and says why of one picture of the pool (picture.py). What it proposes is no
more than an input: each case's decider asks all rules again.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import TypeAlias

import numpy as np

from services.matching.domain.columns import Numbers, Rows
from services.matching.domain.crowd import FREE, Codes, Crowd
from services.matching.domain.eligibility import Work, beyond
from services.matching.domain.fit import POLICY
from services.matching.domain.groups import Counts, Groups
from services.matching.domain.inputs import (
    NobodyFits,
    OfferCase,
    OutdoOffer,
    ReadBeside,
    ReaderWentOffline,
    SplitCase,
)
from services.matching.domain.picture import Picture
from services.matching.domain.reader import Reader
from services.matching.domain.reasons import Reasons
from services.matching.domain.scoring import Cases, Scoring, known
from services.matching.domain.spread import Solver, Spread, Wishes, solved, urgency
from services.matching.domain.staff import Staff, staffed
from services.matching.domain.timetable import OFF
from services.matching.domain.track import Track
from services.matching.domain.waiting import Waiting
from services.matching.domain.why import Considered
from shared.contracts.base import ReaderId
from shared.contracts.matching import Explanation

Proposal: TypeAlias = (
    OfferCase | OutdoOffer | ReadBeside | NobodyFits | SplitCase | ReaderWentOffline
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A case with who may read it, and the readers (by place) whom the round gave it."""

    row: int
    case: Waiting
    codes: Codes
    given: Sequence[int]


@dataclass(frozen=True, slots=True)
class Scores:
    """How well readers fit a case, at what they held before the round."""

    scoring: Scoring
    wishes: Wishes

    def of(self, row: int, readers: Rows, less: int = 0) -> Numbers:
        """Give the scores of readers for a case, at `less` cases than they hold."""
        scoring, wishes = self.scoring, self.wishes
        loads = np.maximum(scoring.crowd.loads[readers] - less, 0)
        own = scoring.of_pairs(wishes.cases, np.full(len(readers), row), readers, loads)
        shared = wishes.kinds[wishes.kind[wishes.group[row]], readers]
        return np.asarray(shared + scoring.slack(readers, loads) + own)


@dataclass(frozen=True, slots=True, eq=False)
class WhyOffered(Reasons):
    """Why a case is offered so: the best who may read it, and `given`, what each was given."""

    picture: Picture
    planned: Planned
    scores: Scores
    given: Rows

    def written(self) -> Considered:
        picture, one, now = self.picture, self.planned, self.picture.crowd.now
        asking = one.case.asking(now)
        fits = self.scores.of(one.row, np.flatnonzero(one.codes == FREE))
        best = picture.best(one.codes, one.given, fits)
        shown = [picture.scored(asking, n, int(self.given[n])) for n in best]
        return picture.considered(one.case.question(now), asking, shown)


@dataclass(frozen=True, slots=True, eq=False)
class WhyNobody(Reasons):
    """Why nobody fits, after the round: whoever may read the case was given others."""

    later: Picture
    case: Waiting

    def written(self) -> Considered:
        now = self.later.crowd.now
        return self.later.considered(self.case.question(now), self.case.asking(now))


@dataclass
class Round:
    """One round over a roster. `free` and `loads` are, after the plan, as its offers leave them.

    `thorough`: ask again why nobody fits where a reason was told before. `version` is the digest
    of the roster, and `staff` what was worked out of that version before, if anything.
    """

    roster: Mapping[ReaderId, Reader]
    loads: Mapping[ReaderId, int]
    now: datetime
    thorough: bool = True
    work: Mapping[ReaderId, Work] = field(default_factory=dict)
    away: AbstractSet[ReaderId] = frozenset()
    version: str = ""
    tracks: Mapping[ReaderId, Track] = field(default_factory=dict)
    staff: Staff | None = None
    solver: Solver = solved

    def __post_init__(self) -> None:
        staff = self.staff or staffed(self.roster)
        crowd = Crowd.of(staff.columns, self.now).busy(self.loads, self.work, self.away)
        self._picture = Picture(staff, crowd, self.version, self.tracks)
        self.later = self._picture  # as the plan leaves it
        self.free = _free(crowd)

    def plan(self, cases: Collection[Waiting]) -> Iterator[Proposal]:
        """Give what to propose, the most urgent cases first."""
        if not cases:
            return
        groups = Groups(self._picture)
        steps = [groups.nearest(one) for one in sorted(cases, key=attrgetter("order"))]
        ordered, numbers = [one for one, _ in steps], [number for _, number in steps]
        scoring = self._picture.scoring(ordered[0].asking(self.now))
        wishes = wishes_of(ordered, numbers, groups, scoring)
        given = Spread(scoring, self.solver).over(wishes)
        self._close(given)
        scores = Scores(scoring, wishes)
        so_far: Counter[int] = Counter()
        for row, (case, number, readers) in enumerate(zip(ordered, numbers, given, strict=True)):
            if readers:
                planned = Planned(row, case, groups.codes[number], readers)
                grounds = WhyOffered(self._picture, planned, scores, self.given)
                yield from offers(grounds, *groups.counts(number), so_far)
            elif not case.offered and (self.thorough or case.told is None):
                why = groups.nobody(number, self.later)
                if case.told is None or case.told != {one.constraint for one in why}:
                    reasons = WhyNobody(self.later, case)
                    name, part = case.need.case_id, case.need.part
                    yield NobodyFits(case_id=name, why=why, considered=reasons, part=part)

    def _close(self, given: Sequence[Sequence[int]]) -> None:
        """Take note of what everybody holds after the round."""
        taken = np.array([n for some in given for n in some], np.intp)
        self.given = np.bincount(taken, minlength=len(self._picture.staff.readers))
        self.later = self._picture.after(self.given)
        self.free = _free(self.later.crowd)
        self.loads = self.later.loads


def offers(
    grounds: WhyOffered, excluded: Counts, eligible: int, so_far: Counter[int]
) -> Iterator[OfferCase]:
    """Offer a case to each who was given it. `so_far`: what each was given before it."""
    picture, one = grounds.picture, grounds.planned
    asking = one.case.asking(picture.crowd.now)
    for n in one.given:
        candidate, (score, terms) = picture.candidate(n), picture.told(asking, n)
        yield OfferCase(
            case_id=one.case.need.case_id,
            reader=candidate.reader,
            load=candidate.load + so_far[n],
            work=candidate.work,
            explanation=Explanation(
                score=score,
                terms=terms,
                eligible=eligible,
                excluded=excluded,
                policy=POLICY,
            ),
            considered=grounds,
            broad=one.case.broad and beyond(one.case.need, candidate.reader),
            paged=one.case.paged and picture.crowd.began[n] == OFF,
            part=one.case.need.part,
        )
        so_far[n] += 1


def wishes_of(
    cases: Sequence[Waiting], numbers: Sequence[int], groups: Groups, scoring: Scoring
) -> Wishes:
    """Give what the cases wish for, whose groups have these numbers."""
    alike: dict[tuple[object, ...], int] = {}
    kinds = [alike.setdefault(one.kind.alike, len(alike)) for one in groups.first]
    needs = {n: one.need for n, one in zip(kinds, groups.first, strict=True)}
    group, now = np.array(numbers, np.intp), groups.picture.crowd.now
    slack = np.array([one.order[0] for one in cases]) - now.timestamp()
    return Wishes(
        group=group,
        may=np.array(groups.codes) == FREE,
        kind=np.array(kinds, np.intp),
        kinds=np.array([scoring.of_kind(needs[n]) for n in range(len(alike))]),
        cases=Cases(
            np.maximum(slack, 0) / 3600,
            np.array([one.kind.rvu for one in groups.first])[group],
            *known([one.seen_by for one in cases], scoring.columns),
        ),
        room=np.array([one.room for one in cases], np.intp),
        urgency=urgency(slack),
    )


def _free(crowd: Crowd) -> set[ReaderId]:
    return {crowd.columns.readers[n].id for n in np.flatnonzero(crowd.free)}

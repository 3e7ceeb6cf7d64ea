"""Which open case is offered to whom? All cases and readers are weighed together, in rounds.

A round asks the rules of everybody at once (crowd.py), solves who gets what as an assignment
problem (spread.py), and says why of one picture of the pool (picture.py). What it proposes is no
more than an input: each case's decider asks all rules again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

import numpy as np

from services.matching.domain.columns import Mask, Numbers, Rows
from services.matching.domain.crowd import FREE, Codes, Crowd
from services.matching.domain.eligibility import Earlier, Question, Work
from services.matching.domain.fit import POLICY, Asking
from services.matching.domain.inputs import (
    NobodyFits,
    OfferCase,
    OutdoOffer,
    ReadBeside,
    ReaderWentOffline,
    SplitCase,
)
from services.matching.domain.need import Need
from services.matching.domain.picture import Picture
from services.matching.domain.policy import DIRECTED
from services.matching.domain.reader import Reader
from services.matching.domain.scoring import Cases, Scoring, alike
from services.matching.domain.spread import Solver, Spread, Wishes, solved
from services.matching.domain.staff import Staff, staffed
from services.matching.domain.state import Assignment, Offered, Open, Unfillable, searches
from services.matching.domain.track import Track
from shared.contracts.base import ReaderId
from shared.contracts.matching import Explanation

Proposal: TypeAlias = (
    OfferCase | OutdoOffer | ReadBeside | NobodyFits | SplitCase | ReaderWentOffline
)
# The slack at which urgency is half of what it is at the deadline; it grows on beyond that.
HALF: Final = DIRECTED.urgent_within.total_seconds()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that wants `room` more readers asked. `told`: the constraints named before.

    `seen_by` are those who have read the patient before; `beside` is the software that has it.
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
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """A case with who may read it, and the readers (by place) whom the round gave it."""

    row: int
    case: Waiting
    question: Question
    asking: Asking
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
        shared = wishes.kinds[wishes.kind[row], readers]
        return np.asarray(shared + scoring.slack(readers, loads) + own)


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
        ordered = sorted(cases, key=lambda one: (one.due_at, one.need.slot))
        questions = [Question(one.need, one.refused, self.now, one.earlier) for one in ordered]
        askings = [one.asking(self.now) for one in ordered]
        codes = [
            self._picture.codes(question, one.asked)
            for question, one in zip(questions, ordered, strict=True)
        ]
        scoring = Scoring(self._picture.crowd, askings[0], self.tracks)
        wishes = wishes_of(ordered, askings, np.array(codes) == FREE, scoring)
        given = Spread(scoring, self.solver).over(wishes)
        each = map(Planned, range(len(ordered)), ordered, questions, askings, codes, given)
        yield from self._proposals(each, given, Scores(scoring, wishes))

    def _proposals(
        self, each: Iterable[Planned], given: Sequence[Sequence[int]], scores: Scores
    ) -> Iterator[Proposal]:
        columns = self._picture.staff.columns
        taken = np.array([n for some in given for n in some], np.intp)
        total = np.bincount(taken, minlength=len(columns.readers))
        self.later = self._picture.after(total)
        self.free = _free(self.later.crowd)
        self.loads = self.later.loads
        so_far: Counter[int] = Counter()
        for one in each:
            if one.given:
                fits = scores.of(one.row, np.flatnonzero(one.codes == FREE))
                yield from offers(self._picture, one, fits, total, so_far)
            elif not one.case.offered and (self.thorough or one.case.told is None):
                yield from _nobody(one, self.later)


def offers(
    picture: Picture, planned: Planned, fits: Numbers, total: Rows, so_far: Counter[int]
) -> Iterator[OfferCase]:
    """Say why each was given the case. `fits`: how well those fit whom nothing excludes."""
    best = picture.best(planned.codes, planned.given, fits)
    shown = [picture.scored(planned.asking, n, int(total[n])) for n in best]
    considered = picture.considered(planned.question, planned.asking, shown)
    excluded = picture.counts(planned.codes)
    for n in planned.given:
        candidate, fit = picture.candidate(n), shown[best.index(n)]
        yield OfferCase(
            case_id=planned.case.need.case_id,
            reader=candidate.reader,
            load=candidate.load + so_far[n],
            work=candidate.work,
            explanation=Explanation(
                score=fit.score,
                terms=fit.terms,
                eligible=len(fits),
                excluded=excluded,
                policy=POLICY,
            ),
            considered=considered,
            part=planned.case.need.part,
        )
        so_far[n] += 1


def wishes_of(
    cases: Sequence[Waiting], askings: Sequence[Asking], may: Mask, scoring: Scoring
) -> Wishes:
    numbers: dict[tuple[object, ...], int] = {}
    now = askings[0].now
    kinds = [numbers.setdefault(alike(one.need), len(numbers)) for one in cases]
    needs = {n: one.need for n, one in zip(kinds, cases, strict=True)}
    return Wishes(
        may=may,
        kind=np.array(kinds, np.intp),
        kinds=np.array([scoring.of_kind(needs[n]) for n in range(len(numbers))]),
        cases=Cases.of(askings, scoring.columns),
        room=np.array([one.room for one in cases], np.intp),
        urgency=_urgency(np.array([(one.due_at - now).total_seconds() for one in cases])),
    )


def _nobody(planned: Planned, later: Picture) -> Iterator[NobodyFits]:
    """Say why, after the round: whoever may read the case was given others."""
    case, why = planned.case, later.counts(planned.codes, all_taken=True)
    if case.told is None or case.told != {one.constraint for one in why}:
        considered = later.considered(planned.question, planned.asking)
        yield NobodyFits(
            case_id=case.need.case_id, why=why, considered=considered, part=case.need.part
        )


def _free(crowd: Crowd) -> set[ReaderId]:
    return {crowd.columns.readers[n].id for n in np.flatnonzero(crowd.free)}


def _urgency(slack: Numbers) -> Numbers:
    """Give 1 at the deadline, less the more time is left, and up to 2 the longer it is over."""
    late = np.maximum(-slack, 0)
    return np.asarray(HALF / (HALF + np.maximum(slack, 0)) + late / (HALF + late))

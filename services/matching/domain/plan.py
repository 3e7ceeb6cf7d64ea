"""Which open case is offered to whom? Earliest deadline first, the best fit for each.

A round looks at every waiting case and every reader. What many cases share (modality, field,
licence) is asked once per kind of case and not once per case, and who is free is a set that
shrinks as the round goes on, so a round over thousands of waiting cases stays short.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest
from typing import Final, TypeAlias

from services.matching.domain.eligibility import (
    BY_SCOPE,
    CONSTRAINTS,
    NEVER_MAY,
    Candidate,
    Question,
    barred,
)
from services.matching.domain.fit import explain, score
from services.matching.domain.inputs import NobodyFits, OfferCase, ReaderWentOffline
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from services.matching.domain.state import Assigned, Assignment, Offered, Open, Paused, Unfillable
from shared.contracts.base import CaseId, ReaderId
from shared.contracts.matching import Ineligible

Proposal: TypeAlias = OfferCase | NobodyFits | ReaderWentOffline
Skill: TypeAlias = tuple[object, ...]
Index: TypeAlias = defaultdict[str, set[ReaderId]]
RANK: Final = {one.name: n for n, one in enumerate(CONSTRAINTS)}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that wants `room` more readers asked. `told`: the constraints named before."""

    need: Need
    due_at: datetime
    room: int
    refused: frozenset[ReaderId]
    asked: frozenset[ReaderId]
    told: frozenset[str] | None
    offered: bool


def waiting(assignment: Assignment, due_at: datetime) -> Waiting | None:
    """Give what the round needs of a case; None where it wants nobody."""
    if not isinstance(assignment, Open | Unfillable | Offered) or assignment.brief.room < 1:
        return None
    brief = assignment.brief
    why = assignment.why if isinstance(assignment, Unfillable) else None
    return Waiting(
        need=brief.need,
        due_at=due_at,
        room=brief.room,
        refused=brief.refused,
        asked=frozenset(one.reader for one in brief.offers),
        told=None if why is None else frozenset(one.constraint for one in why),
        offered=isinstance(assignment, Offered),
    )


@dataclass(frozen=True, slots=True)
class Able:
    """The readers whose skills fit a kind of case, and how many each constraint excluded."""

    readers: frozenset[ReaderId]
    excluded: Counter[str]


@dataclass
class Round:
    """One round over a roster. `free` and `loads` change as offers are planned.

    `thorough`: ask again why nobody fits where a reason was told before. It costs a look at each
    reader for each such case, so only some rounds do.
    """

    roster: Mapping[ReaderId, Reader]
    loads: dict[ReaderId, int]
    now: datetime
    thorough: bool = True
    off_shift: set[ReaderId] = field(init=False)
    free: set[ReaderId] = field(init=False)
    _able: dict[Skill, Able] = field(default_factory=dict, init=False)
    _named: Index = field(default_factory=lambda: defaultdict(set), init=False)
    _grouped: Index = field(default_factory=lambda: defaultdict(set), init=False)

    def __post_init__(self) -> None:
        self.off_shift = {r.id for r in self.roster.values() if not r.on_shift(self.now)}
        on_shift = self.roster.keys() - self.off_shift
        self.free = {one for one in on_shift if self._load(one) < self.roster[one].capacity}
        for one in self.roster.values():
            for name in (one.id, *one.identifiers):
                self._named[name].add(one.id)
            for group in one.groups:
                self._grouped[group].add(one.id)

    def plan(self, cases: Collection[Waiting]) -> Iterator[Proposal]:
        for case in sorted(cases, key=lambda one: (one.due_at, one.need.case_id)):
            offers = self._offers(case)
            yield from offers
            if not offers and not case.offered and (self.thorough or case.told is None):
                yield from self._nobody(case)

    def _offers(self, case: Waiting) -> list[OfferCase]:
        able = self._able_for(case.need)
        free = (able.readers & self.free) - case.asked - case.refused - self._conflicted(case.need)
        if not free:
            return []
        fitting = map(self._candidate, free)
        best = nlargest(case.room, fitting, key=lambda c: (score(case.need, c), c.reader.id))
        excluded = self._excluded(case, able)
        return [self._offer(case, one, len(free), excluded) for one in best]

    def _offer(
        self, case: Waiting, one: Candidate, eligible: int, excluded: Sequence[Ineligible]
    ) -> OfferCase:
        reader = one.reader
        self.loads[reader.id] = one.load + 1
        if one.load + 1 >= reader.capacity:
            self.free.discard(reader.id)
        explanation = explain(case.need, one, eligible, excluded)
        return OfferCase(
            case_id=case.need.case_id, reader=reader, load=one.load, explanation=explanation
        )

    def _nobody(self, case: Waiting) -> Iterator[NobodyFits]:
        why = self._excluded(case, self._able_for(case.need))
        if case.told is None or case.told != {one.constraint for one in why}:
            yield NobodyFits(case_id=case.need.case_id, why=why)

    def _able_for(self, need: Need) -> Able:
        skill = _skill(need)
        if skill not in self._able:
            self._able[skill] = self._ask(need)
        return self._able[skill]

    def _ask(self, need: Need) -> Able:
        question = Question(need, frozenset(), self.now)
        readers, excluded = set(), Counter[str]()
        for reader_id in self.roster:
            by = barred(question, self._candidate(reader_id), BY_SCOPE["skill"])
            if by is None:
                readers.add(reader_id)
            else:
                excluded[by.name] += 1
        return Able(frozenset(readers), excluded)

    def _conflicted(self, need: Need) -> set[ReaderId]:
        """Give whom the rules about the first read exclude, by index and not reader by reader."""
        return self._first_reader(need) | self._first_group(need)

    def _first_reader(self, need: Need) -> set[ReaderId]:
        return self._named.get(need.first_reader or "", set())

    def _first_group(self, need: Need) -> set[ReaderId]:
        return self._grouped.get(need.first_group or "", set())

    def _excluded(self, case: Waiting, able: Able) -> tuple[Ineligible, ...]:
        """Count who is excluded by what, each reader under the first constraint of the table."""
        counts = Counter(able.excluded)
        left = able.readers - case.asked
        for name, excluded in (
            ("first_reader", self._first_reader(case.need)),
            ("first_group", self._first_group(case.need)),
            ("asked_before", case.refused),
            ("on_shift", self.off_shift),
        ):
            counts[name] = len(left & excluded)
            left -= excluded
        counts["capacity"] = len(left - self.free)
        named = sorted((name for name, n in counts.items() if n), key=RANK.__getitem__)
        return tuple(Ineligible(constraint=name, readers=counts[name]) for name in named)

    def _candidate(self, reader_id: ReaderId) -> Candidate:
        return Candidate(self.roster[reader_id], self._load(reader_id))

    def _load(self, reader_id: ReaderId) -> int:
        return self.loads.get(reader_id, 0)


def _skill(need: Need) -> Skill:
    """Give all of a need that the constraints of scope `skill` look at."""
    kind = (need.subspecialty, need.pediatric, need.obstetric, need.fellowship)
    return (need.modalities, need.jurisdiction, *kind)


@dataclass(frozen=True, slots=True)
class Held:
    """A case that a reader holds: offered, or accepted."""

    need: Need
    reader: ReaderId
    accepted: bool


def held(assignment: Assignment) -> Iterator[Held]:
    if isinstance(assignment, Paused):
        yield from held(assignment.then)
    elif isinstance(assignment, Offered):
        for one in assignment.brief.offers:
            yield Held(assignment.brief.need, one.reader, accepted=False)
    elif isinstance(assignment, Assigned):
        yield Held(assignment.brief.need, assignment.reader, accepted=True)


def recalls(
    holdings: Sequence[Held], roster: Mapping[ReaderId, Reader], now: datetime
) -> Iterator[ReaderWentOffline]:
    """Take back what its reader may not hold any more: rosters change, licences end.

    An offer goes by every rule but the load, which it is part of; an accepted case only by the
    rules without which nobody may read at all.
    """
    for one in holdings:
        rules = NEVER_MAY if one.accepted else _BUT_LOAD
        reader = roster.get(one.reader)
        question = Question(one.need, frozenset(), now)
        by = NEVER_MAY[0] if reader is None else barred(question, Candidate(reader, 0), rules)
        if by is not None:
            yield ReaderWentOffline(
                case_id=CaseId(one.need.case_id), reader=one.reader, reason=by.name
            )


_BUT_LOAD: Final = tuple(one for one in CONSTRAINTS if one.name != "capacity")

"""Which open case is offered to whom? Earliest deadline first, the best fit for each.

A round looks at every waiting case and every reader. What many cases share (modality, field,
licence) is asked once per kind of case and not once per case, and who is free is a set that
shrinks as the round goes on, so a round over thousands of waiting cases stays short.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest
from typing import Final, TypeAlias

from services.matching.domain.eligibility import (
    BY_SCOPE,
    CONSTRAINTS,
    RESTED,
    Candidate,
    Earlier,
    Question,
    Work,
    barred,
    fatigue_rvu,
)
from services.matching.domain.fit import Asking, explain, score
from services.matching.domain.inputs import NobodyFits, OfferCase, ReaderWentOffline
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from services.matching.domain.staff import Skill, skill
from services.matching.domain.state import Assignment, Offered, Open, Unfillable
from services.matching.domain.track import UNTRIED, Track
from services.matching.domain.why import SHOWN, Considered, consider
from shared.contracts.base import ReaderId
from shared.contracts.matching import Ineligible

Proposal: TypeAlias = OfferCase | NobodyFits | ReaderWentOffline
Index: TypeAlias = defaultdict[str, set[ReaderId]]
RANK: Final = {one.name: n for n, one in enumerate(CONSTRAINTS)}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that wants `room` more readers asked. `told`: the constraints named before.

    `seen_by` are those who have read the patient before.
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

    def asking(self, now: datetime) -> Asking:
        return Asking(self.need, now, self.due_at, self.seen_by, self.asked)


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
        earlier=brief.earlier,
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
    reader for each such case, so only some rounds do. `version` is the digest of the roster.
    """

    roster: Mapping[ReaderId, Reader]
    loads: dict[ReaderId, int]
    now: datetime
    thorough: bool = True
    work: Mapping[ReaderId, Work] = field(default_factory=dict)
    away: AbstractSet[ReaderId] = frozenset()
    version: str = ""
    tracks: Mapping[ReaderId, Track] = field(default_factory=dict)
    off_shift: set[ReaderId] = field(init=False)
    free: set[ReaderId] = field(init=False)
    _able: dict[Skill, Able] = field(default_factory=dict, init=False)
    _named: Index = field(default_factory=lambda: defaultdict(set), init=False)
    _grouped: Index = field(default_factory=lambda: defaultdict(set), init=False)
    _staff: Index = field(default_factory=lambda: defaultdict(set), init=False)
    _averse: Index = field(default_factory=lambda: defaultdict(set), init=False)

    def __post_init__(self) -> None:
        self.off_shift = {r.id for r in self.roster.values() if not r.on_shift(self.now)}
        self._tired = {
            "fatigue_hours": {r.id for r in self.roster.values() if r.overdue(self.now)},
            "fatigue_cases": {one for one, done in self.work.items() if self._full(one, done)},
        }
        fit = self.roster.keys() - self.off_shift - self.away
        fit = fit.difference(*self._tired.values())
        self.free = {one for one in fit if self._load(one) < self.roster[one].capacity}
        self._capped = {one.id for one in self.roster.values() if one.caps.rvu is not None}
        for one in self.roster.values():
            for index, names in (
                (self._named, (one.id, *one.identifiers)),
                (self._grouped, one.groups),
                (self._staff, one.staff_of),
                (self._averse, one.conflicts),
            ):
                for name in names:
                    index[name].add(one.id)

    def _full(self, reader_id: ReaderId, done: Work) -> bool:
        reader = self.roster.get(reader_id)
        return reader is not None and reader.caps.reached(done.cases)

    def plan(self, cases: Collection[Waiting]) -> Iterator[Proposal]:
        for case in sorted(cases, key=lambda one: (one.due_at, one.need.case_id)):
            offers = self._offers(case)
            yield from offers
            if not offers and not case.offered and (self.thorough or case.told is None):
                yield from self._nobody(case)

    def _offers(self, case: Waiting) -> list[OfferCase]:
        able = self._able_for(case.need)
        free = (able.readers & self.free) - case.asked - case.refused
        free = free.difference(*self._conflicted(case).values())
        free -= self._overworked(case.need, free)
        if not free:
            return []
        fitting = map(self._candidate, free)
        asking = case.asking(self.now)
        ranked = nlargest(
            max(case.room, SHOWN), fitting, key=lambda c: (score(asking, c), c.reader.id)
        )
        excluded = self._excluded(case, able)
        considered = self._considered(case, able, ranked)
        best = ranked[: case.room]
        return [self._offer(case, one, len(free), excluded, considered) for one in best]

    def _considered(self, case: Waiting, able: Able, best: Sequence[Candidate] = ()) -> Considered:
        question = Question(case.need, case.refused, self.now, case.earlier)
        near = map(self._candidate, sorted(able.readers))
        return consider(question, near, best, self.version, case.asking(self.now))

    def _offer(
        self,
        case: Waiting,
        one: Candidate,
        eligible: int,
        excluded: Sequence[Ineligible],
        considered: Considered,
    ) -> OfferCase:
        reader = one.reader
        self.loads[reader.id] = one.load + 1
        if one.load + 1 >= reader.capacity:
            self.free.discard(reader.id)
        explanation = explain(case.asking(self.now), one, eligible, excluded)
        return OfferCase(
            case_id=case.need.case_id,
            reader=reader,
            load=one.load,
            work=one.work,
            explanation=explanation,
            considered=considered,
        )

    def _nobody(self, case: Waiting) -> Iterator[NobodyFits]:
        able = self._able_for(case.need)
        why = self._excluded(case, able)
        if case.told is None or case.told != {one.constraint for one in why}:
            considered = self._considered(case, able)
            yield NobodyFits(case_id=case.need.case_id, why=why, considered=considered)

    def _able_for(self, need: Need) -> Able:
        key = skill(need)
        if key not in self._able:
            self._able[key] = self._ask(need)
        return self._able[key]

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

    def _conflicted(self, case: Waiting) -> dict[str, set[ReaderId]]:
        """Give whom the case's own rules exclude, by index and not reader by reader."""
        need, earlier = case.need, case.earlier
        first_reader, first_group = need.first_reader or "", need.first_group or ""
        read = {one.reader for one in earlier}
        with_them = [self._among(self._grouped, group) for one in earlier for group in one.groups]
        parties = (need.partner, first_reader, first_group)
        staff = self._among(self._staff, need.partner) if need.rules.excludes_own_staff else set()
        return {
            "own_staff": staff,
            "first_reader": self._among(self._named, first_reader),
            "first_group": self._among(self._grouped, first_group),
            "earlier_reader": read.union(*with_them),
            "conflict": set[ReaderId]().union(*(self._among(self._averse, p) for p in parties)),
        }

    def _among(self, index: Index, name: str) -> set[ReaderId]:
        return index.get(name, set())

    def _overworked(self, need: Need, readers: AbstractSet[ReaderId]) -> set[ReaderId]:
        """Give those whose cap of RVU this case would break."""
        question = Question(need, frozenset(), self.now)
        capped = readers & self._capped
        return {one for one in capped if not fatigue_rvu(question, self._candidate(one))}

    def _excluded(self, case: Waiting, able: Able) -> tuple[Ineligible, ...]:
        """Count who is excluded by what, each reader under the first constraint of the table."""
        counts = Counter(able.excluded)
        left = able.readers - case.asked
        own = {**self._conflicted(case), "asked_before": case.refused, "on_shift": self.off_shift}
        tired = {**self._tired, "fatigue_rvu": self._overworked(case.need, left)}
        for name, excluded in {**own, "available": self.away, **tired}.items():
            counts[name] = len(left & excluded)
            left -= excluded
        counts["capacity"] = len(left - self.free)
        named = sorted((name for name, n in counts.items() if n), key=RANK.__getitem__)
        return tuple(Ineligible(constraint=name, readers=counts[name]) for name in named)

    def _candidate(self, reader_id: ReaderId) -> Candidate:
        work, away = self.work.get(reader_id, RESTED), reader_id in self.away
        track = self.tracks.get(reader_id, UNTRIED)
        return Candidate(self.roster[reader_id], self._load(reader_id), work, away, track)

    def _load(self, reader_id: ReaderId) -> int:
        return self.loads.get(reader_id, 0)

"""How did everybody look to a round, and why is a case offered so, or to nobody?

All decisions of a round are made of one picture. What the cases of a kind share (who may read
them, how busy those are, what they score) is worked out once and shared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np

from services.matching.domain.columns import Numbers, Rows
from services.matching.domain.crowd import FREE, RANK, Codes, Crowd, barriers, tied
from services.matching.domain.eligibility import CONSTRAINTS, RESTED, Candidate, Question, Work
from services.matching.domain.fit import TERMS, Asking, Term, shown
from services.matching.domain.scoring import alike
from services.matching.domain.staff import Skill, Staff, skill
from services.matching.domain.track import UNTRIED, Track
from services.matching.domain.why import SHOWN, Considered, Near, Scored, busy, considered
from shared.contracts.base import CaseId, ReaderId
from shared.contracts.matching import Ineligible, ScoreTerm

ASKED: Final = 126  # the code of who thinks about it already
SKILLS: Final = sum(one.scope == "skill" for one in CONSTRAINTS)
CAPACITY: Final = RANK["capacity"]


Shared: TypeAlias = tuple[list[tuple[int, Term]], list[float], list[ScoreTerm]]


@dataclass
class Picture:
    """A roster and what its readers hold, as one round sees them; `version` is its digest."""

    staff: Staff
    crowd: Crowd
    version: str
    tracks: Mapping[ReaderId, Track]
    _keys: dict[CaseId, Skill] = field(default_factory=dict)
    _kinds: dict[Skill, Codes] = field(default_factory=dict, init=False)
    _each: dict[int, Near] = field(default_factory=dict, init=False)
    _near: dict[Skill, tuple[Near, ...]] = field(default_factory=dict, init=False)
    _candidates: dict[int, Candidate] = field(default_factory=dict, init=False)
    _shared: dict[tuple[object, ...], Shared] = field(default_factory=dict, init=False)
    _counted: dict[tuple[int, int], Ineligible] = field(default_factory=dict, init=False)

    def after(self, given: Rows) -> "Picture":
        """Give the picture in which each reader holds so many cases more."""
        crowd = replace(self.crowd, loads=self.crowd.loads + given)
        return Picture(self.staff, crowd, self.version, self.tracks, self._keys)

    @property
    def loads(self) -> dict[ReaderId, int]:
        """Give how many cases each reader holds who holds any."""
        held = self.crowd.loads
        return {self.staff.readers[n].id: int(held[n]) for n in np.flatnonzero(held)}

    def codes(self, question: Question, asked: Iterable[ReaderId] = ()) -> Codes:
        """Give the place of the first constraint that excludes each reader, FREE or ASKED."""
        codes = self._kind(question).copy()
        for place, rows in tied(question, self.staff.columns):
            codes[rows] = np.minimum(codes[rows], place)
        for name in asked:
            n = self.staff.index.get(name)
            if n is not None and codes[n] >= SKILLS:
                codes[n] = ASKED
        return codes

    def counts(self, codes: Codes, *, all_taken: bool = False) -> tuple[Ineligible, ...]:
        """Count who is excluded by what. `all_taken`: nobody whom nothing excluded has room."""
        found = np.bincount(codes, minlength=FREE + 1)
        if all_taken:
            found[CAPACITY] += found[FREE]
        named = np.flatnonzero(found[:ASKED])
        return tuple(self._count(int(n), int(found[n])) for n in named)

    def best(self, codes: Codes, chosen: Sequence[int], fits: Numbers) -> list[int]:
        """Give the readers whose scores are kept: who is chosen, and the best of the others.

        `fits`: how well those fit whom nothing excludes, in their order.
        """
        may = np.flatnonzero(codes == FREE)[np.argsort(-fits, kind="stable")].tolist()
        others = [n for n in may[: SHOWN + len(chosen)] if n not in chosen]
        kept = {*others[: max(0, SHOWN - len(chosen))], *chosen}
        return [n for n in may if n in kept]

    def considered(
        self, question: Question, asking: Asking, scores: Sequence[Scored] = ()
    ) -> Considered:
        return considered(question, self._busy(question), tuple(scores), self.version, asking)

    def scored(self, asking: Asking, n: int, given: int) -> Scored:
        """Say what why.scored says; what cases alike share of it is worked out once."""
        candidate, (own, weighed, told) = self.candidate(n), self._terms(asking, n)
        weighed, told = weighed.copy(), told.copy()
        for place, term in own:
            value = term.value(asking, candidate)
            weighed[place], told[place] = term.weight * value, shown(term, value)
        return Scored(
            reader=candidate.reader.id,
            load=candidate.load,
            track=candidate.track,
            score=round(sum(weighed), 4),
            terms=tuple(told),
            given=given,
        )

    def _terms(self, asking: Asking, n: int) -> Shared:
        """Give the terms that are each case's own, and all as this case weighs and shows them."""
        key = (*alike(asking.need), n)
        if key not in self._shared:
            candidate = self.candidate(n)
            values = [(term, term.value(asking, candidate)) for term in TERMS]
            self._shared[key] = (
                [(place, term) for place, term in enumerate(TERMS) if term.scope == "case"],
                [term.weight * value for term, value in values],
                [shown(term, value) for term, value in values],
            )
        return self._shared[key]

    def candidate(self, n: int) -> Candidate:
        if n not in self._candidates:
            self._candidates[n] = self._candidate(n)
        return self._candidates[n]

    def _candidate(self, n: int) -> Candidate:
        crowd, reader = self.crowd, self.staff.readers[n]
        work = Work(cases=int(crowd.cases[n]), rvu=float(crowd.rvu[n]))
        return Candidate(
            reader,
            int(crowd.loads[n]),
            RESTED if work == RESTED else work,
            bool(crowd.away[n]),
            self.tracks.get(reader.id, UNTRIED),
        )

    def _key(self, question: Question) -> Skill:
        slot = question.need.slot
        if slot not in self._keys:
            self._keys[slot] = skill(question.need)
        return self._keys[slot]

    def _kind(self, question: Question) -> Codes:
        key = self._key(question)
        if key not in self._kinds:
            able = self.staff.able(question.need, question.now).codes
            self._kinds[key] = np.minimum(able, barriers(question, self.crowd, "moment"))
        return self._kinds[key]

    def _busy(self, question: Question) -> tuple[Near, ...]:
        """Keep how busy those are whose skills fit; the others' business changes nothing."""
        key = self._key(question)
        if key not in self._near:
            crowd, able = self.crowd, self.staff.able(question.need, question.now).right
            some = able & ((crowd.loads > 0) | (crowd.cases > 0) | (crowd.rvu > 0) | crowd.away)
            self._near[key] = tuple(self._near_by(int(n)) for n in np.flatnonzero(some))
        return self._near[key]

    def _near_by(self, n: int) -> Near:
        if n not in self._each:
            [self._each[n]] = busy([self.candidate(n)])
        return self._each[n]

    def _count(self, place: int, readers: int) -> Ineligible:
        key = (place, readers)
        if key not in self._counted:
            name = CONSTRAINTS[place].name
            self._counted[key] = Ineligible(constraint=name, readers=readers)
        return self._counted[key]

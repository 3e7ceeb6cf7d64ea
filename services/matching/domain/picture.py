"""How did everybody look to a round, and why is a case offered so, or to nobody?

All decisions of a round are made of one picture. What the cases of a kind share (who may read
them, how busy those are, what they score) is worked out once and shared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from services.matching.domain.columns import Numbers, Rows
from services.matching.domain.crowd import FREE, RANK, Codes, Crowd, Ties, barriers, tied
from services.matching.domain.eligibility import CONSTRAINTS, RESTED, Candidate, Question, Work
from services.matching.domain.fit import TERMS, Asking, Weighed, shown, slack
from services.matching.domain.scoring import Scoring
from services.matching.domain.staff import Skill, Staff, skill
from services.matching.domain.track import UNTRIED, Track
from services.matching.domain.why import SHOWN, Considered, Near, Scored, busy, considered
from shared.contracts.base import ReaderId
from shared.contracts.matching import Ineligible, ScoreTerm

ASKED: Final = 126  # the code of who thinks about it already
SKILLS: Final = sum(one.scope == "skill" for one in CONSTRAINTS)
CAPACITY: Final = RANK["capacity"]


# The terms of which a reader's value is the same for as long as their track record is.
OWN: Final = tuple(
    (n, one) for n, one in enumerate(TERMS) if one.scope == "reader" and one.value is not slack
)
OTHERS: Final = tuple(one for one in enumerate(TERMS) if one not in OWN)


@dataclass
class Picture:
    """A roster and what its readers hold, as one round sees them; `version` is its digest."""

    staff: Staff
    crowd: Crowd
    version: str
    tracks: Mapping[ReaderId, Track]
    _kinds: dict[tuple[Skill, bool, bool], Codes] = field(default_factory=dict, init=False)
    _moments: dict[tuple[float, bool], Codes] = field(default_factory=dict, init=False)
    _each: dict[int, Near] = field(default_factory=dict, init=False)
    _near: dict[tuple[Skill, bool], tuple[Near, ...]] = field(default_factory=dict, init=False)
    _candidates: dict[int, Candidate] = field(default_factory=dict, init=False)
    _counted: dict[tuple[int, int], Ineligible] = field(default_factory=dict, init=False)

    def after(self, given: Rows) -> "Picture":
        """Give the picture in which each reader holds so many cases more."""
        crowd = replace(self.crowd, loads=self.crowd.loads + given)
        return Picture(self.staff, crowd, self.version, self.tracks)

    @property
    def loads(self) -> dict[ReaderId, int]:
        """Give how many cases each reader holds who holds any."""
        held = self.crowd.loads
        return {self.staff.readers[n].id: int(held[n]) for n in np.flatnonzero(held)}

    def scoring(self, some: Asking) -> Scoring:
        """Score everybody as they are; `some` is any of the cases."""
        return Scoring(self.crowd, some, self.tracks, self.staff.own(self.tracks, some))

    def codes(self, question: Question, asked: Iterable[ReaderId] = ()) -> Codes:
        """Give the place of the first constraint that excludes each reader, FREE or ASKED."""
        ties = tied(question, self.staff.columns)
        return self.codes_of(question, skill(question.need), ties, asked)

    def codes_of(
        self, question: Question, key: Skill, ties: Ties, asked: Iterable[ReaderId]
    ) -> Codes:
        """Likewise, where the skill that it takes and the ties are known."""
        codes = self._kind(question, key).copy()
        for place, rows in ties:
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
        """Say what why.scored says."""
        candidate, (score, terms) = self.candidate(n), self.told(asking, n)
        return Scored(
            reader=candidate.reader.id,
            load=candidate.load,
            track=candidate.track,
            score=score,
            terms=terms,
            given=given,
        )

    def told(self, asking: Asking, n: int) -> tuple[float, tuple[ScoreTerm, ...]]:
        """Give score and terms as fit.explain does; the reader's own are worked out once."""
        candidate, (weighed, told) = self.candidate(n), self._weighed(asking, n)
        weighed, told = weighed.copy(), told.copy()
        for place, term in OTHERS:
            value = term.value(asking, candidate)
            weighed[place], told[place] = term.weight * value, shown(term, value)
        return round(sum(weighed), 4), tuple(told)

    def _weighed(self, asking: Asking, n: int) -> Weighed:
        """Give the reader's own terms, with gaps for the others."""
        known = self.staff.weighed(self.tracks)
        if n not in known:
            candidate, gap = self.candidate(n), shown(TERMS[0], 0.0)
            weighed, told = [0.0] * len(TERMS), [gap] * len(TERMS)
            for place, term in OWN:
                value = term.value(asking, candidate)
                weighed[place], told[place] = term.weight * value, shown(term, value)
            known[n] = weighed, told
        return known[n]

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

    def _kind(self, question: Question, key: Skill) -> Codes:
        kind = (key, question.broad, question.paged)
        if kind not in self._kinds:
            able = self.staff.able(question.need, question.now, key)
            codes = able.beyond if question.broad else able.codes
            self._kinds[kind] = np.minimum(codes, self._moment(question))
        return self._kinds[kind]

    def _moment(self, question: Question) -> Codes:
        """Ask the rules of the moment; of the case they look at its work alone."""
        work = (question.need.rvu, question.paged)
        if work not in self._moments:
            self._moments[work] = barriers(question, self.crowd, "moment")
        return self._moments[work]

    def _busy(self, question: Question) -> tuple[Near, ...]:
        """Keep how busy those are whose skills fit; the others' business changes nothing."""
        of = skill(question.need)
        key = (of, question.broad)
        if key not in self._near:
            crowd, able = self.crowd, self.staff.able(question.need, question.now, of)
            some = (able.broad if question.broad else able.right) & (
                (crowd.loads > 0) | (crowd.cases > 0) | (crowd.rvu > 0) | crowd.away
            )
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

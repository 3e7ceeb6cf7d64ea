"""What is submitted to a case's decider: the next case of who asked, or an offer in need?

Each comes with what it was decided on, so that it can be explained and made again. Who is excluded
by what is asked of everybody at once; the reasons are written down when they are decided by.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from services.matching.domain.chosen import chosen, worth
from services.matching.domain.columns import Columns, Mask
from services.matching.domain.crowd import FREE, Codes, Crowd, barriers
from services.matching.domain.directed import Choice, Directed, told
from services.matching.domain.eligibility import CONSTRAINTS, RESTED, Question, Work
from services.matching.domain.fit import Asking
from services.matching.domain.grounds import Disturbed, Grounds
from services.matching.domain.handed import Handed, handed
from services.matching.domain.inputs import OfferCase, TakeCase
from services.matching.domain.liking import Likings
from services.matching.domain.picture import ASKED, SKILLS
from services.matching.domain.pool import Entry
from services.matching.domain.reasons import Reasons
from services.matching.domain.rota import moment
from services.matching.domain.staff import Staff
from services.matching.domain.urging import Urge
from services.matching.domain.why import SHOWN, Considered, Near, Scored, considered
from shared.contracts.base import CaseId, Code, ReaderId
from shared.contracts.matching import Explanation, Ineligible


@dataclass(frozen=True)
class Facts:
    """What everybody holds and has done now. `version`: the digest of the roster's version."""

    version: str
    loads: Mapping[ReaderId, int]
    away: AbstractSet[ReaderId] = frozenset()
    work: Mapping[ReaderId, Work] = field(default_factory=dict)
    _crowds: dict[datetime, tuple[Columns, Crowd]] = field(default_factory=dict)

    def crowd(self, staff: Staff, now: datetime) -> Crowd:
        """Give everybody as they are; many cases of a moment ask the same."""
        columns, crowd = self._crowds.get(now, (None, None))
        if crowd is None or columns is not staff.columns:
            crowd = Crowd.of(staff.columns, now).busy(self.loads, self.work, self.away)
            self._crowds[now] = staff.columns, crowd
        return crowd

    def near(self, staff: Staff) -> tuple[Near, ...]:
        """Give how busy those are who are busy at all."""
        busy = {one for one, load in self.loads.items() if load} | self.away | self.work.keys()
        each = (self._near(one) for one in sorted(busy) if one in staff.index)
        return tuple(one for one in each if one.load or one.away or one.work != RESTED)

    def _near(self, name: ReaderId) -> Near:
        work = self.work.get(name, RESTED)
        return Near(reader=name, load=self.loads.get(name, 0), work=work, away=name in self.away)

    def without(self, offer_of: ReaderId) -> "Facts":
        """Leave out an offer that a reader has answered by asking for the case."""
        less = {offer_of: self.loads.get(offer_of, 1) - 1}
        return Facts(self.version, {**self.loads, **less}, self.away, self.work)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a choice is explained by, but for how it was made. Nothing in it changes later."""

    question: Question
    asking: Asking
    staff: Staff
    likings: Likings
    facts: Facts
    policy: Code

    def considered(self, shown: Iterable[Scored]) -> Considered:
        near, version = self.facts.near(self.staff), self.facts.version
        return considered(self.question, near, tuple(shown), version, self.asking).model_copy(
            update={"policy": self.policy}
        )

    def scored(self, n: int, terms: Mapping[str, float], weights: Mapping[str, float]) -> Scored:
        name = self.staff.readers[n].id
        return Scored(
            reader=name,
            load=self.facts.loads.get(name, 0),
            track=self.likings.track(n),
            score=round(sum(weights[one] * value for one, value in terms.items()), 4),
            terms=told(terms, weights),
        )


@dataclass(frozen=True, slots=True, eq=False)
class WhyTaken(Reasons):
    """Why who asked has the case; beside them, what it was worth to the others who were there."""

    scene: Scene
    choice: Choice
    there: Mask

    def written(self) -> Considered:
        scene, choice, asks = self.scene, self.choice, self.choice.reader
        who = np.flatnonzero(self.there)
        terms = worth(scene.likings, scene.asking, choice, who)
        scores = sum(choice.weights[name] * value for name, value in terms.items())
        order = who[np.argsort(-np.asarray(scores), kind="stable")].tolist()
        best = [asks, *(one for one in order if one != asks)][:SHOWN]
        places = {int(n): place for place, n in enumerate(who)}
        each = {
            n: {name: float(value[places[n]]) for name, value in terms.items()}
            for n in best
            if n != asks
        }
        each[asks] = dict(choice.terms)
        return scene.considered(scene.scored(n, each[n], choice.weights) for n in best)


@dataclass(frozen=True, slots=True, eq=False)
class WhyDisturbed(Reasons):
    """Why somebody is disturbed, or given what they waited for, and not another."""

    scene: Scene
    grounds: Grounds
    how: Disturbed | Handed

    def written(self) -> Considered:
        scene, found = self.scene, self.grounds
        shown = (
            scene.scored(int(found.who[place]), found.of(place), found.weights).model_copy(
                update={"free_at": moment(float(found.free_at[place]))}
            )
            for place in found.first(SHOWN)
        )
        kind = "handed" if isinstance(self.how, Handed) else "disturbed"
        return scene.considered(shown).model_copy(update={kind: self.how})


def take(directed: Directed, choice: Choice, facts: Facts, now: datetime) -> TakeCase:
    """Give the reader who asked the case that was chosen for them."""
    entry, reader = directed.pool.entry(choice.row), directed.pool.staff.readers[choice.reader]
    known = facts.without(reader.id) if reader.id in entry.thinking else facts
    question = Question(entry.need, entry.refused, now, entry.earlier, choice.broad)
    scene = _scene(directed, entry, question, known, entry.thinking - {reader.id})
    there = directed.pool.able[choice.row] & directed.present
    return TakeCase(
        case_id=CaseId(entry.need.case_id),
        reader=reader,
        load=facts.loads.get(reader.id, 0),
        work=facts.work.get(reader.id, RESTED),
        explanation=_explained(directed, choice, scene),
        considered=WhyTaken(scene, choice, there),
        chosen=chosen(directed, choice, now),
        broad=choice.broad,
        part=entry.need.part,
    )


def disturb(directed: Directed, entry: Entry, urge: Urge, facts: Facts, now: datetime) -> OfferCase:
    """Offer a case to somebody who is at another one, or at home and on call."""
    pool = directed.pool
    how = Disturbed(
        at=now,
        until=datetime.fromtimestamp(urge.until, UTC),
        owed_at=datetime.fromtimestamp(float(pool.owed[urge.choice.row]), UTC),
        policy=pool.policy,
        paged=urge.paged,
        tracked=bool(directed.likings.tracks),
    )
    return _offered(directed, entry, urge, facts, how)


def hand(directed: Directed, entry: Entry, urge: Urge, facts: Facts, now: datetime) -> OfferCase:
    """Offer a case to the best of those who wait for one."""
    return _offered(directed, entry, urge, facts, handed(directed, urge.choice.row, now))


def _offered(
    directed: Directed, entry: Entry, urge: Urge, facts: Facts, how: Disturbed | Handed
) -> OfferCase:
    choice, pool = urge.choice, directed.pool
    reader, refused = pool.staff.readers[choice.reader], entry.asked - entry.thinking
    question = Question(entry.need, refused, how.at, entry.earlier, choice.broad, urge.paged)
    scene = _scene(directed, entry, question, facts, entry.thinking)
    return OfferCase(
        case_id=CaseId(entry.need.case_id),
        reader=reader,
        load=facts.loads.get(reader.id, 0),
        work=facts.work.get(reader.id, RESTED),
        explanation=_explained(directed, choice, scene),
        considered=WhyDisturbed(scene, urge.grounds, how),
        broad=choice.broad,
        paged=urge.paged,
        until=datetime.fromtimestamp(urge.until, UTC),
        at_once=2 * pool.policy.at_once,
        part=entry.need.part,
    )


def _scene(
    directed: Directed,
    entry: Entry,
    question: Question,
    facts: Facts,
    thinking: AbstractSet[ReaderId],
) -> Scene:
    asking = Asking(question.need, question.now, seen_by=entry.seen_by, asked=frozenset(thinking))
    staff, policy = directed.pool.staff, directed.pool.policy.name
    return Scene(question, asking, staff, directed.likings, facts, policy)


def _explained(directed: Directed, choice: Choice, scene: Scene) -> Explanation:
    """Say why, and count who is excluded by what; those aside who think about it already."""
    codes = _codes(scene)
    found = np.bincount(codes, minlength=FREE + 1)
    excluded = tuple(
        Ineligible(constraint=one.name, readers=int(found[n]))
        for n, one in enumerate(CONSTRAINTS)
        if found[n]
    )
    return directed.explain(choice, excluded).model_copy(update={"eligible": int(found[FREE])})


def _codes(scene: Scene) -> Codes:
    crowd, question = scene.facts.crowd(scene.staff, scene.question.now), scene.question
    each = [barriers(question, crowd, scope) for scope in ("skill", "case", "moment")]
    codes: Codes = np.minimum.reduce(each)
    places = (scene.staff.index.get(one) for one in scene.asking.asked)
    for n in (one for one in places if one is not None and codes[one] >= SKILLS):
        codes[n] = ASKED
    return codes

"""Why this reader, why not another, and what would help where nobody fits?

A decision keeps what it was made of: the question, the version of the roster, and the load and
work of everybody whom skills and ties did not exclude. From these it is made again, to the same
result, by the same rules; whatever differs is said.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypeAlias

from pydantic import AwareDatetime

from services.matching.domain.author import author_of
from services.matching.domain.chosen import Chosen
from services.matching.domain.eligibility import (
    BY_SCOPE,
    CONSTRAINTS,
    RESTED,
    Candidate,
    Earlier,
    Question,
    Work,
)
from services.matching.domain.fit import POLICY, Asking, explain
from services.matching.domain.grounds import Disturbed
from services.matching.domain.handed import Handed
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from services.matching.domain.track import UNTRIED, Track
from shared.contracts.base import BodyRegion, Code, Frozen, OpaqueId, ReaderId
from shared.contracts.matching import Explanation, Ineligible, ScoreTerm

Remedy: TypeAlias = Literal["recruit", "renew", "wait", "relax"]
What: TypeAlias = Literal["reassigned", "taken_back", "read_beside", "split", "recalled"]
LASTING: Final = (*BY_SCOPE["skill"], *BY_SCOPE["case"])
SHOWN: Final = 10  # the best candidates' terms are kept; of the others the reader and the load

# What would let a reader read whom one constraint alone excludes. None may be relaxed that the
# law, the patient's safety or independence asks for; those that may are a person's to relax.
REMEDIES: Final[Mapping[str, Remedy]] = {
    "on_roster": "renew",
    "human": "recruit",
    "modality": "recruit",
    "body_region": "recruit",
    "subspecialty": "relax",
    "pediatric": "recruit",
    "obstetric": "recruit",
    "fellowship": "recruit",
    "licence": "renew",
    "credentials": "renew",
    "privileges": "renew",
    "language": "relax",
    "own_staff": "recruit",
    "first_reader": "recruit",
    "first_group": "recruit",
    "earlier_reader": "recruit",
    "conflict": "recruit",
    "asked_before": "relax",
    "on_shift": "wait",
    "available": "wait",
    "fatigue_hours": "wait",
    "fatigue_cases": "wait",
    "fatigue_rvu": "wait",
    "capacity": "relax",
}


class Near(Frozen):
    """How busy a reader was whom neither skills nor ties excluded."""

    reader: ReaderId
    load: int = 0
    work: Work = RESTED
    away: bool = False


class Scored(Frozen):
    """An eligible reader with the terms of their score, and what was known of them.

    `given`: the cases that they were offered in the same round, all of which were weighed together.
    `free_at`: when they were forecast to be free by themselves, where that was weighed.
    """

    reader: ReaderId
    load: int
    track: Track = UNTRIED
    score: float
    terms: tuple[ScoreTerm, ...]
    given: int = 0
    free_at: AwareDatetime | None = None


class Considered(Frozen):
    """What a decision was made of. `roster` is the digest of the roster's version.

    `asked` are those whose offer stands; `near` are those with load, work or absence at all.
    `due_at` and `seen_by` are what the terms look at besides; `disturbed`: time was short, and the
    candidates are those who could be interrupted, or paged. `handed`: they waited for a case.
    """

    at: AwareDatetime
    policy: Code
    roster: str
    need: Need
    refused: tuple[ReaderId, ...]
    earlier: tuple[Earlier, ...]
    asked: tuple[ReaderId, ...] = ()
    near: tuple[Near, ...]
    candidates: tuple[Scored, ...]
    flags: Mapping[str, bool] = {}
    due_at: AwareDatetime | None = None
    seen_by: tuple[ReaderId, ...] = ()
    disturbed: Disturbed | None = None
    handed: Handed | None = None

    def written(self) -> "Considered":
        return self

    @property
    def asking(self) -> Asking:
        return Asking(self.need, self.at, self.due_at, frozenset(self.seen_by))

    @property
    def question(self) -> Question:
        flags: dict[str, Any] = dict(self.flags)
        return Question(self.need, frozenset(self.refused), self.at, self.earlier, **flags)


class Because(Frozen):
    """What decided where no score was asked: who did so, what, and why.

    `by`: an operator's name, or `rules`, `optimiser` or `contract`. `parts`: of a split case.
    """

    what: What
    by: str
    reason: Code
    parts: tuple[tuple[BodyRegion, ...], ...] = ()


class Decision(Frozen):
    """What was decided: whom the case was offered to; or, without one, why to nobody.

    `chosen`: the reader asked for the next case, and this was the best for the whole pool. Without
    `considered` nothing was weighed, and `because` says what decided.
    """

    considered: Considered | None = None
    because: Because | None = None
    assignment: OpaqueId | None = None
    reader: ReaderId | None = None
    explanation: Explanation | None = None
    why: tuple[Ineligible, ...] = ()
    chosen: Chosen | None = None


def consider(
    question: Question,
    near: Iterable[Candidate],
    best: Sequence[Candidate],
    roster: str,
    asking: Asking | None = None,
) -> Considered:
    """Keep what is being decided on. `best`: the eligible readers, the best first."""
    asking = asking or Asking(question.need, question.now)
    shown = tuple(scored(asking, one) for one in best[:SHOWN])
    return considered(question, busy(near), shown, roster, asking)


def considered(
    question: Question,
    near: tuple[Near, ...],
    shown: tuple[Scored, ...],
    roster: str,
    asking: Asking,
) -> Considered:
    """Likewise, of parts that many decisions of a round share."""
    return Considered.model_construct(
        at=question.now,
        policy=POLICY,
        roster=roster,
        need=question.need,
        refused=tuple(sorted(question.refused)),
        earlier=question.earlier,
        asked=tuple(sorted(asking.asked)),
        near=near,
        candidates=shown,
        flags={name: getattr(question, name) for name in _FLAGS if getattr(question, name)},
        due_at=asking.due_at,
        seen_by=tuple(sorted(asking.seen_by)),
    )


def busy(each: Iterable[Candidate]) -> tuple[Near, ...]:
    """Keep how busy they are who are busy at all."""
    return tuple(
        Near(reader=one.reader.id, load=one.load, work=one.work, away=one.away)
        for one in each
        if one.load or one.away or one.work != RESTED
    )


_FLAGS: Final = tuple(
    name
    for name in Question.__dataclass_fields__
    if name not in ("need", "refused", "now", "earlier", "author")
)


def scored(asking: Asking, candidate: Candidate, given: int = 0) -> Scored:
    told = explain(asking, candidate, 0, ())
    return Scored(
        reader=candidate.reader.id,
        load=candidate.load,
        track=candidate.track,
        score=told.score,
        terms=told.terms,
        given=given,
    )


def asked_of(considered: Considered, roster: Mapping[ReaderId, Reader]) -> Question:
    """Give the question with what the roster knew of who made the first report."""
    return replace(considered.question, author=author_of(considered.need, roster.values()))


def candidates(considered: Considered, roster: Mapping[ReaderId, Reader]) -> Iterator[Candidate]:
    """Give everybody on the roster as they were."""
    near = {one.reader: one for one in considered.near}
    for name, reader in roster.items():
        was = near.get(name, Near(reader=name))
        yield Candidate(reader, was.load, was.work, was.away)


class Advice(Frozen):
    """These readers could read the case if this constraint alone no longer held.

    `remedy`: `renew` a licence, credential, privilege or roster record; `wait` until they are
    there or rested; `relax` (a contract, the pool or a capacity); `recruit` somebody else, because
    what excludes them may never be relaxed.
    """

    constraint: Code
    remedy: Remedy
    says: str
    readers: tuple[ReaderId, ...]


def advise(considered: Considered, roster: Mapping[ReaderId, Reader]) -> tuple[Advice, ...]:
    """Say what stands between the case and a reader, most readers first."""
    alone: dict[str, list[ReaderId]] = {}
    question = asked_of(considered, roster)
    for one in candidates(considered, roster):
        faults = [by for by in CONSTRAINTS if not by.rule(question, one)]
        lasting = [by for by in faults if by in LASTING]
        what = lasting or faults
        if len(what) == 1:
            alone.setdefault(what[0].name, []).append(one.reader.id)
    says = {one.name: one.says for one in CONSTRAINTS}
    advice = (
        Advice(constraint=name, remedy=REMEDIES[name], says=says[name], readers=tuple(sorted(who)))
        for name, who in alone.items()
    )
    return tuple(sorted(advice, key=lambda one: (-len(one.readers), one.constraint)))

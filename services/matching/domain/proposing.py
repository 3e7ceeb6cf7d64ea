"""What is submitted to a case's decider: the next case of who asked, or an offer in need?

Each comes with what it was decided on, so that it can be explained and made again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from services.matching.domain.chosen import chosen
from services.matching.domain.directed import Choice, Directed
from services.matching.domain.eligibility import (
    CONSTRAINTS,
    RESTED,
    Candidate,
    Question,
    Work,
    barred,
)
from services.matching.domain.fit import Asking, explain
from services.matching.domain.inputs import OfferCase, TakeCase
from services.matching.domain.pool import Entry
from services.matching.domain.reader import Reader
from services.matching.domain.urging import Urge
from services.matching.domain.why import Considered, consider
from shared.contracts.base import CaseId, ReaderId
from shared.contracts.matching import Ineligible

RANK: Final = {one.name: n for n, one in enumerate(CONSTRAINTS)}


@dataclass(frozen=True)
class Facts:
    """What everybody holds and has done now. `version`: the digest of the roster's version."""

    version: str
    loads: Mapping[ReaderId, int]
    away: AbstractSet[ReaderId] = frozenset()
    work: Mapping[ReaderId, Work] = field(default_factory=dict)

    def candidate(self, reader: Reader) -> Candidate:
        work = self.work.get(reader.id, RESTED)
        return Candidate(reader, self.loads.get(reader.id, 0), work, reader.id in self.away)


def take(directed: Directed, choice: Choice, facts: Facts, now: datetime) -> TakeCase:
    """Give the reader who asked the case that was chosen for them."""
    entry, reader = directed.pool.entry(choice.row), directed.pool.staff.readers[choice.reader]
    question = Question(entry.need, entry.refused, now, entry.earlier, choice.broad)
    candidate = facts.candidate(reader)
    considered = _considered(directed, question, facts, candidate)
    return TakeCase(
        case_id=CaseId(entry.need.case_id),
        reader=reader,
        load=candidate.load,
        work=candidate.work,
        explanation=directed.explain(choice),
        considered=considered.model_copy(update={"policy": directed.pool.policy.name}),
        chosen=chosen(directed, choice, now),
        broad=choice.broad,
        part=entry.need.part,
    )


def disturb(directed: Directed, entry: Entry, urge: Urge, facts: Facts, now: datetime) -> OfferCase:
    """Offer a case to somebody who is at another one, or at home and on call."""
    choice, staff = urge.choice, directed.pool.staff
    reader, out = staff.readers[choice.reader], entry.asked - entry.refused
    question = Question(entry.need, entry.refused, now, entry.earlier, choice.broad, urge.paged)
    candidate = facts.candidate(reader)
    excluded = tuple(_excluded(directed, question, facts, out))
    eligible = len(staff.readers) - len(out) - sum(one.readers for one in excluded)
    return OfferCase(
        case_id=CaseId(entry.need.case_id),
        reader=reader,
        load=candidate.load,
        work=candidate.work,
        explanation=explain(Asking(entry.need, now), candidate, max(0, eligible), excluded),
        considered=_considered(directed, question, facts, candidate, out),
        broad=choice.broad,
        paged=urge.paged,
        until=datetime.fromtimestamp(urge.until, UTC),
        at_once=2 * directed.pool.policy.at_once,
        part=entry.need.part,
    )


def _considered(
    directed: Directed,
    question: Question,
    facts: Facts,
    best: Candidate,
    out: AbstractSet[ReaderId] = frozenset(),
) -> Considered:
    near = (facts.candidate(one) for one in directed.pool.staff.readers)
    asking = Asking(question.need, question.now, asked=frozenset(out))
    return consider(question, near, (best,), facts.version, asking)


def _excluded(
    directed: Directed, question: Question, facts: Facts, out: AbstractSet[ReaderId]
) -> Iterator[Ineligible]:
    """Count who is excluded by what, those aside who think about it already."""
    staff = directed.pool.staff
    question = replace(question, author=staff.columns.author(question.need))
    each = (one for one in staff.readers if one.id not in out)
    found = (barred(question, facts.candidate(one)) for one in each)
    counts = Counter(one.name for one in found if one is not None)
    for name in sorted(counts, key=RANK.__getitem__):
        yield Ineligible(constraint=name, readers=counts[name])

"""Does a decision come out the same again, of what was kept? Whatever differs is said."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from services.matching.domain import handed
from services.matching.domain.chosen import differences, once_more
from services.matching.domain.directed import told
from services.matching.domain.eligibility import (
    BY_SCOPE,
    CONSTRAINTS,
    Candidate,
    Constraint,
    barred,
)
from services.matching.domain.fit import POLICY
from services.matching.domain.grounds import again, weights
from services.matching.domain.reader import Reader
from services.matching.domain.why import (
    Considered,
    Decision,
    Scored,
    asked_of,
    candidates,
    scored,
)
from shared.contracts.base import ReaderId
from shared.contracts.matching import ScoreTerm

# Two computations of the same terms may differ in the last digits that are kept.
NEARLY = 0.0002
Asked = Mapping[ReaderId, Candidate]
Answers = Mapping[ReaderId, Constraint | None]


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision made again. `differs` names what is not as it was; nothing: the same result."""

    rejected: tuple[tuple[ReaderId, Constraint], ...]
    differs: tuple[str, ...]


def replay(decision: Decision, roster: Mapping[ReaderId, Reader]) -> Replay:
    """Ask the kept question again of the roster as it was. Where nothing was weighed, none is."""
    considered = decision.considered
    if considered is None:
        return Replay((), ())
    asked = {one.reader.id: one for one in candidates(considered, roster)}
    question = asked_of(considered, roster)
    answers = {name: barred(question, one) for name, one in asked.items()}
    for name in considered.asked:
        if answers.get(name) not in BY_SCOPE["skill"]:
            answers.pop(name, None)  # they think about it already
    rejected = tuple((name, by) for name, by in sorted(answers.items()) if by is not None)
    return Replay(
        rejected, tuple(dict.fromkeys(_differences(decision, considered, asked, answers)))
    )


def _differences(
    decision: Decision, considered: Considered, asked: Asked, answers: Answers
) -> Iterator[str]:
    if decision.chosen is not None:
        yield from differences(decision.chosen, {name: one.reader for name, one in asked.items()})
    yield from _scores(decision, considered, asked)
    if decision.reader is not None:
        if answers.get(decision.reader, CONSTRAINTS[0]) is not None:
            yield "reader"
        if not _explained(decision, considered):
            yield "explanation"
    counts = Counter(by.name for by in answers.values() if by)
    said = decision.explanation.excluded if decision.explanation else decision.why
    if {one.constraint: one.readers for one in said} != counts:
        yield "excluded"


def _scores(decision: Decision, considered: Considered, asked: Asked) -> Iterator[str]:
    """Work out every candidate's terms anew; of who is disturbed, the best must come first."""
    weighed = decision.chosen or considered.disturbed or considered.handed
    if weighed is None and considered.policy != POLICY:
        yield "policy"
        return
    found = [
        _again(decision, considered, one, replace(asked[one.reader], track=one.track))
        for one in considered.candidates
        if one.reader in asked
    ]
    if len(found) < len(considered.candidates) or not all(
        _alike(new, old) for new, old in zip(found, considered.candidates, strict=True)
    ):
        yield "scores"
    if considered.disturbed is not None or considered.handed is not None:
        best = max((one.score for one in found), default=0.0)
        first = next((one.score for one in found if one.reader == decision.reader), -1.0)
        if first < best - NEARLY:
            yield "choice"


def _again(decision: Decision, considered: Considered, was: Scored, one: Candidate) -> Scored:
    """Score a candidate anew, by the terms of how the decision was made."""
    terms, weigh = dict[str, float](), dict[str, float]()
    if decision.chosen is not None:
        seen = was.reader in considered.seen_by
        terms = once_more(decision.chosen, one.reader, was.track, seen=seen)
        weigh = decision.chosen.policy.weights.of(terms)
    elif considered.disturbed is not None:
        terms = again(considered.disturbed, considered.asking, one, was.free_at)
        weigh = weights(considered.disturbed.policy)
    elif considered.handed is not None:
        terms = handed.again(considered.handed, considered.asking, one)
        weigh = considered.handed.policy.weights.of(terms)
    else:
        return scored(considered.asking, one, was.given)
    score = round(sum(weigh[name] * value for name, value in terms.items()), 4)
    return was.model_copy(update={"score": score, "terms": told(terms, weigh), "load": one.load})


def _alike(new: Scored, old: Scored) -> bool:
    return (
        (new.load, new.given) == (old.load, old.given)
        and abs(new.score - old.score) <= NEARLY
        and _same(new.terms, old.terms)
    )


def _same(new: tuple[ScoreTerm, ...], old: tuple[ScoreTerm, ...]) -> bool:
    """Compare terms, in their order."""
    return len(new) == len(old) and all(
        (a.term, a.weight) == (b.term, b.weight) and abs(a.value - b.value) <= NEARLY
        for a, b in zip(new, old, strict=True)
    )


def _explained(decision: Decision, considered: Considered) -> bool:
    """Tell whether the explanation that went out is what was weighed of its reader."""
    said, each = decision.explanation, considered.candidates
    mine = next((one for one in each if one.reader == decision.reader), None)
    if said is None or mine is None:
        return False
    alike = abs(said.score - mine.score) <= NEARLY and _same(said.terms, mine.terms)
    return alike and said.policy == considered.policy

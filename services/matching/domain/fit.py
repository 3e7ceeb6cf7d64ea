"""Who fits best among those who may? Weighted terms, kept with the offer as its explanation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from services.matching.domain.eligibility import Candidate
from services.matching.domain.need import Need
from shared.contracts.matching import Explanation, Ineligible, ScoreTerm

# Named in each explanation; a change of terms or weights is a new policy.
POLICY: Final = "earliest-deadline-best-fit-1"


def depth(need: Need, candidate: Candidate) -> float:
    """Prefer whose first-named field it is: 1 for the first, 1/2 for the second, and so on."""
    fields = candidate.reader.subspecialties
    if need.subspecialty not in fields:
        return 0.0
    return 1 / (1 + fields.index(need.subspecialty))


def slack(_need: Need, candidate: Candidate) -> float:
    """Prefer who has the larger part of their capacity free."""
    capacity = candidate.reader.capacity
    return max(0.0, 1 - candidate.load / capacity) if capacity else 0.0


def scarcity(_need: Need, candidate: Candidate) -> float:
    """Keep who could read many other kinds of case for those."""
    return 1 / len(candidate.reader.subspecialties)


def language(need: Need, candidate: Candidate) -> float:
    return float(need.language in candidate.reader.languages)


@dataclass(frozen=True, slots=True)
class Term:
    """A reason to prefer a reader: a value in [0, 1] and its weight. The weights add up to 1."""

    value: Callable[[Need, Candidate], float]
    weight: float


TERMS: Final = (Term(depth, 0.4), Term(slack, 0.3), Term(scarcity, 0.2), Term(language, 0.1))


def score(need: Need, candidate: Candidate) -> float:
    """Say how well a reader fits, in [0, 1]."""
    return sum(term.weight * term.value(need, candidate) for term in TERMS)


def explain(
    need: Need, candidate: Candidate, eligible: int, excluded: Iterable[Ineligible]
) -> Explanation:
    terms = (
        ScoreTerm(
            term=term.value.__name__,
            value=round(term.value(need, candidate), 4),
            weight=term.weight,
        )
        for term in TERMS
    )
    return Explanation(
        score=round(score(need, candidate), 4),
        terms=tuple(terms),
        eligible=eligible,
        excluded=tuple(excluded),
        policy=POLICY,
    )

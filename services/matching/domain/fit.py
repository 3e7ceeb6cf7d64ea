"""Who fits best among those who may? Weighted terms, kept with the offer as its explanation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from services.matching.domain.eligibility import Candidate
from services.matching.domain.need import Need
from services.matching.domain.track import USUAL_RVU_PER_HOUR, experienced
from services.matching.domain.track import acceptance as likely_taken
from services.matching.domain.track import quality as held
from shared.contracts.base import ReaderId
from shared.contracts.matching import Explanation, Ineligible, ScoreTerm

# Named in each explanation; a change of terms or weights is a new policy.
POLICY: Final = "lateness-risk-best-fit-3"
# A full day's work, in RVU: eight hours at the usual speed.
FULL_DAY_RVU: Final = 8 * USUAL_RVU_PER_HOUR


@dataclass(frozen=True, slots=True)
class Asking:
    """For what a reader is looked for.

    `seen_by`: who has read this patient before. `asked`: who thinks about the case already.
    """

    need: Need
    now: datetime
    due_at: datetime | None = None
    seen_by: frozenset[ReaderId] = frozenset()
    asked: frozenset[ReaderId] = frozenset()


def depth(asking: Asking, candidate: Candidate) -> float:
    """Prefer whose first-named field it is: 1 for the first, 1/2 for the second, and so on."""
    fields = candidate.reader.subspecialties
    if asking.need.subspecialty not in fields:
        return 0.0
    return 1 / (1 + fields.index(asking.need.subspecialty))


def experience(asking: Asking, candidate: Candidate) -> float:
    """Prefer who has read many cases of the modality, and of the reason for review."""
    need = asking.need
    return experienced(candidate.track, need.modalities, need.reason_for_review)


def quality(_asking: Asking, candidate: Candidate) -> float:
    """Prefer whose readings held, by peer review and follow-up."""
    return held(candidate.reader.peer_review, candidate.track.reviewed)


def continuity(asking: Asking, candidate: Candidate) -> float:
    """Prefer who knows the patient. Who read this very case may not read it again anyway."""
    return float(candidate.reader.id in asking.seen_by)


def slack(_asking: Asking, candidate: Candidate) -> float:
    """Prefer who has the larger part of their capacity free."""
    capacity = candidate.reader.capacity
    return max(0.0, 1 - candidate.load / capacity) if capacity else 0.0


def workload(_asking: Asking, candidate: Candidate) -> float:
    """Prefer who has taken less work in the last 24 hours, in RVU of a full day."""
    return max(0.0, 1 - candidate.track.day_rvu / FULL_DAY_RVU)


def fairness(_asking: Asking, candidate: Candidate) -> float:
    """Prefer who had less than the others this week; 1/2 is an equal share."""
    return 1 / (1 + candidate.track.week)


def scarcity(_asking: Asking, candidate: Candidate) -> float:
    """Keep who could read many other kinds of case for those."""
    return 1 / len(candidate.reader.subspecialties)


def speed(_asking: Asking, candidate: Candidate) -> float:
    """Prefer whose reading is predicted to be short; 1/2 is the usual speed."""
    return candidate.track.speed / (candidate.track.speed + USUAL_RVU_PER_HOUR)


def acceptance(_asking: Asking, candidate: Candidate) -> float:
    """Prefer who is likely to take it."""
    return likely_taken(candidate.track)


def deadline(asking: Asking, candidate: Candidate) -> float:
    """Prefer who is likely to be done in time, after what they hold; 1/2 is just in time."""
    if asking.due_at is None:
        return 0.5
    left = max(0.0, (asking.due_at - asking.now).total_seconds() / 3600)
    wanted = (1 + candidate.load) * asking.need.rvu / candidate.track.speed
    return left / (left + wanted) if left else 0.0


def language(asking: Asking, candidate: Candidate) -> float:
    return float(asking.need.language in candidate.reader.languages)


# Of what a value is made besides the reader: of nothing, of what many cases share, of this case.
Scope: TypeAlias = Literal["reader", "kind", "case"]


@dataclass(frozen=True, slots=True)
class Term:
    """A reason to prefer a reader: a value in [0, 1] and its weight. The weights add up to 1."""

    value: Callable[[Asking, Candidate], float]
    weight: float
    scope: Scope


TERMS: Final = (
    Term(depth, 0.25, "kind"),
    Term(experience, 0.08, "kind"),
    Term(quality, 0.1, "reader"),
    Term(continuity, 0.08, "case"),
    Term(slack, 0.12, "reader"),
    Term(workload, 0.06, "reader"),
    Term(fairness, 0.06, "reader"),
    Term(scarcity, 0.12, "reader"),
    Term(speed, 0.03, "reader"),
    Term(acceptance, 0.03, "reader"),
    Term(deadline, 0.04, "case"),
    Term(language, 0.03, "kind"),
)


# Terms, by their places in the table: as they count, and as they are shown.
Weighed: TypeAlias = tuple[list[float], list[ScoreTerm]]


def score(asking: Asking, candidate: Candidate) -> float:
    """Say how well a reader fits, in [0, 1]."""
    return sum(term.weight * term.value(asking, candidate) for term in TERMS)


def shown(term: Term, value: float) -> ScoreTerm:
    return _shown(term.value.__name__, round(value, 4), term.weight)


@lru_cache(maxsize=8192)  # a round shows the same few values thousands of times
def _shown(name: str, value: float, weight: float) -> ScoreTerm:
    return ScoreTerm(term=name, value=value, weight=weight)


def explain(
    asking: Asking, candidate: Candidate, eligible: int, excluded: Iterable[Ineligible]
) -> Explanation:
    each = [(term, term.value(asking, candidate)) for term in TERMS]
    return Explanation(
        score=round(sum(term.weight * value for term, value in each), 4),
        terms=tuple(shown(term, value) for term, value in each),
        eligible=eligible,
        excluded=tuple(excluded),
        policy=POLICY,
    )

"""How well does everybody fit? The terms of fit.py over arrays, for rounds.

Explanations show what fit.py says of one reader; a property test holds this to it. A term of scope
`reader` is asked of each reader once a round and needs nothing here; one of scope `kind` needs its
form over all readers in `BY_KIND`, one of scope `case` over pairs in `BY_CASE`. Of the reader's own
terms only `slack` changes with what a round gives them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from services.matching.domain.columns import Columns, Mask, Numbers, Rows
from services.matching.domain.crowd import Crowd
from services.matching.domain.eligibility import Candidate
from services.matching.domain.fit import TERMS, Asking, slack
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from services.matching.domain.track import SHRINKAGE, UNTRIED, Track
from shared.contracts.base import ReaderId

NO_TIME: Final = 1e-300  # hours: what is owed at once of no work is as good as late
WEIGHTS: Final = {term.value.__name__: term.weight for term in TERMS}


def alike(need: Need) -> tuple[object, ...]:
    """Give all of a need that terms of scope `kind` look at."""
    return (need.subspecialty, need.language, need.modalities, need.reason_for_review)


def own(each: Sequence[Reader], tracks: Mapping[ReaderId, Track], some: Asking) -> Numbers:
    """Give the part of readers' scores that is the same for every case, at any load."""
    terms = [one for one in TERMS if one.scope == "reader" and one.value is not slack]
    candidates = [Candidate(one, 0, track=tracks.get(one.id, UNTRIED)) for one in each]
    return np.array(
        [sum(term.weight * term.value(some, one) for term in terms) for one in candidates], float
    )


@dataclass
class Scoring:
    """What tells a crowd's readers apart. `own`: the part of their score that is always the same.

    `some` is any of the cases; the readers' own terms don't look at it. `kept`: that part, where it
    is known already.
    """

    crowd: Crowd
    some: Asking
    tracks: Mapping[ReaderId, Track] = field(default_factory=dict)
    kept: Numbers | None = None
    own: Numbers = field(init=False)
    speed: Numbers = field(init=False)
    _counts: dict[str, Numbers] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        each = self.columns.readers
        self.speed = np.array([self.tracks.get(one.id, UNTRIED).speed for one in each], float)
        self.own = own(each, self.tracks, self.some) if self.kept is None else self.kept

    @property
    def columns(self) -> Columns:
        return self.crowd.columns

    def of_kind(self, need: Need) -> Numbers:
        """Give what cases alike share of everybody's score, at any load: (readers,)."""
        total = self.own.copy()
        for name, over in BY_KIND.items():
            total += WEIGHTS[name] * over(need, self)
        return total

    def slack(self, readers: Rows, loads: Numbers) -> Numbers:
        """Give the part of the score that falls with each case more."""
        capacity = self.columns.capacity[readers]
        part = np.maximum(1 - loads / np.maximum(capacity, 1), 0)
        return np.asarray(WEIGHTS["slack"] * np.where(capacity > 0, part, 0))

    def of_pairs(self, cases: "Cases", row: Rows, reader: Rows, loads: Numbers) -> Numbers:
        """Give what is a case's own in the scores of pairs, at their readers' loads.

        `row` and `reader` are as long as each other; or one stands upright, for all pairs of both.
        """
        each = [WEIGHTS[name] * over(self, cases, row, reader, loads) for name, over in _BY_CASE]
        return np.asarray(sum(each[1:], each[0]))

    def familiar(self, counts: str, name: str) -> Numbers:
        """Give how familiar everybody is with a modality, or a reason for review."""
        key = f"{counts} {name}"
        if key not in self._counts:
            self._counts[key] = familiar(self.columns, self.tracks, counts, name)
        return self._counts[key]


def familiar(columns: Columns, tracks: Mapping[ReaderId, Track], counts: str, name: str) -> Numbers:
    """Give how familiar everybody is with a modality (`read`), or a reason for review."""
    each = (tracks.get(one.id, UNTRIED) for one in columns.readers)
    found = np.array([getattr(one, counts).get(name, 0) for one in each], float)
    return found / (found + SHRINKAGE)


@dataclass(frozen=True, slots=True)
class Cases:
    """What is each case's own, as columns: hours left, work RVU, and who knows the patient.

    `known`: the numbers of pairs (case times readers, plus reader) of a case with somebody
    who has read the same patient before; `somebody`: whether there is any of a case.
    """

    left: Numbers
    rvu: Numbers
    known: Rows
    somebody: Mask

    @classmethod
    def of(cls, each: Sequence[Asking], columns: Columns) -> "Cases":
        return cls(
            np.array([_left(one) for one in each], float),
            np.array([one.need.rvu for one in each], float),
            *known([one.seen_by for one in each], columns),
        )


def known(seen_by: Sequence[Collection[ReaderId]], columns: Columns) -> tuple[Rows, Mask]:
    """Give the pairs of each case with who has read the patient, and whether there is anybody."""
    readers, index = len(columns.readers), columns.index
    each = [
        n * readers + index[name]
        for n, some in enumerate(seen_by)
        for name in some
        if name in index
    ]
    somebody = np.zeros(len(seen_by), bool)
    somebody[[one // readers for one in each]] = True
    return np.array(each, np.intp), somebody


def _left(asking: Asking) -> float:
    """Give the hours until the report is owed, at least 0."""
    assert asking.due_at is not None, "what waits has a running clock"  # noqa: S101
    return max(0.0, (asking.due_at - asking.now).total_seconds() / 3600)


def depth(need: Need, scoring: Scoring) -> Numbers:
    found = scoring.columns.fields.get(need.subspecialty)
    return scoring.columns.nobody.astype(float) if found is None else found


def experience(need: Need, scoring: Scoring) -> Numbers:
    modalities = [scoring.familiar("read", one) for one in need.modalities]
    least = np.minimum.reduce(modalities) if modalities else 0.0
    return np.asarray((least + scoring.familiar("reasons", need.reason_for_review)) / 2)


def language(need: Need, scoring: Scoring) -> Numbers:
    return scoring.columns.languages.get(need.language, scoring.columns.nobody).astype(float)


def continuity(scoring: Scoring, cases: Cases, row: Rows, reader: Rows, _loads: Numbers) -> Numbers:
    if not cases.somebody[row].any():
        return np.zeros(1)
    return np.isin(row * len(scoring.columns.readers) + reader, cases.known).astype(float)


def deadline(scoring: Scoring, cases: Cases, row: Rows, reader: Rows, loads: Numbers) -> Numbers:
    left = cases.left[row]
    wanted = (1 + loads) * cases.rvu[row] / scoring.speed[reader]
    return np.asarray(left / np.maximum(left + wanted, NO_TIME))


BY_KIND: Final[Mapping[str, Callable[[Need, Scoring], Numbers]]] = {
    one.__name__: one for one in (depth, experience, language)
}
BY_CASE: Final[Mapping[str, Callable[[Scoring, Cases, Rows, Rows, Numbers], Numbers]]] = {
    one.__name__: one for one in (continuity, deadline)
}
_BY_CASE: Final = tuple(BY_CASE.items())

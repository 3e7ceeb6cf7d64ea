"""How well does everybody fit? The terms of fit.py over arrays, for rounds.

Explanations show what fit.py says of one reader; a property test holds this to it. A term of scope
`reader` is asked of each reader once a round and needs nothing here; one of scope `kind` needs its
form over all readers in `BY_KIND`, one of scope `case` over pairs in `BY_CASE`. Of the reader's own
terms only `slack` changes with what a round gives them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from services.matching.domain.columns import Columns, Numbers, Rows
from services.matching.domain.crowd import Crowd
from services.matching.domain.eligibility import Candidate
from services.matching.domain.fit import TERMS, Asking, slack
from services.matching.domain.need import Need
from services.matching.domain.track import SHRINKAGE, UNTRIED, Track
from shared.contracts.base import ReaderId

WEIGHTS: Final = {term.value.__name__: term.weight for term in TERMS}


def alike(need: Need) -> tuple[object, ...]:
    """Give all of a need that terms of scope `kind` look at."""
    return (need.subspecialty, need.language, need.modalities, need.reason_for_review)


@dataclass
class Scoring:
    """What tells a crowd's readers apart. `own`: the part of their score that is always the same.

    `some` is any of the cases; the readers' own terms don't look at it.
    """

    crowd: Crowd
    some: Asking
    tracks: Mapping[ReaderId, Track] = field(default_factory=dict)
    own: Numbers = field(init=False)
    speed: Numbers = field(init=False)
    _counts: dict[str, Numbers] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        each = [self.tracks.get(one.id, UNTRIED) for one in self.columns.readers]
        self.speed = np.array([one.speed for one in each], float)
        terms = [one for one in TERMS if one.scope == "reader" and one.value is not slack]
        candidates = [
            Candidate(reader, 0, track=track)
            for reader, track in zip(self.columns.readers, each, strict=True)
        ]
        self.own = np.array(
            [sum(term.weight * term.value(self.some, one) for term in terms) for one in candidates],
            float,
        )

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
        """Give what is a case's own in the scores of pairs, at their readers' loads."""
        total = np.zeros(len(row))
        for name, over in BY_CASE.items():
            total += WEIGHTS[name] * over(self, cases, row, reader, loads)
        return total

    def familiar(self, counts: str, name: str) -> Numbers:
        """Give how familiar everybody is with a modality, or a reason for review."""
        key = f"{counts} {name}"
        if key not in self._counts:
            tracks = (self.tracks.get(one.id, UNTRIED) for one in self.columns.readers)
            found = np.array([getattr(one, counts).get(name, 0) for one in tracks], float)
            self._counts[key] = found / (found + SHRINKAGE)
        return self._counts[key]


@dataclass(frozen=True, slots=True)
class Cases:
    """What is each case's own, as columns: hours left, work RVU, and who knows the patient.

    `known`: the numbers of pairs (case times readers, plus reader) of a case with somebody
    who has read the same patient before.
    """

    left: Numbers
    rvu: Numbers
    known: Rows

    @classmethod
    def of(cls, each: Sequence[Asking], columns: Columns) -> "Cases":
        readers, index = len(columns.readers), columns.index
        known = [
            n * readers + index[name]
            for n, one in enumerate(each)
            for name in one.seen_by
            if name in index
        ]
        return cls(
            np.array([_left(one) for one in each], float),
            np.array([one.need.rvu for one in each], float),
            np.array(known, np.intp),
        )


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
    if not len(cases.known):
        return np.zeros(len(row))
    return np.isin(row * len(scoring.columns.readers) + reader, cases.known).astype(float)


def deadline(scoring: Scoring, cases: Cases, row: Rows, reader: Rows, loads: Numbers) -> Numbers:
    left = cases.left[row]
    wanted = (1 + loads) * cases.rvu[row] / scoring.speed[reader]
    return np.asarray(np.where(left > 0, left / np.where(left > 0, left + wanted, 1), 0.0))


BY_KIND: Final[Mapping[str, Callable[[Need, Scoring], Numbers]]] = {
    one.__name__: one for one in (depth, experience, language)
}
BY_CASE: Final[Mapping[str, Callable[[Scoring, Cases, Rows, Rows, Numbers], Numbers]]] = {
    one.__name__: one for one in (continuity, deadline)
}

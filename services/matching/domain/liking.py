"""What speaks for a reader besides their field, where something is known of readers at all?

The soft terms of a policy, in [0, 1], each as fit.py says it of one reader; here over a whole staff
(a test holds the one to the other). Without any track record they decide nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from services.matching.domain import fit
from services.matching.domain.columns import Rows
from services.matching.domain.eligibility import Candidate
from services.matching.domain.fit import Asking
from services.matching.domain.need import Need
from services.matching.domain.pace import Seconds
from services.matching.domain.policy import Weights
from services.matching.domain.scoring import familiar
from services.matching.domain.staff import Staff
from services.matching.domain.track import UNTRIED, Track, experienced
from shared.contracts.base import ReaderId

# Of the reader alone; and of the reader and the case, by which one reader's cases differ too.
OWN: Final = {
    one.__name__: one
    for one in (fit.quality, fit.fairness, fit.workload, fit.speed, fit.acceptance)
}
PAIRED: Final = {one.__name__: one for one in (fit.experience, fit.continuity, fit.language)}
SOFT: Final = (*PAIRED, *OWN)


def liking(asking: Asking, candidate: Candidate) -> dict[str, float]:
    """Give all soft terms of one reader for a case."""
    return {name: value(asking, candidate) for name, value in (PAIRED | OWN).items()}


def shares(weights: Weights) -> dict[str, float]:
    """Give the weights of the soft terms as shares of all of them."""
    each = weights.of(SOFT)
    total = sum(each.values()) or 1.0
    return {name: one / total for name, one in each.items()}


@dataclass
class Likings:
    """A staff's track records, as arrays. Where there is none, no term is given."""

    staff: Staff
    tracks: Mapping[ReaderId, Track]
    _own: dict[str, Seconds] = field(default_factory=dict, init=False)
    _counts: dict[tuple[str, str], Seconds] = field(default_factory=dict, init=False)

    def track(self, reader: int) -> Track:
        return self.tracks.get(self.staff.readers[reader].id, UNTRIED)

    def readers(self, need: Need, seen_by: Collection[ReaderId], who: Rows) -> dict[str, Seconds]:
        """Give every soft term of some readers for one case."""
        if not self.tracks:
            return {}
        return self.paired(need, seen_by, who) | {
            name: values[who] for name, values in self._owned(need).items()
        }

    def paired(self, need: Need, seen_by: Collection[ReaderId], who: Rows) -> dict[str, Seconds]:
        """Give those of them that look at the case."""
        if not self.tracks:
            return {}
        columns, knows = self.staff.columns, self.staff.columns.nobody.copy()
        knows[[columns.index[one] for one in seen_by if one in columns.index]] = True
        read = [self._familiar("read", one)[who] for one in need.modalities]
        least = np.minimum.reduce(read) if read else np.zeros(len(who))
        speaks = columns.languages.get(need.language, columns.nobody)
        return {
            "experience": (least + self._familiar("reasons", need.reason_for_review)[who]) / 2,
            "continuity": knows[who].astype(float),
            "language": speaks[who].astype(float),
        }

    def cases(self, reader: int, kinds: "Kinds", rows: Rows) -> dict[str, Seconds]:
        """Give those terms of one reader for many cases; the kinds are few."""
        if not self.tracks:
            return {}
        one, track = self.staff.readers[reader], self.track(reader)
        codes, place = np.unique(kinds.codes[rows], return_inverse=True)
        each = [kinds.known[int(code)] for code in codes]
        seen = [row for row, readers in kinds.seen.items() if one.id in readers]
        return {
            "experience": np.array([experienced(track, kind[0], kind[1]) for kind in each])[place],
            "continuity": np.isin(rows, seen).astype(float),
            "language": np.array([float(kind[2] in one.languages) for kind in each])[place],
        }

    def _owned(self, some: Need) -> dict[str, Seconds]:
        """Give each reader's own terms, worked out once; no case is looked at."""
        if not self._own:
            asking = Asking(some, some.accepted_at)
            each = [
                Candidate(one, 0, track=self.tracks.get(one.id, UNTRIED))
                for one in self.staff.readers
            ]
            self._own = {
                name: np.array([value(asking, one) for one in each]) for name, value in OWN.items()
            }
        return self._own

    def _familiar(self, counts: str, name: str) -> Seconds:
        key = (counts, name)
        if key not in self._counts:
            self._counts[key] = familiar(self.staff.columns, self.tracks, counts, name)
        return self._counts[key]


@dataclass
class Kinds:
    """What the terms look at of each waiting case, by its row: what many cases share, as a code.

    `seen`: who has read the patient before, of the rows of which somebody has.
    """

    codes: Rows
    known: list[tuple[tuple[str, ...], str, str]] = field(default_factory=list)
    seen: dict[int, frozenset[ReaderId]] = field(default_factory=dict)
    _index: dict[tuple[tuple[str, ...], str, str], int] = field(default_factory=dict)

    def put(self, row: int, need: Need, seen_by: frozenset[ReaderId]) -> None:
        key = (need.modalities, need.reason_for_review, need.language)
        if key not in self._index:
            self._index[key] = len(self.known)
            self.known.append(key)
        self.codes[row] = self._index[key]
        self.seen.pop(row, None)
        if seen_by:
            self.seen[row] = seen_by

    def grow(self) -> None:
        self.codes = np.concatenate([self.codes, np.zeros_like(self.codes)])

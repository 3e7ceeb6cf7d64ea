"""Which of many cases go to which of many readers, all at once? A sparse assignment problem.

Each free place of a reader is a column, each case a row, each pair that may be a cost; a column
of its own, at a price that grows with its urgency, stands for leaving a case out. The solver is
scipy's LAPJVsp (Jonker and Volgenant 1987), which gives the cheapest complete matching.

The most urgent are solved first, about as many as there are free places, and then those that may
still go somewhere. So nobody who may read a case is free when it is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from services.matching.domain.columns import Mask, Numbers, Rows
from services.matching.domain.scoring import Cases, Scoring

Solver: TypeAlias = Callable[[csr_array], Rows]
# Leaving a case out costs as much as so many of the worst fits; and more, the more urgent it is.
LEFT_OUT: Final = 10.0
BY_URGENCY: Final = 10.0
# At least so many cases are solved together, and no more pairs than that: time and memory.
TOGETHER: Final = 512
PAIRS: Final = 400_000
NOWHERE: Final = -1


def solved(matrix: csr_array) -> Rows:
    """Give each row's column in the cheapest complete matching."""
    return np.asarray(min_weight_full_bipartite_matching(matrix)[1], np.intp)


@dataclass(frozen=True, slots=True)
class Wishes:
    """Cases in their order, the most urgent first: who may read each, and how it scores them.

    `may`: (cases, readers). `kind`: which of `kinds` each case is; those are the scores that cases
    alike share: (kinds, readers). `room`: how many readers each wants, `urgency`: at least 0.
    """

    may: Mask
    kind: Rows
    kinds: Numbers
    cases: Cases
    room: Rows
    urgency: Numbers


@dataclass
class Spread:
    """Spreads wishes over the crowd that is scored. `left`: each reader's places still free."""

    scoring: Scoring
    solver: Solver = solved
    left: Rows = field(init=False)

    def __post_init__(self) -> None:
        crowd = self.scoring.crowd
        self.left = np.where(crowd.free, crowd.columns.capacity - crowd.loads, 0).astype(np.intp)

    def over(self, wishes: Wishes) -> list[list[int]]:
        """Give the readers of each case, none of whom is given more than they have room for."""
        given: list[list[int]] = [[] for _ in wishes.room]
        pending = np.arange(len(given))
        may = wishes.may.copy()
        while len(pending := self._hopeful(pending, may)):
            together = pending[: max(TOGETHER, 2 * int(self.left.sum()))]
            for row, reader in self._solved(wishes, may, together):
                given[row].append(reader)
                may[row, reader] = False
                if len(given[row]) == wishes.room[row]:
                    may[row] = False
        return given

    def _hopeful(self, rows: Rows, may: Mask) -> Rows:
        """Give the cases for which somebody has a place."""
        return np.asarray(rows[may[rows][:, self.left > 0].any(axis=1)])

    def _solved(self, wishes: Wishes, may: Mask, rows: Rows) -> list[tuple[int, int]]:
        who = np.flatnonzero((self.left > 0) & may[rows].any(axis=0))
        row, reader = np.nonzero(may[np.ix_(rows, who)])
        places = self._places(who, len(row))
        first = np.cumsum(places) - places
        row, reader = _fewer(row, reader, self._fits(wishes, rows[row], who[reader], 0), places)
        pairs = np.repeat(np.arange(len(row)), places[reader])
        before = np.cumsum(places[reader]) - places[reader]
        place = np.arange(len(pairs)) - before[pairs]
        row, reader = row[pairs], reader[pairs]
        costs = 2 - self._fits(wishes, rows[row], who[reader], place)
        columns = int(places.sum())
        found = self._matched(row, first[reader] + place, costs, columns, wishes.urgency[rows])
        owner = np.repeat(who, places)
        chosen = [(int(rows[n]), int(owner[one])) for n, one in enumerate(found) if one != NOWHERE]
        np.subtract.at(self.left, [reader for _, reader in chosen], 1)
        return chosen

    def _places(self, who: Rows, pairs: int) -> Rows:
        """Give how many places of each reader are looked at: not so many that it takes long."""
        return np.asarray(np.minimum(self.left[who], max(1, 4 * PAIRS // max(1, pairs))))

    def _fits(self, wishes: Wishes, row: Rows, reader: Rows, place: Rows | int) -> Numbers:
        """Give the scores of pairs of case and reader, with so many cases more."""
        loads = (self.scoring.columns.capacity - self.left)[reader] + place
        own = self.scoring.of_pairs(wishes.cases, row, reader, loads)
        return wishes.kinds[wishes.kind[row], reader] + self.scoring.slack(reader, loads) + own

    def _matched(
        self, row: Rows, column: Rows, costs: Numbers, columns: int, urgency: Numbers
    ) -> Rows:
        """Solve, and give each row's column; NOWHERE where it is left out."""
        rows = len(urgency)
        every = np.arange(rows)
        matrix = csr_array(
            (
                np.concatenate([costs, LEFT_OUT + BY_URGENCY * urgency]),
                (np.concatenate([row, every]), np.concatenate([column, columns + every])),
            ),
            shape=(rows, columns + rows),
        )
        found = self.solver(matrix)
        return np.where(found < columns, found, NOWHERE)


def _fewer(row: Rows, reader: Rows, fit: Numbers, places: Rows) -> tuple[Rows, Rows]:
    """Keep of each case's readers the best, and others evenly, where there are too many pairs."""
    rows = int(row.max()) + 1
    most = max(8, int(PAIRS / max(1.0, float(places.mean())) / rows))
    if len(row) <= most * rows:
        return row, reader
    order = np.lexsort((reader, -fit, row))
    row, reader = row[order], reader[order]
    counts = np.bincount(row, minlength=rows)
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    step = np.maximum(1, counts[row] * 2 // most)
    kept = (place < most // 2) | ((place + row) % step == 0)
    return row[kept], reader[kept]

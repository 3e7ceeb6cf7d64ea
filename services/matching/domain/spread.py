"""Which of many cases go to which of many readers, all at once? A sparse assignment problem.

Each free place of a reader is a column, each case a row, each pair that may be a cost; a column
of its own, at a price that grows with its urgency, stands for leaving a case out. The solver is
scipy's LAPJVsp (Jonker and Volgenant 1987), which gives the cheapest complete matching.

All are solved at once, so that no other matching is cheaper; only where they were too many pairs
(PAIRS), the most urgent are solved first, and then those that may still go somewhere. Nobody who
may read a case is free when it is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from services.matching.domain.columns import Mask, Numbers, Rows
from services.matching.domain.policy import DIRECTED
from services.matching.domain.scoring import Cases, Scoring
from services.matching.domain.timetable import OFF

Solver: TypeAlias = Callable[[csr_array], Rows]
# Leaving a case out costs as much as so many of the worst fits; and more, the more urgent it is.
LEFT_OUT: Final = 10.0
BY_URGENCY: Final = 10.0
# The slack at which urgency is half of what it is at the deadline; it grows on beyond that.
HALF: Final = DIRECTED.urgent_within.total_seconds()
# So many pairs are weighed together: the solver takes about 40 ms for a million, and 50 MB.
PAIRS: Final = 4_000_000


def solved(matrix: csr_array) -> Rows:
    """Give each row's column in the cheapest complete matching."""
    return np.asarray(min_weight_full_bipartite_matching(matrix)[1], np.intp)


@dataclass(frozen=True, slots=True)
class Wishes:
    """Cases in their order, the most urgent first. Those of a `group` may be read by the same.

    `may`: (groups, readers). `kind`: which of `kinds` each group is; those are the scores that
    cases alike share: (kinds, readers). `room`: how many readers each case wants, `urgency`: at
    least 0.
    """

    group: Rows
    may: Mask
    kind: Rows
    kinds: Numbers
    cases: Cases
    room: Rows
    urgency: Numbers


@dataclass(frozen=True, slots=True)
class Places:
    """Free places, one column each: whose they are, and what is held when they are taken."""

    reader: Rows
    load: Numbers


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
        self._called(wishes)
        given: list[list[int]] = [[] for _ in wishes.room]
        wanted = wishes.room.copy()
        while len(rows := self._hopeful(wishes, wanted)):
            found = self._solved(wishes, *self._together(wishes, rows))
            for row, reader in found:
                given[row].append(reader)
            if found:
                wanted[[row for row, _ in found]] -= 1
            wishes = _apart(wishes, [pair for pair in found if wanted[pair[0]]])
        return given

    def _called(self, wishes: Wishes) -> None:
        """Give places to those on no shift who may be asked all the same: they are on call."""
        crowd = self.scoring.crowd
        called = wishes.may.any(axis=0) & (crowd.began == OFF)
        room = (crowd.columns.capacity - crowd.loads)[called]
        self.left[called] = np.maximum(self.left[called], room.astype(np.intp))

    def _hopeful(self, wishes: Wishes, wanted: Rows) -> Rows:
        """Give the cases that want somebody who has a place."""
        some: Mask = np.asarray(wishes.may[:, self.left > 0].any(axis=1))
        return np.flatnonzero((wanted > 0) & some[wishes.group])

    def _together(self, wishes: Wishes, rows: Rows) -> tuple[Rows, Places]:
        """Give the cases that are solved together, the most urgent, and for which places.

        That is all of both, unless they were too many pairs.
        """
        open_ = np.where(wishes.may, self.left, 0)
        pairs, readers = open_.sum(axis=1)[wishes.group[rows]], (open_ > 0).sum(axis=1)
        most = int(self.left.max())
        if pairs.sum() > PAIRS:
            most = max(1, PAIRS // int(readers[wishes.group[rows]].sum()))
            pairs = np.minimum(open_, most).sum(axis=1)[wishes.group[rows]]
            rows = rows[: max(1, int(np.searchsorted(np.cumsum(pairs), PAIRS, "right")))]
        return rows, self._places(np.minimum(self.left, most))

    def _places(self, count: Rows) -> Places:
        reader = np.repeat(np.arange(len(count)), count)
        before = np.arange(len(reader)) - np.repeat(np.cumsum(count) - count, count)
        return Places(reader, (self.scoring.columns.capacity - self.left)[reader] + before)

    def _solved(self, wishes: Wishes, rows: Rows, places: Places) -> list[tuple[int, int]]:
        may = wishes.may[:, places.reader]
        block = _blocks(wishes.kind, may)[wishes.group[rows]]
        alike = np.argsort(block, kind="stable")
        matrix = self._matrix(wishes, rows[alike], block[alike], places, may)
        # The most urgent first: who comes later hardly displaces anybody, which is far quicker.
        found = self.solver(matrix[np.argsort(alike)])
        taken = np.flatnonzero(found < len(places.reader))
        readers = places.reader[found[taken]]
        np.subtract.at(self.left, readers, 1)
        return list(zip(rows[taken].tolist(), readers.tolist(), strict=True))

    def _matrix(
        self, wishes: Wishes, rows: Rows, block: Rows, places: Places, may: Mask
    ) -> csr_array:
        """Give what each case costs where, block by block: its cases may have the same places."""
        columns, slack = len(places.reader), self.scoring.slack(places.reader, places.load)
        ends = np.cumsum(may.sum(axis=1)[block] + 1)
        costs, column = np.empty(int(ends[-1])), np.empty(int(ends[-1]), np.int32)
        begins = np.flatnonzero(np.diff(block, prepend=-1))
        for begin, end in zip(begins, [*begins[1:], len(rows)], strict=True):
            part = slice(int(ends[begin - 1]) if begin else 0, int(ends[end - 1]))
            where = np.flatnonzero(may[block[begin]])
            reader, load = places.reader[where], places.load[where]
            shared = wishes.kinds[wishes.kind[block[begin]], reader] + slack[where]
            own = self.scoring.of_pairs(wishes.cases, rows[begin:end, None], reader, load)
            shape = (end - begin, len(where) + 1)
            costs[part].reshape(shape)[:, :-1] = (2 - shared) - own
            column[part].reshape(shape)[:, :-1] = where
        costs[ends - 1] = LEFT_OUT + BY_URGENCY * wishes.urgency[rows]
        column[ends - 1] = columns + np.arange(len(rows))
        each = (costs, column, np.concatenate([[0], ends]).astype(np.int32))
        return csr_array(each, shape=(len(rows), columns + len(rows)))


def _blocks(kind: Rows, may: Mask) -> Rows:
    """Give each group the first group that is scored alike and may have the same places."""
    first: dict[tuple[int, bytes], int] = {}
    each = zip(kind.tolist(), may, strict=True)
    return np.array([first.setdefault((k, one.tobytes()), n) for n, (k, one) in enumerate(each)])


def _apart(wishes: Wishes, given: Sequence[tuple[int, int]]) -> Wishes:
    """Put those who want more than they were given in groups of their own: not the same again."""
    if not given:
        return wishes
    rows, readers = np.array(given, np.intp).T
    group, old = wishes.group.copy(), wishes.group[rows]
    may = wishes.may[old]
    may[np.arange(len(rows)), readers] = False
    group[rows] = len(wishes.may) + np.arange(len(rows))
    return replace(
        wishes,
        group=group,
        may=np.concatenate([wishes.may, may]),
        kind=np.concatenate([wishes.kind, wishes.kind[old]]),
    )


def urgency(slack: Numbers) -> Numbers:
    """Give 1 at the deadline, less the more time is left, and up to 2 the longer it is over."""
    late = np.maximum(-slack, 0)
    return np.asarray(HALF / (HALF + np.maximum(slack, 0)) + late / (HALF + late))

"""What does the roster look like to a question about everybody? Its readers as columns.

One array per word that a rule may ask for, made once per version of the roster, in the order in
which the readers are given. Days are proleptic ordinals (`date.toordinal`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.author import UNKNOWN, Author, author_of
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from services.matching.domain.stint import A_DAY
from services.matching.domain.timetable import EPOCH, MICROSECOND, OFF, Timetable
from shared.contracts.base import ReaderId

Mask: TypeAlias = NDArray[np.bool_]
Days: TypeAlias = NDArray[np.int64]
Numbers: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]
NO_END: Final = date.max.toordinal()
NO_CAP: Final = float("inf")
NONE: Final = np.empty(0, np.intp)


@dataclass
class Columns:
    """A roster as arrays over its readers.

    Masks by word say who has it; days by word until when, 0 for who never had it; rows by word
    who has it, for words that few share. `weakest`: the day through which all that is on record
    of a reader's credentials is in force; `parties`: all to whom somebody on the roster has ties.
    """

    readers: tuple[Reader, ...]
    modalities: Mapping[str, Mask] = field(init=False)
    regions: Mapping[str, Mask] = field(init=False)
    fields: Mapping[str, Numbers] = field(init=False)
    fellowships: Mapping[str, Mask] = field(init=False)
    written: Mapping[str, Mask] = field(init=False)
    languages: Mapping[str, Mask] = field(init=False)
    licences: Mapping[str, Days] = field(init=False)
    credentials: Mapping[str, Days] = field(init=False)
    privileges: Mapping[str, Days] = field(init=False)
    employed: Mapping[str, Rows] = field(init=False)
    named: Mapping[str, Rows] = field(init=False)
    grouped: Mapping[str, Rows] = field(init=False)
    averse: Mapping[str, Rows] = field(init=False)

    def __post_init__(self) -> None:
        each = self.readers
        self.index = {one.id: n for n, one in enumerate(each)}
        self.everybody: Mask = np.ones(len(each), bool)
        self.nobody: Mask = np.zeros(len(each), bool)
        self.never: Days = np.zeros(len(each), np.int64)
        self.modalities = self._masks(lambda one: one.modalities)
        self.regions = self._masks(lambda one: one.body_regions)
        self.fellowships = self._masks(lambda one: one.fellowships)
        self.written = self._masks(lambda one: (tag.partition("-")[0] for tag in one.languages))
        self.languages = self._masks(lambda one: one.languages)
        self.licences = self._days(
            lambda one: ((held.jurisdiction, held.expires_on) for held in one.licences)
        )
        self.credentials = self._days(
            lambda one: ((held.code, held.expires_on) for held in one.credentials)
        )
        self.privileges = self._days(
            lambda one: ((held.partner, held.expires_on) for held in one.privileges)
        )
        self.employed = self._rows(lambda one: one.staff_of)
        self.named = self._rows(lambda one: (one.id, *one.identifiers))
        self.grouped = self._rows(lambda one: one.groups)
        self.averse = self._rows(lambda one: one.conflicts)
        self.parties = frozenset().union(self.employed, self.named, self.grouped, self.averse)
        self._numbers()

    def _numbers(self) -> None:
        each, caps = self.readers, [one.caps for one in self.readers]
        self.active: Mask = np.array([one.active for one in each], bool)
        self.human: Mask = np.array([one.kind == "human" for one in each], bool)
        self.all_regions: Mask = np.array([not one.body_regions for one in each], bool)
        self.capacity: Numbers = np.array([one.capacity for one in each], float)
        self.breadth: Numbers = np.array([len(one.subspecialties) for one in each], float)
        self.cases_cap: Numbers = np.array([_cap(one.cases) for one in caps])
        self.rvu_cap: Numbers = np.array([_cap(one.rvu) for one in caps])
        self.weakest: Days = np.full(len(each), NO_END)
        for last in self.credentials.values():
            np.minimum(self.weakest, np.where(last > 0, last, NO_END), out=self.weakest)
        self.fields = self._depths()
        self.timetable = Timetable.of(each)

    def author(self, need: Need) -> Author:
        """Say how the roster knows who made the first report of a case."""
        rows = self.named.get(need.first_reader or "", NONE)
        return author_of(need, (self.readers[n] for n in rows)) if len(rows) else UNKNOWN

    def counted_from(self, now: datetime) -> dict[ReaderId, datetime]:
        """Say since when cases and RVU count, of each who is at work and has a cap on either."""
        table = self.timetable
        since = table.since(now, table.began(now))
        capped = (self.cases_cap < NO_CAP) | (self.rvu_cap < NO_CAP)
        rows = np.flatnonzero(capped & (since != OFF))
        return {
            self.readers[n].id: max(EPOCH + int(since[n]) * MICROSECOND, now - A_DAY) for n in rows
        }

    def _depths(self) -> dict[str, Numbers]:
        """Give how deep each reader is in each subspecialty: 1 for their first-named, 1/2, ..."""
        found: defaultdict[str, Numbers] = defaultdict(lambda: np.zeros(len(self.readers)))
        for n, one in enumerate(self.readers):
            for place, name in reversed(list(enumerate(one.subspecialties))):
                found[name][n] = 1 / (1 + place)
        return dict(found)

    def _masks(self, words: Callable[[Reader], Iterable[str]]) -> dict[str, Mask]:
        found: defaultdict[str, Mask] = defaultdict(self.nobody.copy)
        for n, one in enumerate(self.readers):
            for word in words(one):
                found[word][n] = True
        return dict(found)

    def _days(self, held: Callable[[Reader], Iterable[tuple[str, date]]]) -> dict[str, Days]:
        found: defaultdict[str, Days] = defaultdict(self.never.copy)
        for n, one in enumerate(self.readers):
            for word, last in held(one):
                found[word][n] = max(found[word][n], last.toordinal())
        return dict(found)

    def _rows(self, words: Callable[[Reader], Iterable[str]]) -> dict[str, Rows]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for n, one in enumerate(self.readers):
            for word in dict.fromkeys(words(one)):
                found[word].append(n)
        return {word: np.array(rows, np.intp) for word, rows in found.items()}


def _cap(cap: float | None) -> float:
    return NO_CAP if cap is None else float(cap)

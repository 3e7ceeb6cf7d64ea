"""Which of many cases do the rules tell nobody apart by? Asked once for each such group."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from services.matching.domain.crowd import FREE, Codes, Ties, tied
from services.matching.domain.picture import Picture
from services.matching.domain.waiting import Waiting
from shared.contracts.matching import Ineligible

Counts: TypeAlias = tuple[Ineligible, ...]


@dataclass
class Groups:
    """Cases that the rules tell nobody apart by: of a kind, and with the same ties.

    `first` is one case of each and `ties` are its own; `codes` says what excludes whom of the
    roster from it before the round.
    """

    picture: Picture
    first: list[Waiting] = field(default_factory=list)
    ties: list[Ties] = field(default_factory=list)
    codes: list[Codes] = field(default_factory=list)
    _numbers: dict[tuple[object, ...], int] = field(default_factory=dict)
    _counts: dict[int, tuple[Counts, int]] = field(default_factory=dict)
    _later: dict[int, Counts] = field(default_factory=dict)

    def of(self, case: Waiting) -> int:
        """Give the number of the case's group."""
        key = self._key(case)
        number = self._numbers.get(key)
        return self._new(key, case) if number is None else number

    def nearest(self, case: Waiting) -> tuple[Waiting, int]:
        """Give a case as it is asked now, with its group: as near as enough may read it."""
        for step in case.nearer() if case.broad or case.paged else ():
            number = self.of(step)
            if np.count_nonzero(self.codes[number] == FREE) >= case.room:
                return step, number
        return case, self.of(case)

    def counts(self, number: int) -> tuple[Counts, int]:
        """Count who is excluded before the round, and who is not."""
        if number not in self._counts:
            codes = self.codes[number]
            self._counts[number] = self.picture.counts(codes), int((codes == FREE).sum())
        return self._counts[number]

    def nobody(self, number: int, later: Picture) -> Counts:
        """Count after the round, in which whoever may read the case was given others."""
        if number not in self._later:
            self._later[number] = later.counts(self._asked(later, number), all_taken=True)
        return self._later[number]

    def _new(self, key: tuple[object, ...], case: Waiting) -> int:
        number = self._numbers[key] = len(self.first)
        question, columns = case.question(self.picture.crowd.now), self.picture.staff.columns
        self.first.append(case)
        self.ties.append(tied(question, columns) if len(key) > 1 else ())
        self.codes.append(self._asked(self.picture, number))
        return number

    def _asked(self, picture: Picture, number: int) -> Codes:
        one, ties = self.first[number], self.ties[number]
        return picture.codes_of(one.question(picture.crowd.now), one.kind.skill, ties, one.asked)

    def _key(self, case: Waiting) -> tuple[object, ...]:
        known, kind = self.picture.staff.columns.parties, (case.kind, case.broad, case.paged)
        if known.isdisjoint(case.parties) and not (case.refused or case.earlier or case.asked):
            return (kind,)
        ties = (one if one in known else None for one in case.parties)
        return (kind, case.refused, case.earlier, case.asked, *ties)

"""Whom do the rules let read which kind of case? Asked once per kind, kept as masks over readers.

The rules themselves are eligibility.py's; here their answers are only kept, for as long as it is
the same day wherever a reader is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias

from services.matching.domain.columns import Columns, Mask, Numbers
from services.matching.domain.crowd import FREE, Codes, Crowd, barriers, tied
from services.matching.domain.eligibility import Earlier, Question
from services.matching.domain.fit import Asking, Weighed
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from services.matching.domain.scoring import own
from services.matching.domain.timetable import EPOCH
from services.matching.domain.track import Track
from shared.contracts.base import ReaderId

__all__ = ["Able", "Mask", "Skill", "Staff", "skill", "staffed"]

Skill: TypeAlias = tuple[object, ...]
# Readers in other places have the next day at other times; older answers are asked again.
KEPT: Final = 8


def skill(need: Need) -> Skill:
    """Give all of a need that the constraints of scope `skill` look at."""
    kind = (need.subspecialty, need.pediatric, need.obstetric, need.fellowship)
    rules = (need.rules, need.partner if need.rules.needs_privileges else None)
    return (need.modalities, need.regions, need.jurisdiction, need.report_language, *kind, *rules)


@dataclass(frozen=True, slots=True)
class Able:
    """Who may read a kind of case: `right` within its subspecialty, `broad` beyond it too.

    `codes`: the place of the first constraint that keeps a reader out of `right`, or FREE;
    `beyond`: likewise of `broad`.
    """

    right: Mask
    broad: Mask
    codes: Codes
    beyond: Codes


@dataclass
class Staff:
    """A roster in a fixed order; every mask follows it."""

    roster: Mapping[ReaderId, Reader]
    readers: tuple[Reader, ...] = field(init=False)
    index: dict[ReaderId, int] = field(init=False)
    columns: Columns = field(init=False)
    _kept: dict[tuple[int, ...], tuple[Crowd, dict[Skill, Able]]] = field(
        default_factory=dict, init=False
    )
    _tracks: Mapping[ReaderId, Track] = field(default_factory=dict, init=False)
    _own: Numbers | None = field(default=None, init=False)
    _weighed: dict[int, Weighed] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.readers = tuple(self.roster.values())
        self.columns = Columns(self.readers)
        self.index = self.columns.index

    def able(self, need: Need, now: datetime, of: Skill | None = None) -> Able:
        """Say who may read it; `of` is its skill, where that is known."""
        crowd, known = self._today(now)
        key = of or skill(need)
        if key not in known:
            known[key] = _ask(need, crowd)
        return known[key]

    def own(self, tracks: Mapping[ReaderId, Track], some: Asking) -> Numbers:
        """Give the readers' own part of their scores; kept while these tracks are the same."""
        self._follow(tracks)
        if self._own is None:
            self._own = own(self.readers, tracks, some)
        return self._own

    def weighed(self, tracks: Mapping[ReaderId, Track]) -> dict[int, Weighed]:
        """Give what was kept of readers' own terms, by their places, to be added to."""
        self._follow(tracks)
        return self._weighed

    def _follow(self, tracks: Mapping[ReaderId, Track]) -> None:
        if self._tracks is not tracks:
            self._tracks, self._own, self._weighed = tracks, None, {}

    def mask(self, names: Iterable[ReaderId]) -> Mask:
        """Tell who of all readers is named."""
        found = self.columns.nobody.copy()
        found[[self.index[one] for one in names if one in self.index]] = True
        return found

    def conflicted(self, need: Need, earlier: Sequence[Earlier] = ()) -> set[int]:
        """Give whom the case's own rules exclude, by index and not reader by reader."""
        question = Question(need, frozenset(), EPOCH, tuple(earlier))
        return {int(n) for _, rows in tied(question, self.columns) for n in rows}

    def _today(self, now: datetime) -> tuple[Crowd, dict[Skill, Able]]:
        day = self.columns.timetable.today(now)
        if day not in self._kept:
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[day] = (Crowd.of(self.columns, now), {})
        return self._kept[day]


def staffed(roster: Mapping[ReaderId, Reader]) -> Staff:
    """Put a roster in the order of names, so that ties are broken alike whoever asks."""
    return Staff(dict(sorted(roster.items(), reverse=True)))


def _ask(need: Need, crowd: Crowd) -> Able:
    question = Question(need, frozenset(), crowd.now)
    codes = barriers(question, crowd, "skill")
    broad = barriers(replace(question, broad=True), crowd, "skill")
    return Able(codes == FREE, broad == FREE, codes, broad)

"""Whom do the rules let read which kind of case? Asked once per kind, kept as masks over readers.

The rules themselves are eligibility.py's; here their answers are only kept. Every date in a
reader's record is a moment at which an answer may change, and is asked again after it.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.eligibility import BY_SCOPE, Candidate, Earlier, Question, barred
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from shared.contracts.base import ReaderId

Mask: TypeAlias = NDArray[np.bool_]
Skill: TypeAlias = tuple[object, ...]
NOBODY: Final[frozenset[int]] = frozenset()


def skill(need: Need) -> Skill:
    """Give all of a need that the constraints of scope `skill` look at."""
    kind = (need.subspecialty, need.pediatric, need.obstetric, need.fellowship)
    rules = (need.rules, need.partner if need.rules.needs_privileges else None)
    return (need.modalities, need.regions, need.jurisdiction, need.report_language, *kind, *rules)


@dataclass(frozen=True, slots=True)
class Able:
    """Who may read a kind of case: `right` within its subspecialty, `broad` beyond it too.

    `excluded` counts the readers whom each constraint keeps out of `right`.
    """

    right: Mask
    broad: Mask
    excluded: Counter[str]


@dataclass
class Staff:
    """A roster in a fixed order; every mask follows it."""

    roster: Mapping[ReaderId, Reader]
    readers: tuple[Reader, ...] = field(init=False)
    index: dict[ReaderId, int] = field(init=False)
    _able: dict[tuple[int, Skill], Able] = field(default_factory=dict, init=False)
    _turns: list[float] = field(init=False)
    _named: Mapping[str, frozenset[int]] = field(init=False)
    _grouped: Mapping[str, frozenset[int]] = field(init=False)
    _averse: Mapping[str, frozenset[int]] = field(init=False)
    _employed: Mapping[str, frozenset[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.readers = tuple(self.roster.values())
        self.index = {one.id: n for n, one in enumerate(self.readers)}
        self._turns = sorted({turn for one in self.readers for turn in _turns(one)})
        self._named = _indexed((n, (r.id, *r.identifiers)) for n, r in enumerate(self.readers))
        self._grouped = _indexed((n, r.groups) for n, r in enumerate(self.readers))
        self._averse = _indexed((n, r.conflicts) for n, r in enumerate(self.readers))
        self._employed = _indexed((n, r.staff_of) for n, r in enumerate(self.readers))

    def able(self, need: Need, now: datetime) -> Able:
        key = (bisect_right(self._turns, now.timestamp()), skill(need))
        if key not in self._able:
            self._able[key] = self._ask(need, now)
        return self._able[key]

    def conflicted(self, need: Need, earlier: Sequence[Earlier] = ()) -> set[int]:
        """Give whom the case's own rules exclude, by index and not reader by reader."""
        reader, group = need.first_reader or "", need.first_group or ""
        out = set(self._named.get(reader, NOBODY) | self._grouped.get(group, NOBODY))
        for party in (need.partner, reader, group):
            out |= self._averse.get(party, NOBODY)
        if need.rules.excludes_own_staff:
            out |= self._employed.get(need.partner, NOBODY)
        for one in earlier:
            out |= {self.index[one.reader]} if one.reader in self.index else set()
            out.update(*(self._grouped.get(name, NOBODY) for name in one.groups))
        return out

    def _ask(self, need: Need, now: datetime) -> Able:
        each = [self._by(Question(need, frozenset(), now), one) for one in self.readers]
        broad = [self._by(Question(need, frozenset(), now, broad=True), r) for r in self.readers]
        return Able(
            np.array([one is None for one in each], bool),
            np.array([one is None for one in broad], bool),
            Counter(one for one in each if one is not None),
        )

    def _by(self, question: Question, reader: Reader) -> str | None:
        by = barred(question, Candidate(reader, 0), BY_SCOPE["skill"])
        return None if by is None else by.name


def _indexed(each: Iterable[tuple[int, Iterable[str]]]) -> dict[str, frozenset[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for n, names in each:
        for name in names:
            found[name].add(n)
    return {name: frozenset(readers) for name, readers in found.items()}


def _turns(reader: Reader) -> Iterator[float]:
    """Give the moments at which a rule about a date of this reader's may turn."""
    zone = ZoneInfo(reader.time_zone)
    for day in set(_dates(dict(reader))):
        for at in (day, min(day, date(9000, 1, 1)) + timedelta(days=1)):
            yield datetime.combine(at, time(), zone).astimezone(UTC).timestamp()


def _dates(value: Any) -> Iterator[date]:
    match value:
        case datetime():
            yield value.date()
        case date():
            yield value
        case dict():
            for one in value.values():
                yield from _dates(one)
        case tuple() | list():
            for one in value:
                yield from _dates(one)
        case _ if hasattr(value, "__dict__"):
            yield from _dates(vars(value))

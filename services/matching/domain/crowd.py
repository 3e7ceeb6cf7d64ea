"""Whom of all readers at once does each rule let read? eligibility.py's table, over arrays.

The rules there are the law: the decider asks them of whoever is offered a case, or accepts one.
These give the same answers for a whole roster (tests/unit/matching/test_crowd.py), so that a
round over thousands of readers asks each kind of case once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.columns import NONE, Columns, Days, Mask, Numbers, Rows
from services.matching.domain.eligibility import CONSTRAINTS, Question, Scope, Work
from services.matching.domain.need import GENERAL, OBSTETRIC, PEDIATRIC
from services.matching.domain.timetable import OFF, Micros
from shared.contracts.base import ReaderId

Codes: TypeAlias = NDArray[np.int8]
Ties: TypeAlias = Sequence[tuple[int, Rows]]
FREE: Final = 127  # the code of who is excluded by nothing; the others are places in the table
RANK: Final = {one.name: n for n, one in enumerate(CONSTRAINTS)}


@dataclass(frozen=True)
class Crowd:
    """Everybody on a roster at one moment. `began`: since when they are on shift, in microseconds.

    `since`: since when those with a cap have been at work, likewise.
    `loads`, `cases`, `rvu` and `away` follow the order of the columns' readers.
    """

    columns: Columns
    now: datetime
    days: Days
    began: Micros
    since: Micros
    loads: Numbers
    cases: Numbers
    rvu: Numbers
    away: Mask

    @classmethod
    def of(cls, columns: Columns, now: datetime) -> "Crowd":
        """Give everybody as they are when nobody has done anything yet."""
        table, idle = columns.timetable, np.zeros(len(columns.readers))
        days, began = table.days(now), table.began(now)
        since = table.since(now, began)
        return cls(columns, now, days, began, since, idle, idle, idle, columns.nobody)

    def busy(
        self,
        loads: Mapping[ReaderId, int],
        work: Mapping[ReaderId, Work],
        away: Collection[ReaderId],
    ) -> "Crowd":
        """Add who holds how many cases, has done how much, and is away."""
        each, place = self.columns.readers, self.columns.index
        cases, rvu = np.zeros(len(each)), np.zeros(len(each))
        gone = self.columns.nobody.copy()
        for name, done in work.items():
            if (n := place.get(name)) is not None:
                cases[n], rvu[n] = done.cases, done.rvu
        gone[[place[name] for name in away if name in place]] = True
        held = np.array([loads.get(one.id, 0) for one in each], float)
        return replace(self, loads=held, cases=cases, rvu=rvu, away=gone)

    @property
    def free(self) -> Mask:
        """Tell who has room for a case as far as time, fatigue and capacity go."""
        columns, there = self.columns, (self.began != OFF) & ~self.away
        tired = columns.timetable.overdue(self.now, self.since) | (self.cases >= columns.cases_cap)
        return np.asarray(there & ~tired & (self.loads < columns.capacity))


def on_roster(_question: Question, crowd: Crowd) -> Mask:
    return crowd.columns.active


def human(_question: Question, crowd: Crowd) -> Mask:
    return crowd.columns.human


def modality(question: Question, crowd: Crowd) -> Mask:
    return _all(crowd.columns, crowd.columns.modalities, question.need.modalities)


def body_region(question: Question, crowd: Crowd) -> Mask:
    columns = crowd.columns
    return columns.all_regions | _all(columns, columns.regions, question.need.regions)


def subspecialty(question: Question, crowd: Crowd) -> Mask:
    if question.need.subspecialty == GENERAL or question.broad:
        return crowd.columns.everybody
    return _of_field(crowd, question.need.subspecialty)


def pediatric(question: Question, crowd: Crowd) -> Mask:
    return _of_field(crowd, PEDIATRIC) if question.need.pediatric else crowd.columns.everybody


def obstetric(question: Question, crowd: Crowd) -> Mask:
    return _of_field(crowd, OBSTETRIC) if question.need.obstetric else crowd.columns.everybody


def fellowship(question: Question, crowd: Crowd) -> Mask:
    columns, wanted = crowd.columns, question.need.fellowship
    return columns.everybody if wanted is None else columns.fellowships.get(wanted, columns.nobody)


def licence(question: Question, crowd: Crowd) -> Mask:
    columns = crowd.columns
    return columns.licences.get(question.need.jurisdiction, columns.never) >= crowd.days


def credentials(question: Question, crowd: Crowd) -> Mask:
    columns = crowd.columns
    found = columns.weakest >= crowd.days
    for code in question.need.rules.credentials:
        found = found & (columns.credentials.get(code, columns.never) >= crowd.days)
    return found


def privileges(question: Question, crowd: Crowd) -> Mask:
    columns, need = crowd.columns, question.need
    if not need.rules.needs_privileges:
        return columns.everybody
    return columns.privileges.get(need.partner, columns.never) >= crowd.days


def language(question: Question, crowd: Crowd) -> Mask:
    columns, wanted = crowd.columns, question.need.report_language
    return columns.everybody if wanted is None else columns.written.get(wanted, columns.nobody)


def own_staff(question: Question, columns: Columns) -> Rows:
    need = question.need
    return columns.employed.get(need.partner, NONE) if need.rules.excludes_own_staff else NONE


def first_reader(question: Question, columns: Columns) -> Rows:
    names = columns.author(question.need).names or (question.need.first_reader or "",)
    return _of_any(columns.named, names)


def first_group(question: Question, columns: Columns) -> Rows:
    groups = columns.author(question.need).groups
    return _of_any(columns.grouped, (question.need.first_group or "", *groups))


def earlier_reader(question: Question, columns: Columns) -> Rows:
    if not question.earlier:
        return NONE
    groups = _of_any(columns.grouped, (name for one in question.earlier for name in one.groups))
    return np.concatenate([_these(columns, (one.reader for one in question.earlier)), groups])


def conflict(question: Question, columns: Columns) -> Rows:
    need = question.need
    if not columns.averse:
        return NONE
    author = columns.author(need)
    parties = (need.partner, need.first_reader or "", need.first_group or "")
    return _of_any(columns.averse, (*parties, *author.names, *author.groups))


def asked_before(question: Question, columns: Columns) -> Rows:
    return _these(columns, question.refused) if question.refused else NONE


def on_shift(question: Question, crowd: Crowd) -> Mask:
    there: Mask = crowd.began != OFF
    return there | crowd.columns.timetable.on_call(question.now) if question.paged else there


def available(_question: Question, crowd: Crowd) -> Mask:
    return ~crowd.away


def fatigue_hours(question: Question, crowd: Crowd) -> Mask:
    return ~crowd.columns.timetable.overdue(question.now, crowd.since)


def fatigue_cases(_question: Question, crowd: Crowd) -> Mask:
    return crowd.cases < crowd.columns.cases_cap


def fatigue_rvu(question: Question, crowd: Crowd) -> Mask:
    done = crowd.rvu
    return np.asarray((done == 0) | (done + question.need.rvu <= crowd.columns.rvu_cap))


def capacity(_question: Question, crowd: Crowd) -> Mask:
    return crowd.loads < crowd.columns.capacity


# Whom a rule lets read; and for those that look at a case's own ties, whom it excludes: few.
LETS: Final[Mapping[str, Callable[[Question, Crowd], Mask]]] = {
    one.__name__: one
    for one in (
        on_roster, human, modality, body_region, subspecialty, pediatric, obstetric, fellowship,
        licence, credentials, privileges, language, on_shift, available, fatigue_hours,
        fatigue_cases, fatigue_rvu, capacity,
    )
}  # fmt: skip
EXCLUDES: Final[Mapping[str, Callable[[Question, Columns], Rows]]] = {
    one.__name__: one
    for one in (own_staff, first_reader, first_group, earlier_reader, conflict, asked_before)
}


def barriers(question: Question, crowd: Crowd, scope: Scope) -> Codes:
    """Give the place of the first constraint of a scope that excludes each reader, or FREE."""
    codes = np.full(len(crowd.columns.readers), FREE, np.int8)
    for n, one in reversed(list(enumerate(CONSTRAINTS))):
        if one.scope == scope and one.name in LETS:
            codes[~LETS[one.name](question, crowd)] = n
        elif one.scope == scope:
            codes[EXCLUDES[one.name](question, crowd.columns)] = n
    return codes


def tied(question: Question, columns: Columns) -> Ties:
    """Give whom a case's own ties exclude, each with the constraint's place; few readers each."""
    found = [(RANK[name], excluded(question, columns)) for name, excluded in EXCLUDES.items()]
    return [(place, rows) for place, rows in found if len(rows)]


def _all(columns: Columns, known: Mapping[str, Mask], words: Iterable[str]) -> Mask:
    found = columns.everybody
    for word in words:
        found = found & known.get(word, columns.nobody)
    return found


def _of_field(crowd: Crowd, name: str) -> Mask:
    depths = crowd.columns.fields.get(name)
    return crowd.columns.nobody if depths is None else depths > 0


def _of_any(known: Mapping[str, Rows], words: Iterable[str]) -> Rows:
    found = [rows for word in words if (rows := known.get(word)) is not None]
    return found[0] if len(found) == 1 else np.concatenate([NONE, *found])


def _these(columns: Columns, names: Iterable[str]) -> Rows:
    return np.array([columns.index[one] for one in names if one in columns.index], np.intp)

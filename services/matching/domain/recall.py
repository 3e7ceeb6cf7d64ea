"""What may its reader hold no longer? A roster changed, a licence ended, an app fell silent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.matching.domain.author import UNKNOWN, Author
from services.matching.domain.eligibility import (
    CONSTRAINTS,
    NEVER_MAY,
    Candidate,
    Earlier,
    Question,
    barred,
)
from services.matching.domain.inputs import ReaderWentOffline
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from services.matching.domain.state import (
    Assigned,
    Assignment,
    Offered,
    Search,
    brief_of,
    searches,
    under,
)
from shared.contracts.base import CaseId, OpaqueId, ReaderId

# Sooner than this a case that was not begun goes to somebody who is there.
FORESEEN: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Held:
    """A case that a reader holds: offered, or accepted under a lease on silence, if any.

    `ai`: software that reads beside.

    `unopened_until`: when the report is owed of an accepted case that was not begun.
    """

    need: Need
    reader: ReaderId
    accepted: bool
    earlier: tuple[Earlier, ...] = ()
    lease: timedelta | None = None
    unopened_until: datetime | None = None
    broad: bool = False
    paged: bool = False
    ai: bool = False


def held(assignment: Assignment, due_at: datetime | None = None) -> Iterator[Held]:
    for one in searches(under(assignment)):
        yield from _held(one, due_at)
    brief = brief_of(assignment)
    if brief is not None:
        yield from (
            Held(brief.need, one.reader, accepted=True, ai=True)
            for one in brief.beside
            if one.standing == "assigned"
        )


def _held(assignment: Search, due_at: datetime | None) -> Iterator[Held]:
    if isinstance(assignment, Offered):
        brief = assignment.brief
        for one in brief.offers:
            yield Held(
                brief.need,
                one.reader,
                accepted=False,
                earlier=brief.earlier,
                broad=one.broad,
                paged=one.paged,
            )
    elif isinstance(assignment, Assigned):
        brief = assignment.brief
        asked = [one for one in brief.asked if one.assignment == assignment.assignment]
        yield Held(
            brief.need,
            assignment.reader,
            accepted=True,
            broad=any(one.broad for one in asked),
            paged=any(one.paged for one in asked),
            earlier=brief.earlier,
            lease=brief.lease,
            unopened_until=None if assignment.reading else due_at,
        )


def recalls(
    holdings: Sequence[Held],
    roster: Mapping[ReaderId, Reader],
    now: datetime,
    away: Mapping[ReaderId, timedelta] | None = None,
    author: Callable[[Need], Author] = lambda _: UNKNOWN,
) -> Iterator[ReaderWentOffline]:
    """Take back what its reader may not hold any more: a roster changed, a licence ended.

    An offer goes by every rule but those of load and work, which it is part of; an accepted case
    only by those that no time relaxes, and by its lease. `away`: for how long a reader has been.
    `author`: how the roster knows who made a first report.
    """
    gone = away or {}
    for one in holdings:
        question = _question(one, now, author(one.need))
        reason = _lost(one, question, roster.get(one.reader), gone.get(one.reader))
        if reason is not None:
            yield ReaderWentOffline(
                case_id=CaseId(one.need.case_id), reader=one.reader, reason=reason
            )


def _question(one: Held, now: datetime, author: Author) -> Question:
    none = frozenset[ReaderId]()
    return Question(one.need, none, now, one.earlier, one.broad, one.paged, one.ai, author)


def _lost(
    one: Held, question: Question, reader: Reader | None, silent: timedelta | None
) -> OpaqueId | None:
    """Give the reason for which a reader may hold the case no longer; None: they may."""
    if reader is None:
        return NEVER_MAY[0].name
    candidate = Candidate(reader, 0, away=silent is not None)
    by = barred(question, candidate, NEVER_MAY if one.accepted else _BUT_LOAD)
    if by is not None:
        return by.name
    if one.accepted and one.lease is not None and silent is not None and silent > one.lease:
        return "silent"
    return "off_shift" if _left(one, reader, question.now) else None


def _left(one: Held, reader: Reader, now: datetime) -> bool:
    """Tell whether the reader left without beginning, and is not back before it is owed."""
    owed_at = one.unopened_until
    if owed_at is None or owed_at - now > FORESEEN:
        return False
    hours = _hours(now, max(owed_at, now))
    return not any(reader.on_shift(at) or (one.paged and reader.on_call_at(at)) for at in hours)


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    while since <= until:
        yield since
        since += timedelta(hours=1)


_BUT_LOAD: Final = tuple(
    one for one in CONSTRAINTS if one.name not in ("capacity", "fatigue_cases", "fatigue_rvu")
)

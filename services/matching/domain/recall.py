"""What may its reader hold no longer? A roster changed, a licence ended, an app fell silent.

Or the case is owed sooner than when it was accepted, and its reader can't begin it now.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.matching.domain.author import UNKNOWN, Author
from services.matching.domain.contract import Terms
from services.matching.domain.eligibility import (
    CONSTRAINTS,
    NEVER_MAY,
    Candidate,
    Earlier,
    Question,
    barred,
)
from services.matching.domain.hours import intervals, on_call
from services.matching.domain.inputs import ReaderWentOffline
from services.matching.domain.need import Need
from services.matching.domain.policy import DIRECTED, Policy
from services.matching.domain.reader import Reader
from services.matching.domain.state import (
    HURRIED,
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

    `unopened_until`: when the report is owed of an accepted case that was not begun. `owed_at`: by
    when it must be read, if its clock runs; `hurried`: that is sooner than what was accepted.
    `terms` are the contract's, in whose time its durations run.
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
    begun: bool = False
    hurried: bool = False
    owed_at: datetime | None = None
    terms: Terms | None = None

    def over(self, span: timedelta, now: datetime) -> bool:
        """Tell whether a silence up to now is longer than the lease, in the contract's time."""
        if self.lease is None:
            return False
        return (self.terms.between(now - span, now) if self.terms else span) > self.lease


@dataclass(frozen=True)
class Desks:
    """What everybody holds, and how long such readings usually take.

    `alive` are those whose app says that they are there; `author`: how the roster knows who made a
    first report.
    """

    each: Mapping[ReaderId, Sequence[Held]] = field(default_factory=dict)
    policy: Policy = DIRECTED
    alive: AbstractSet[ReaderId] = frozenset()
    author: Callable[[Need], Author] = lambda _: UNKNOWN


def desks(
    holdings: Sequence[Held],
    policy: Policy,
    alive: AbstractSet[ReaderId],
    author: Callable[[Need], Author],
) -> Desks:
    each: dict[ReaderId, list[Held]] = {}
    for one in holdings:
        if one.accepted:
            each.setdefault(one.reader, []).append(one)
    return Desks(each, policy, alive, author)


def held(
    assignment: Assignment, due_at: datetime | None = None, terms: Terms | None = None
) -> Iterator[Held]:
    """Give what is held of a case. `due_at`: when its clock ends, if it runs."""
    for one in searches(under(assignment)):
        yield from _held(one, due_at, terms)
    brief = brief_of(assignment)
    if brief is not None:
        yield from (
            Held(brief.need, one.reader, accepted=True, ai=True, lease=brief.lease, terms=terms)
            for one in brief.beside
            if one.standing == "assigned"
        )


def _held(assignment: Search, due_at: datetime | None, terms: Terms | None) -> Iterator[Held]:
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
        owed_at = due_at - terms.budgets.deliver if due_at and terms else None
        yield Held(
            brief.need,
            assignment.reader,
            accepted=True,
            broad=any(one.broad for one in asked),
            paged=any(one.paged for one in asked),
            earlier=brief.earlier,
            lease=brief.lease,
            unopened_until=None if assignment.reading else due_at,
            begun=assignment.reading,
            hurried=_sooner(assignment, owed_at),
            owed_at=owed_at,
            terms=terms,
        )


def _sooner(assignment: Assigned, owed_at: datetime | None) -> bool:
    """Tell whether it is owed sooner than its reader said yes to, and they have not begun."""
    return owed_at is not None and owed_at < assignment.due_at and not assignment.reading


def recalls(
    holdings: Sequence[Held],
    roster: Mapping[ReaderId, Reader],
    now: datetime,
    away: Mapping[ReaderId, timedelta] | None = None,
    others: Desks | None = None,
) -> Iterator[ReaderWentOffline]:
    """Take back what its reader may not hold any more: a roster changed, a licence ended.

    An offer goes by every rule but those of load and work, which it is part of; an accepted case
    only by those that no time relaxes, by its lease, and by whether they can make what became more
    urgent. `away`: for how long a reader has been; `others`: what everybody holds.
    """
    gone, known = away or {}, others or Desks()
    for one in holdings:
        question = _question(one, now, known.author(one.need))
        reason = _lost(one, question, roster.get(one.reader), gone.get(one.reader), known)
        if reason is not None:
            yield ReaderWentOffline(
                case_id=CaseId(one.need.case_id), reader=one.reader, reason=reason
            )


def _question(one: Held, now: datetime, author: Author) -> Question:
    none = frozenset[ReaderId]()
    return Question(one.need, none, now, one.earlier, one.broad, one.paged, one.ai, author)


def _lost(
    one: Held, question: Question, reader: Reader | None, silent: timedelta | None, others: Desks
) -> OpaqueId | None:
    """Give the reason for which a reader may hold the case no longer; None: they may."""
    if reader is None:
        return NEVER_MAY[0].name
    now, candidate = question.now, Candidate(reader, 0, away=silent is not None)
    by = barred(question, candidate, NEVER_MAY if one.accepted else _BUT_LOAD)
    if by is not None:
        return by.name
    if one.accepted and silent is not None and one.over(silent, now):
        return "silent"
    if one.hurried and (silent is not None or not _makes_it(one, reader, now, others)):
        return HURRIED
    if silent is None and reader.id not in others.alive and _vanished(one, reader, now):
        return "silent"
    return "off_shift" if _left(one, reader, now) else None


def _makes_it(one: Held, reader: Reader, now: datetime, others: Desks) -> bool:
    """Tell whether who accepted a case that is owed sooner now will read it in time.

    They do who are there and begin it next; who must do more before it, if the usual readings fit.
    """
    if one.owed_at is None:
        return True
    if not (reader.on_shift(now) or (one.paged and reader.on_call_at(now))):
        return False
    before = [o for o in others.each.get(reader.id, ()) if o is not one and _first(o, one)]
    each = (others.policy.reading_of(o.need.service_level) for o in (*before, one))
    return not before or now + sum(each, timedelta(0)) <= one.owed_at


def _first(other: Held, one: Held) -> bool:
    """Tell whether a reader does another of their cases before this one."""
    if other.owed_at is None or one.owed_at is None:
        return False  # its clock stands
    return other.begun or (other.owed_at, other.need.slot) < (one.owed_at, one.need.slot)


def _vanished(one: Held, reader: Reader, now: datetime) -> bool:
    """Tell whether who began a case, and whose app says nothing ever, is long gone.

    Off shift they may go on reading: for the lease, or for all that a reading may take.
    """
    if not one.begun or one.terms is None or one.lease is None or reader.on_shift(now):
        return False
    since = one.terms.earlier(now, max(one.lease, one.terms.budgets.read))
    called = on_call(reader, since, now) if one.paged else []
    return not (intervals(reader, since, now) or called)


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

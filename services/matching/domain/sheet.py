"""What of a case matters to whoever hands out cases? Its need as it waits, or who holds it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.matching.domain.pool import Entry
from services.matching.domain.state import (
    Assigned,
    Assignment,
    Brief,
    Matching,
    Offered,
    Open,
    Paused,
    Running,
    Unfillable,
    going,
)
from services.matching.domain.urging import Asked
from shared.contracts.base import ReaderId, ServiceLevel

WAITS = (Open, Unfillable, Offered)


@dataclass(frozen=True, slots=True)
class Out:
    """An offer that stands."""

    reader: ReaderId
    paged: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """An accepted case: since when, by when it is owed, and whether it was begun."""

    reader: ReaderId
    level: ServiceLevel
    since: float
    due_at: float
    begun: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """A case that waits (`entry`, `offers`), or is held; neither: it concerns nobody now."""

    entry: Entry | None = None
    offers: tuple[Out, ...] = ()
    holding: Holding | None = None


NOTHING = Sheet()


def sheet(state: Matching, seen_by: frozenset[ReaderId] = frozenset()) -> Sheet:
    """Give what matters of a case. `seen_by`: who has read its patient before."""
    where, clock = state.assignment, going(state.clock)
    if clock is None:
        return NOTHING
    if isinstance(where, WAITS) and isinstance(state.clock, Running):
        owed = clock.due_at - clock.terms.budgets.deliver
        offers = tuple(Out(one.reader, one.paged) for one in where.brief.offers)
        return Sheet(entry=_entry(where.brief, owed.timestamp(), seen_by), offers=offers)
    held = _assigned(where)
    if held is None:
        return NOTHING
    holding = Holding(
        held.reader,
        held.brief.need.service_level,
        clock.stage_started_at.timestamp(),
        clock.due_at.timestamp(),
        held.reading,
    )
    return Sheet(holding=holding)


def asked(each: Iterable[Out], places: Mapping[ReaderId, int]) -> list[Asked]:
    """Give the standing offers by the readers' numbers."""
    return [Asked(places[one.reader], one.paged) for one in each if one.reader in places]


def _entry(brief: Brief, owed_at: float, seen_by: frozenset[ReaderId]) -> Entry:
    asked_before = brief.refused | {one.reader for one in brief.offers}
    return Entry(brief.need, owed_at, brief.noes, brief.earlier, asked_before, seen_by)


def _assigned(where: Assignment) -> Assigned | None:
    inner = where.then if isinstance(where, Paused) else where
    return inner if isinstance(inner, Assigned) else None

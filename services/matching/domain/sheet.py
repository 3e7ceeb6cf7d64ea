"""What of a case matters to whoever hands out cases? Its need as it waits, or who holds it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.matching.domain.pool import Entry
from services.matching.domain.state import (
    Assigned,
    Brief,
    Matching,
    Offered,
    Open,
    Running,
    Unfillable,
    assigned_in,
    going,
    searches,
)
from services.matching.domain.urging import Asked
from shared.contracts.base import ReaderId, ServiceLevel


@dataclass(frozen=True, slots=True)
class Out:
    """An offer that stands. `policy`: under which name it was made."""

    reader: ReaderId
    paged: bool
    policy: str


@dataclass(frozen=True, slots=True)
class Holding:
    """An accepted case: since when, by when it is owed, whether it was begun, and its RVU."""

    reader: ReaderId
    level: ServiceLevel
    since: float
    due_at: float
    begun: bool
    rvu: float = 0.0


@dataclass(frozen=True, slots=True)
class Opening:
    """A search for a reader: of a case, or of a part of it; with the offers that stand."""

    entry: Entry
    offers: tuple[Out, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is looked for in a case, and what is held of it; neither: it concerns nobody now."""

    openings: tuple[Opening, ...] = ()
    holdings: tuple[Holding, ...] = ()


NOTHING = Sheet()


def sheet(state: Matching, seen_by: frozenset[ReaderId] = frozenset()) -> Sheet:
    """Give what matters of a case. `seen_by`: who has read its patient before."""
    where, clock = state.assignment, going(state.clock)
    if clock is None:
        return NOTHING
    owed = clock.owed_at
    waits = [one for one in searches(where) if isinstance(one, Open | Unfillable | Offered)]
    if not isinstance(state.clock, Running):
        waits = []
    return Sheet(
        openings=tuple(_opening(one.brief, owed.timestamp(), seen_by) for one in waits),
        holdings=tuple(_holding(one, clock) for one in assigned_in(where)),
    )


def asked(each: Iterable[Out], places: Mapping[ReaderId, int]) -> list[Asked]:
    """Give the standing offers by the readers' numbers."""
    return [Asked(places[one.reader], one.paged) for one in each if one.reader in places]


def _opening(brief: Brief, owed_at: float, seen_by: frozenset[ReaderId]) -> Opening:
    thinking = frozenset(one.reader for one in brief.offers)
    entry = Entry(
        brief.need,
        owed_at,
        brief.noes,
        brief.earlier,
        brief.refused | thinking,
        seen_by,
        thinking,
    )
    offers = (Out(one.reader, one.paged, one.explanation.policy) for one in brief.offers)
    return Opening(entry, tuple(offers))


def _holding(held: Assigned, clock: Running) -> Holding:
    return Holding(
        held.reader,
        held.brief.need.service_level,
        clock.stage_started_at.timestamp(),
        clock.due_at.timestamp(),
        held.reading,
        held.brief.need.rvu,
    )

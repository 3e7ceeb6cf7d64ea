"""Which parts does a split case have, and which of them is an input about?

A case over several body regions is read by several readers where nobody on the roster reads all of
it, or where its contract says so. Each part is searched a reader for by the same rules, as
`region_reader`; they have one deadline, and one report, which the last of them signs.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from services.matching.domain import events as own
from services.matching.domain.inputs import (
    AcceptOffer,
    DeclineOffer,
    NobodyFits,
    OfferCase,
    ReaderWentOffline,
    ReleaseAssignment,
    SplitCase,
    TakeBack,
    TakeCase,
)
from services.matching.domain.moment import Moment
from services.matching.domain.need import Need
from services.matching.domain.state import (
    Assigned,
    Assignment,
    Offered,
    Open,
    Split,
    Unfillable,
    assigned_in,
)
from shared.contracts.base import BodyRegion, DeadlineReached, Event
from shared.contracts.matching import CaseSplit, RegionPart, SplitReason
from shared.contracts.reporting import OpinionLocked, ReadingStarted
from shared.decider import Refused

# A joined report has room for so many: more parts are no more one opinion.
MOST: Final = 8
Regions = Sequence[Sequence[BodyRegion]]
# What is proposed for one search, and was found when the case was, or was not yet, split.
PROPOSED: Final = (OfferCase, TakeCase, NobodyFits)


def addressed(state: Assignment, received: Any) -> tuple[Any, ...]:
    """Give whom an input is for: the case, or the searches of some of its parts."""
    if not isinstance(state, Split):
        stale = isinstance(received, PROPOSED) and received.part is not None
        return () if stale else (state,)
    match received:
        case OfferCase() | TakeCase() | NobodyFits():
            return tuple(state.search(o) for o in state.parts if o.name == received.part)
        case AcceptOffer() | DeclineOffer() | ReleaseAssignment() | ReadingStarted():
            return (_holding(state, received.assignment),)
        case TakeBack():
            return _taken_back(state, received)
        case DeadlineReached() | ReaderWentOffline():  # software reads beside all of it
            return (*map(state.search, state.parts), state)
        case _:
            return (state,)


def _holding(state: Split, assignment: str) -> Assignment:
    """Find the search that an assignment is of; of an older one the whole case knows."""
    for one in state.parts:
        if one.was_asked(assignment):
            return state.search(one)
    return state


def _taken_back(state: Split, received: TakeBack) -> tuple[Assignment, ...]:
    """Give the part of a region, or all that are held: whom `to` gets must be said."""
    each = [one for one in state.parts if received.region in (None, *one.regions)]
    if received.to is None and each:
        held = [one for one in each if isinstance(one.where, Assigned | Offered)]
        return tuple(map(state.search, held or each[:1]))
    return tuple(map(state.search, each)) if len(each) == 1 else (state,)


def split(state: Assignment, received: SplitCase, _moment: Moment) -> Iterable[Event]:
    """Split it, if nobody thinks about all of it or has it, and the parts are all of it."""
    if not isinstance(state, Open | Unfillable) or state.brief.need.rules.split == "never":
        return
    regions = [one for part in received.parts for one in part]
    whole = sorted(regions) == sorted(state.brief.need.regions)
    if whole and 1 < len(received.parts) <= MOST and all(received.parts):
        yield _said(state.brief.need, received.parts, "nobody_reads_all")


def split_by_contract(need: Need) -> Iterable[Event]:
    known = [one for one in dict.fromkeys(need.body_regions) if one in need.regions]
    if need.rules.split == "always" and 1 < len(known) <= MOST:
        yield _said(need, [(one,) for one in known], "contract")


def more_parts(state: Assignment, need: Need) -> Iterable[Event]:
    """Late images of other regions are one part more.

    What comes beyond the most is read by nobody: the report names such studies as late.
    """
    if isinstance(state, Split):
        parts: list[Sequence[BodyRegion]] = [one.regions for one in state.parts]
        known = {one for part in parts for one in part}
        new = tuple(sorted(need.regions - known))
        if new and len(parts) < MOST:
            yield _said(need, [*parts, new], "late_images")


def _said(need: Need, parts: Regions, why: SplitReason) -> Event:
    each = tuple(RegionPart(regions=tuple(one)) for one in parts)
    return CaseSplit(case_id=need.case_id, partner=need.partner, parts=each, why=why)


def locked(state: Assignment, received: OpinionLocked, _moment: Moment) -> Iterable[Event]:
    """Note that a part is read; a case that one reader reads goes on to the comparison."""
    if not isinstance(state, Split):
        return
    for one in assigned_in(state):
        if one.assignment == received.assignment and not one.locked:
            yield own.PartRead(case_id=received.case_id, assignment=one.assignment)


def unaddressed(received: Any) -> Iterable[Refused]:
    """Refuse a proposal that was made before the case was split, or was whole again."""
    if isinstance(received, OfferCase | TakeCase):
        yield Refused("not_open", "The case is read in other parts by now.")

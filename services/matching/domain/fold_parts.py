"""What does the assignment know after an event? Of a whole case, a paused or a split one."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.matching.domain import events as own
from services.matching.domain import fold
from services.matching.domain.state import (
    Assigned,
    Assignment,
    Brief,
    Closed,
    Offered,
    Open,
    Part,
    Paused,
    Split,
    brief_of,
)
from shared.contracts.base import Event
from shared.contracts.matching import AssignmentClosed, CaseSplit, PoolBroadened


def evolve(state: Assignment, event: Event) -> Assignment:
    if isinstance(state, Paused):
        return _while_paused(state, event)
    return _split(state, event) if isinstance(state, Split) else fold.evolve(state, event)


def _while_paused(state: Paused, event: Event) -> Assignment:
    if isinstance(event, own.AssignmentResumed):
        left = tuple(one for one in state.reasons if one != event.reason)
        return state.model_copy(update={"reasons": left}) if left else state.then
    if isinstance(event, own.AssignmentPaused):
        return state.model_copy(update={"reasons": (*state.reasons, event.reason)})
    inner = evolve(state.then, event)
    if isinstance(inner, Closed | Offered | Paused):
        return inner
    return state.model_copy(update={"then": inner})


def _split(state: Split, event: Event) -> Assignment:
    """Fold what concerns all parts here, and the rest into the part that it is about."""
    if fold_ := WHOLE.get(type(event)):
        return fold_(state, event)
    if fold.is_beside(state.brief, event):
        return fold.with_brief(state, fold.beside(state.brief, event))
    concerned = _concerned(state, event)
    parts = tuple(_folded(state, o, event) if o == concerned else o for o in state.parts)
    return state.model_copy(update={"parts": parts})


def _paused(state: Split, event: own.AssignmentPaused) -> Assignment:
    return Paused(then=state, reasons=(event.reason,))


def _more(state: Split, event: CaseSplit) -> Assignment:
    return state.model_copy(update={"parts": _parts(state, event)})


def _began(state: Split, event: own.RoundBegan) -> Assignment:
    """Read by another, it is whole again."""
    return fold.evolve(Open(brief=_whole(state)), event)


def _closed(state: Split, event: AssignmentClosed) -> Assignment:
    return fold.closed(state, _whole(state), event)


def _broadened(state: Split, event: PoolBroadened) -> Assignment:
    brief = fold.widened(state.brief, event)
    parts = tuple(_folded(state, one, event) for one in state.parts)
    return state.model_copy(update={"brief": brief, "parts": parts})


def _whole(state: Split) -> Brief:
    """Give the case's brief with everybody who was asked for any part."""
    brief = brief_of(state)
    assert brief is not None, "a split case was accepted"  # noqa: S101
    return brief


def _parts(state: Split, event: CaseSplit) -> tuple[Part, ...]:
    known = {one.regions: one for one in state.parts}
    nobody = Open(brief=state.brief.model_copy(update={"asked": (), "beside": ()}))
    parts = tuple(
        known.get(one.regions, Part(regions=one.regions, where=nobody)) for one in event.parts
    )
    return _settled(parts, last=None)


def _concerned(state: Split, event: Any) -> Part | None:
    """Find the part by its regions, where it was just offered, or by the assignment."""
    regions, name = getattr(event, "regions", ()), getattr(event, "assignment", "")
    for one in state.parts:
        if one.regions == regions or one.was_asked(name):
            return one
    return None


def _folded(state: Split, part: Part, event: Event) -> Part:
    return part.model_copy(update={"where": fold.evolve(state.search(part), event)})


def _read(state: Split, event: own.PartRead) -> Assignment:
    """One more part is read. Its reader signs for all if it was the last."""
    parts = tuple(
        one.model_copy(update={"where": one.where.model_copy(update={"locked": True})})
        if isinstance(one.where, Assigned) and one.where.assignment == event.assignment
        else one
        for one in state.parts
    )
    return state.model_copy(update={"parts": _settled(parts, last=event.assignment)})


def _settled(parts: tuple[Part, ...], last: str | None) -> tuple[Part, ...]:
    """End the assignments of those who have read their part; the last one's goes on to sign."""
    all_read = all(isinstance(one.where, Closed) or _locked(one) for one in parts)
    return tuple(
        one.model_copy(update={"where": _done(one)})
        if _locked(one) and not (all_read and last in (None, _assignment(one)))
        else one
        for one in parts
    )


def _locked(part: Part) -> bool:
    return isinstance(part.where, Assigned) and part.where.locked


def _assignment(part: Part) -> str | None:
    return part.where.assignment if isinstance(part.where, Assigned) else None


def _done(part: Part) -> Assignment:
    where = part.where
    ended = AssignmentClosed(case_id=where.brief.need.case_id, reason="read")
    groups = where.groups if isinstance(where, Assigned) else ()
    return fold.closed(where, where.brief, ended).model_copy(update={"groups": groups})


WHOLE: Final[Mapping[type[Event], Callable[[Split, Any], Assignment]]] = {
    own.NeedLearnt: fold.learnt,
    own.AssignmentPaused: _paused,
    CaseSplit: _more,
    own.RoundBegan: _began,
    AssignmentClosed: _closed,
    PoolBroadened: _broadened,
    own.PartRead: _read,
}

"""What does the search for a reader know after an event?"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.matching.domain import events as own
from services.matching.domain.inputs import TAKE_BACK
from services.matching.domain.state import (
    BETTER,
    FOR_NOW,
    HURRIED,
    AskedReader,
    Assigned,
    Assignment,
    Brief,
    Closed,
    Offered,
    Open,
    Part,
    Paused,
    Split,
    Standing,
    Unfillable,
    Unknown,
)
from shared.contracts.base import Event
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentOffered,
    AssignmentReleased,
    AssignmentRevoked,
    CaseOpened,
    CaseSplit,
    NoEligibleReader,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    PoolBroadened,
)

Known = Unknown | Open | Unfillable | Offered | Assigned | Closed


def evolve(state: Known, event: Event) -> Assignment:
    if isinstance(event, own.NeedLearnt):
        return learnt(state, event)
    fold = FOLDS.get(type(event))
    if fold is None or state.brief is None:
        return state
    if is_beside(state.brief, event):
        return with_brief(state, beside(state.brief, event))
    return fold(state, state.brief, event)


def is_beside(brief: Brief, event: Event) -> bool:
    """Tell whether it is about software that reads beside: the search goes on as if it were not."""
    if getattr(event, "role", None) == "ai_reader":
        return True
    return bool(brief.beside) and getattr(event, "assignment", None) in {
        one.assignment for one in brief.beside
    }


def beside(brief: Brief, event: Any) -> Brief:
    if isinstance(event, AssignmentOffered):
        asked = _asked(event).model_copy(update={"beside": True})
        return brief.model_copy(update={"beside": (*brief.beside, asked)})
    standing = "assigned" if isinstance(event, AssignmentAccepted) else _standing(event)
    marked = marked_in(brief.beside, event.assignment, standing=standing)
    return brief.model_copy(update={"beside": marked})


def learnt(state: Known | Split, event: own.NeedLearnt) -> Assignment:
    known: dict[str, Any] = {"need": event.need}
    if event.terms is not None:
        known |= {name: getattr(event.terms, name) for name in ("offer_window", "offers_at_once")}
        known["lease"] = event.terms.silence
    if state.brief is None:
        return Unknown(brief=Brief(role=event.need.role, **known))
    return with_brief(state, state.brief.model_copy(update=known))


def with_brief(state: Any, brief: Brief) -> Assignment:
    changed: Assignment = state.model_copy(update={"brief": brief})
    return changed


def _opened(_state: Assignment, brief: Brief, _event: CaseOpened) -> Assignment:
    return Open(brief=brief)


def _split(_state: Assignment, brief: Brief, event: CaseSplit) -> Assignment:
    """Look for a reader of each part; who was asked for all of it is remembered."""
    nobody = Open(brief=brief.model_copy(update={"asked": (), "beside": ()}))
    parts = tuple(Part(regions=one.regions, where=nobody) for one in event.parts)
    return Split(brief=brief, parts=parts)


def _paused(state: Any, _brief: Brief, event: own.AssignmentPaused) -> Assignment:
    return Paused(then=state, reasons=(event.reason,))


def _offered(_state: Assignment, brief: Brief, event: AssignmentOffered) -> Assignment:
    return Offered(brief=brief.model_copy(update={"asked": (*brief.asked, _asked(event))}))


def _asked(event: AssignmentOffered) -> AskedReader:
    return AskedReader(
        assignment=event.assignment,
        reader=event.reader,
        standing="offered",
        expires_at=event.expires_at,
        explanation=event.explanation,
        broad=event.broad,
        paged=event.paged,
        regions=event.regions,
    )


def _unfillable(_state: Assignment, brief: Brief, event: NoEligibleReader) -> Assignment:
    return Unfillable(brief=brief, why=event.why)


def _broadened(state: Assignment, brief: Brief, event: PoolBroadened) -> Assignment:
    return with_brief(state, forgiven(widened(brief, event), event))


def widened(brief: Brief, event: PoolBroadened) -> Brief:
    more = {
        "climbed": event.rung,
        "rung": event.rung if "offers" in event.widened else brief.rung,
        "broad": brief.broad or "field" in event.widened,
        "paged": brief.paged or "on_call" in event.widened,
    }
    return brief.model_copy(update=more)


def forgiven(brief: Brief, event: PoolBroadened) -> Brief:
    """Whoever let an offer expire may be asked again; whoever said no may not."""
    if "offers" not in event.widened:
        return brief
    asked = tuple(
        one.model_copy(update={"standing": "lapsed"}) if one.standing == "expired" else one
        for one in brief.asked
    )
    return brief.model_copy(update={"asked": asked})


def _ended(state: Assignment, brief: Brief, event: Any) -> Assignment:
    """An offer or an assignment ended; without another offer the case is open again."""
    after = _marked(brief, event.assignment, _standing(event))
    return (
        Offered(brief=after) if isinstance(state, Offered) and after.offers else Open(brief=after)
    )


def _declined(state: Assignment, brief: Brief, event: OfferDeclined) -> Assignment:
    """Say no; who was busy may still ask for the case later."""
    asked = tuple(
        one.model_copy(update={"for_now": event.reason == FOR_NOW})
        if one.assignment == event.assignment
        else one
        for one in brief.asked
    )
    return _ended(state, brief.model_copy(update={"asked": asked}), event)


def _standing(event: Event) -> Standing:
    if isinstance(event, OfferWithdrawn):
        return WITHDRAWN.get(event.reason, "withdrawn")
    if isinstance(event, AssignmentRevoked) and event.reason == HURRIED:
        return "hurried"
    return STANDINGS[type(event)]


STANDINGS: Final[Mapping[type[Event], Standing]] = {
    OfferDeclined: "declined",
    OfferExpired: "expired",
    AssignmentReleased: "released",
    own.BesideRead: "done",
    AssignmentRevoked: "revoked",
}
# Whom an operator took the case from is not asked again; other withdrawals are held against nobody.
WITHDRAWN: Final[Mapping[str, Standing]] = {
    "taken": "taken",
    BETTER: "outdone",
    **dict.fromkeys(TAKE_BACK, "revoked"),
}


def _assigned(_state: Assignment, brief: Brief, event: AssignmentAccepted) -> Assignment:
    return Assigned(
        brief=_marked(brief, event.assignment, "assigned"),
        assignment=event.assignment,
        reader=event.reader,
        due_at=event.due_at,
    )


def _reading(state: Any, _brief: Brief, _event: own.ReadingNoted) -> Assignment:
    noted: Assignment = state.model_copy(update={"reading": True})
    return noted


def _groups(state: Any, brief: Brief, event: own.GroupsNoted) -> Assignment:
    """Remember them with the assignment too: it may end before anybody asks for them."""
    asked = marked_in(brief.asked, event.assignment, groups=event.groups)
    noted = {"groups": event.groups, "brief": brief.model_copy(update={"asked": asked})}
    after: Assignment = state.model_copy(update=noted)
    return after


def _round(state: Assignment, brief: Brief, event: own.RoundBegan) -> Assignment:
    earlier = (*brief.earlier, event.read_by, *event.others)
    return with_brief(state, brief.model_copy(update={"role": event.role, "earlier": earlier}))


def closed(_state: Assignment, brief: Brief, event: AssignmentClosed) -> Assignment:
    """End it: what stood accepted is done, software's too."""
    done = {"asked": _done(brief.asked), "beside": _done(brief.beside)}
    return Closed(brief=brief.model_copy(update=done), reason=event.reason)


def _done(each: tuple[AskedReader, ...]) -> tuple[AskedReader, ...]:
    return tuple(
        one.model_copy(update={"standing": "done"}) if one.standing == "assigned" else one
        for one in each
    )


def _scored(state: Any, _brief: Brief, event: own.FirstReadScored) -> Assignment:
    scored: Assignment = state.model_copy(update={"radpeer": event.radpeer})
    return scored


def _marked(brief: Brief, assignment: str, standing: Standing) -> Brief:
    return brief.model_copy(update={"asked": marked_in(brief.asked, assignment, standing=standing)})


def marked_in(
    each: tuple[AskedReader, ...], assignment: str, **changes: Any
) -> tuple[AskedReader, ...]:
    return tuple(
        one.model_copy(update=changes) if one.assignment == assignment else one for one in each
    )


FOLDS: Final[Mapping[type[Event], Callable[[Assignment, Brief, Any], Assignment]]] = {
    CaseOpened: _opened,
    CaseSplit: _split,
    own.AssignmentPaused: _paused,
    own.ReadingNoted: _reading,
    own.GroupsNoted: _groups,
    own.RoundBegan: _round,
    AssignmentOffered: _offered,
    NoEligibleReader: _unfillable,
    PoolBroadened: _broadened,
    OfferDeclined: _declined,
    OfferExpired: _ended,
    OfferWithdrawn: _ended,
    AssignmentAccepted: _assigned,
    AssignmentReleased: _ended,
    own.BesideRead: _ended,
    AssignmentRevoked: _ended,
    AssignmentClosed: closed,
    own.FirstReadScored: _scored,
}

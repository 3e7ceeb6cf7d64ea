"""A reader who is free asked for a case: do they get this one? Offered and accepted at once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from services.matching.domain.answers import accepted
from services.matching.domain.eligibility import Candidate, barred
from services.matching.domain.fold import evolve
from services.matching.domain.inputs import AcceptOffer, OfferCase, TakeCase
from services.matching.domain.moment import Moment
from services.matching.domain.state import Assignment, Brief, Offered, Open, Unfillable
from shared.contracts.base import Event
from shared.contracts.envelope import derived_id
from shared.contracts.matching import AssignmentOffered
from shared.decider import Refused

Answers = Iterable[Event | Refused]
LEAST: Final = timedelta(minutes=1)  # nobody can answer sooner


def offer(brief: Brief, received: OfferCase | TakeCase, moment: Moment) -> AssignmentOffered:
    return AssignmentOffered(
        case_id=received.case_id,
        assignment=next_assignment(brief),
        reader=received.reader.id,
        role=brief.role,
        expires_at=_until(brief, received, moment),
        explanation=received.explanation,
        broad=received.broad,
        paged=isinstance(received, OfferCase) and received.paged,
        regions=brief.regions,
    )


def next_assignment(brief: Brief) -> str:
    """Name the next assignment as none was before; each part of a split case counts its own."""
    number = brief.asked_before + len(brief.asked)
    return str(derived_id(brief.need.case_id, "assignment", *brief.regions, number))


def _until(brief: Brief, received: OfferCase | TakeCase, moment: Moment) -> datetime:
    """Give when an offer ends: after the contract's window, or when it is of no use any more."""
    until = received.until if isinstance(received, OfferCase) else None
    return moment.now + brief.window() if until is None else max(until, moment.now + LEAST)


def taken(state: Assignment, received: TakeCase, moment: Moment) -> Answers:
    """Who asked has said yes: offered and accepted at once, and the other offers withdrawn.

    An offer of theirs that stands is the case itself: it is accepted. Without one the case is
    still theirs if it waits at all; how many may be asked does not matter to who asks.
    """
    if not isinstance(state, Open | Unfillable | Offered):
        yield Refused("not_open", "The case does not wait for a reader any more.")
        return
    brief, reader = state.brief, received.reader
    standing = next((one for one in brief.offers if one.reader == reader.id), None)
    if standing is not None:
        yes = _yes(received, standing.assignment, received.load - 1)
        yield from accepted(state, yes, moment, asks=True)
        return
    question = brief.question(moment, broad=received.broad, asks=True)
    excluded = barred(question, Candidate(reader, received.load, received.work))
    if excluded is not None:
        yield Refused("not_eligible", excluded.says)
        return
    made = offer(brief, received, moment)
    yield made
    yes = _yes(received, made.assignment, received.load)
    yield from accepted(evolve(state, made), yes, moment, asks=True)


def _yes(received: TakeCase, assignment: str, load: int) -> AcceptOffer:
    return AcceptOffer(
        case_id=received.case_id,
        assignment=assignment,
        reader=received.reader,
        load=max(0, load),
        work=received.work,
    )

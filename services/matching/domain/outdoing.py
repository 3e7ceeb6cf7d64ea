"""Somebody who fits better is free now: is the offer that nobody has answered withdrawn for them?

Only what the rounds weighed gives way: whom an operator chose, or who is paged, is left to think.
"""

from collections.abc import Iterable
from datetime import datetime

from services.matching.domain.eligibility import Candidate, barred
from services.matching.domain.ending import withdrawal
from services.matching.domain.fit import POLICY
from services.matching.domain.inputs import OutdoOffer
from services.matching.domain.moment import Moment
from services.matching.domain.policy import Better
from services.matching.domain.state import BETTER, AskedReader, Assignment, Brief, Offered
from services.matching.domain.taking import offer
from shared.contracts.base import Event
from shared.decider import Refused


def outdone(state: Assignment, received: OutdoOffer, moment: Moment) -> Iterable[Event | Refused]:
    """Withdraw the offer and make the better one, both or neither."""
    brief = state.brief if isinstance(state, Offered) else None
    offers = yielding(brief, received.limits, moment.now) if brief else ()
    old = next((one for one in offers if one.assignment == received.instead_of), None)
    if brief is None or old is None or received.gain < received.limits.by:
        yield Refused("not_open", "The offer was answered, or must be left to its reader.")
        return
    candidate = Candidate(received.reader, received.load, received.work)
    excluded = barred(brief.question(moment), candidate)
    if excluded is not None or received.reader.id in {one.reader for one in brief.offers}:
        says = excluded.says if excluded else "This reader was just asked."
        yield Refused("not_eligible", says)
        return
    yield withdrawal(old, received.case_id, BETTER)
    yield offer(brief, received, moment)


def yielding(brief: Brief, limits: Better, now: datetime) -> tuple[AskedReader, ...]:
    """Give the offers that may be withdrawn for somebody who fits better."""
    if brief.outdone >= limits.at_most:
        return ()
    late = limits.last_part * brief.window()
    return tuple(
        one
        for one in brief.offers
        if one.expires_at - now > late and one.explanation.policy == POLICY and not one.paged
    )

"""What is said when an offer or an assignment is taken back?"""

from collections.abc import Iterable

from services.matching.domain.state import (
    AskedReader,
    Assigned,
    Assignment,
    Offered,
    assigned_in,
    searches,
)
from shared.contracts.base import CaseId, Event
from shared.contracts.matching import AssignmentRevoked, OfferWithdrawn


def withdrawn(state: Assignment, case_id: CaseId, reason: str) -> Iterable[Event]:
    """Withdraw every offer that stands."""
    for one in searches(state):
        if isinstance(one, Offered):
            yield from (withdrawal(offer, case_id, reason) for offer in one.brief.offers)


def withdrawal(offer: AskedReader, case_id: CaseId, reason: str) -> Event:
    return OfferWithdrawn(
        case_id=case_id, assignment=offer.assignment, reader=offer.reader, reason=reason
    )


def revoked(state: Assigned, case_id: CaseId, reason: str) -> Event:
    return AssignmentRevoked(
        case_id=case_id, assignment=state.assignment, reader=state.reader, reason=reason
    )


def all_revoked(
    state: Assignment, case_id: CaseId, reason: str, besides: str | None = None
) -> Iterable[Event]:
    """Take the case from everybody who has it, besides one assignment."""
    for one in assigned_in(state):
        if one.assignment != besides:
            yield revoked(one, case_id, reason)

"""What is said when an offer or an assignment is taken back?"""

from collections.abc import Iterable

from services.matching.domain.state import AskedReader, Assigned, Assignment, Offered
from shared.contracts.base import CaseId, Event
from shared.contracts.matching import AssignmentRevoked, OfferWithdrawn


def withdrawn(state: Assignment, case_id: CaseId, reason: str) -> Iterable[Event]:
    if isinstance(state, Offered):
        yield from (withdrawal(one, case_id, reason) for one in state.brief.offers)


def withdrawal(offer: AskedReader, case_id: CaseId, reason: str) -> Event:
    return OfferWithdrawn(
        case_id=case_id, assignment=offer.assignment, reader=offer.reader, reason=reason
    )


def revoked(state: Assigned, case_id: CaseId, reason: str) -> Event:
    return AssignmentRevoked(
        case_id=case_id, assignment=state.assignment, reader=state.reader, reason=reason
    )

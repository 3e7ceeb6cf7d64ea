"""Who decides between two readings that differ? Neither reader, nor who works with them."""

from collections.abc import Iterable, Iterator
from typing import Final

from services.matching.domain import events as own
from services.matching.domain.eligibility import Earlier
from services.matching.domain.ending import all_revoked, withdrawn
from services.matching.domain.moment import Moment
from services.matching.domain.state import Assigned, Assignment, Closed, assigned_in, parts_of
from shared.contracts.base import Event, ReaderId
from shared.contracts.matching import AssignmentReleased
from shared.contracts.reporting import AdjudicationRequested

ADJUDICATION: Final = "adjudication"


def adjudicated(
    state: Assignment, received: AdjudicationRequested, _moment: Moment
) -> Iterable[Event]:
    """End the second reader's assignment, and look for a third. The deadline stays what it was.

    A region reader who asked, and left before that was heard, is heard all the same: the others
    have read their parts, and nobody would join them.
    """
    signer = next((o for o in assigned_in(state) if o.assignment == received.assignment), None)
    if signer is None and not any(one.was_asked(received.assignment) for one in parts_of(state)):
        return
    yield from withdrawn(state, received.case_id, ADJUDICATION)
    yield from all_revoked(state, received.case_id, ADJUDICATION, received.assignment)
    if signer is not None:
        yield _released(signer, received)
    yield own.RoundBegan(
        case_id=received.case_id,
        role="adjudicator",
        read_by=Earlier(reader=received.reader, groups=signer.groups if signer else ()),
        others=tuple(_others(state, received.reader)),
    )


def _released(one: Assigned, received: AdjudicationRequested) -> Event:
    return AssignmentReleased(
        case_id=received.case_id,
        assignment=one.assignment,
        reader=one.reader,
        reason=ADJUDICATION,
    )


def _others(state: Assignment, signer: ReaderId) -> Iterator[Earlier]:
    """Give who has, or had, the other parts of a split case."""
    for part in parts_of(state):
        if isinstance(part.where, Assigned | Closed) and part.reader not in (None, signer):
            yield Earlier(reader=part.reader, groups=part.where.groups)

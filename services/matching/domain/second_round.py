"""Who decides between two readings that differ? Neither reader, nor who works with them."""

from collections.abc import Iterable, Iterator

from services.matching.domain import events as own
from services.matching.domain.eligibility import Earlier
from services.matching.domain.ending import all_revoked, withdrawn
from services.matching.domain.moment import Moment
from services.matching.domain.state import Assigned, Assignment, Closed, Split, assigned_in
from shared.contracts.base import Event
from shared.contracts.matching import AssignmentReleased
from shared.contracts.reporting import AdjudicationRequested


def adjudicated(
    state: Assignment, received: AdjudicationRequested, _moment: Moment
) -> Iterable[Event]:
    """End the second reader's assignment, and look for a third. The deadline stays what it was."""
    for one in assigned_in(state):
        if one.assignment == received.assignment:
            yield from withdrawn(state, received.case_id, "adjudication")
            yield from all_revoked(state, received.case_id, "adjudication", one.assignment)
            yield _released(one, received)
            yield own.RoundBegan(
                case_id=received.case_id,
                role="adjudicator",
                read_by=Earlier(reader=one.reader, groups=one.groups),
                others=tuple(_others(state, one)),
            )


def _released(one: Assigned, received: AdjudicationRequested) -> Event:
    return AssignmentReleased(
        case_id=received.case_id,
        assignment=one.assignment,
        reader=one.reader,
        reason="adjudication",
    )


def _others(state: Assignment, signer: Assigned) -> Iterator[Earlier]:
    """Give who has, or had, the other parts of a split case."""
    for part in state.parts if isinstance(state, Split) else ():
        if isinstance(part.where, Assigned | Closed) and part.reader not in (None, signer.reader):
            yield Earlier(reader=part.reader, groups=part.where.groups)

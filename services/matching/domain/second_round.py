"""Who decides between two readings that differ? Neither reader, nor who works with them."""

from collections.abc import Iterable

from services.matching.domain import events as own
from services.matching.domain.eligibility import Earlier
from services.matching.domain.moment import Moment
from services.matching.domain.state import Assigned, Assignment
from shared.contracts.base import Event
from shared.contracts.matching import AssignmentReleased
from shared.contracts.reporting import AdjudicationRequested


def adjudicated(
    state: Assignment, received: AdjudicationRequested, _moment: Moment
) -> Iterable[Event]:
    """End the second reader's assignment, and look for a third. The deadline stays what it was."""
    if isinstance(state, Assigned) and state.assignment == received.assignment:
        yield AssignmentReleased(
            case_id=received.case_id,
            assignment=state.assignment,
            reader=state.reader,
            reason="adjudication",
        )
        read_by = Earlier(reader=state.reader, groups=state.groups)
        yield own.RoundBegan(case_id=received.case_id, role="adjudicator", read_by=read_by)

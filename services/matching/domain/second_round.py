"""Who decides between two readings that differ? Neither reader, nor who works with them."""

from collections.abc import Iterable, Iterator
from typing import Final

from services.matching.domain import events as own
from services.matching.domain.eligibility import Earlier
from services.matching.domain.ending import all_revoked, withdrawn
from services.matching.domain.moment import Moment
from services.matching.domain.state import (
    AskedReader,
    Assigned,
    Assignment,
    Closed,
    asked_of,
    assigned_in,
    brief_of,
    parts_of,
)
from shared.contracts.base import Event, OpaqueId, ReaderId
from shared.contracts.matching import AssignmentReleased
from shared.contracts.reporting import AdjudicationRequested

ADJUDICATION: Final = "adjudication"


def adjudicated(
    state: Assignment, received: AdjudicationRequested, _moment: Moment
) -> Iterable[Event]:
    """End the second reader's assignment, and look for a third. The deadline stays what it was.

    Who asked, and lost the case before that was heard, is heard all the same: reporting has set
    their reading aside already, and lets nobody read it but an adjudicator. Whoever was given the
    case meanwhile loses it. One round is all there is.
    """
    brief, signer = brief_of(state), asked_of(state, received.assignment)
    over = brief is None or brief.earlier or isinstance(state, Closed)
    if over or signer is None or signer.beside:
        return
    yield from withdrawn(state, received.case_id, ADJUDICATION)
    yield from all_revoked(state, received.case_id, ADJUDICATION, received.assignment)
    holds = next((o for o in assigned_in(state) if o.assignment == received.assignment), None)
    if holds is not None:
        yield _released(holds, received)
    yield own.RoundBegan(
        case_id=received.case_id,
        role="adjudicator",
        read_by=Earlier(reader=received.reader, groups=_groups(signer, holds)),
        others=tuple(_others(state, received.reader)),
    )


def _released(one: Assigned, received: AdjudicationRequested) -> Event:
    return AssignmentReleased(
        case_id=received.case_id,
        assignment=one.assignment,
        reader=one.reader,
        reason=ADJUDICATION,
    )


def _groups(signer: AskedReader, holds: Assigned | None) -> tuple[OpaqueId, ...]:
    """Give with whom they worked; who accepted before that was kept may still hold the case."""
    return signer.groups or (holds.groups if holds is not None else ())


def _others(state: Assignment, signer: ReaderId) -> Iterator[Earlier]:
    """Give who has, or had, the other parts of a split case."""
    for part in parts_of(state):
        if isinstance(part.where, Assigned | Closed) and part.reader not in (None, signer):
            yield Earlier(reader=part.reader, groups=part.where.groups)

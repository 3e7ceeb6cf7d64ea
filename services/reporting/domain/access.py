"""May this reader do this now? What one hears who has the case no more, or never had it."""

from services.reporting.domain.regional import own_part
from services.reporting.domain.state import Held, State, Withdrawn
from shared.contracts.base import ReaderId
from shared.decider import Refused

NOT_FOUND = Refused("not_found", "There is no such case.")


def held(state: State, reader: ReaderId) -> Held | Refused:
    """Give the state to the reader who holds the case, and anybody else the reason why not.

    Who reads a part of a split case is given that part alone.
    """
    if isinstance(state, Held) and state.assignment.reader == reader:
        return state
    part = own_part(state, reader)
    if part is not None:
        return part
    mine = [kept for kept in state.material.set_aside if kept.assignment.reader == reader]
    if not mine:
        return NOT_FOUND
    if isinstance(state, Withdrawn):
        return Refused("case_withdrawn", "The case was withdrawn; no report will come of it.")
    detail = "Your assignment ended; what you wrote is kept, and can't be changed."
    return Refused("assignment_ended", detail)


def is_blind(state: State, reader: ReaderId) -> bool:
    """Say whether the reader has not seen the first report in an earlier assignment."""
    kept = state.material.set_aside
    return not any(k.revealed and k.assignment.reader == reader for k in kept)


def stale(revision: int) -> Refused:
    """Refuse to overwrite what the asker has not seen."""
    detail = f"Revision {revision} was saved meanwhile; read it, then write again."
    return Refused("stale_revision", detail)

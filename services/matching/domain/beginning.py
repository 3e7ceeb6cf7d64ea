"""Which of the cases that a reader has accepted do they begin first?"""

from collections.abc import Iterable

from services.matching.domain.state import Assigned, Matching, Running, assigned_in
from shared.contracts.base import ReaderId


def begun_first(held: Iterable[Matching], reader: ReaderId) -> Assigned | None:
    """Give the most urgent of those that they have not begun; one whose clock stands can wait."""
    theirs = [
        (state.clock.due_at, one.brief.need.slot, one)
        for state in held
        if isinstance(state.clock, Running)
        for one in assigned_in(state.assignment)
        if one.reader == reader and not one.reading
    ]
    return min(theirs, key=lambda found: found[:2])[2] if theirs else None

"""What may an operator order? Let a case wait, go on, or be read by somebody else."""

from collections.abc import Iterable
from typing import Final

from services.matching.domain import events as own
from services.matching.domain.answers import NOT_FOUND
from services.matching.domain.eligibility import Candidate, Question, barred
from services.matching.domain.ending import revoked, withdrawn
from services.matching.domain.inputs import PauseCase, ResumeCase, TakeBack
from services.matching.domain.moment import Moment
from services.matching.domain.reader import Reader
from services.matching.domain.state import (
    Assigned,
    Assignment,
    Brief,
    Closed,
    Offered,
    Open,
    Paused,
    Split,
    Unfillable,
    brief_of,
)
from services.matching.domain.taking import next_assignment
from shared.contracts.base import Event
from shared.contracts.matching import AssignmentOffered, Explanation
from shared.decider import Refused

Answers = Iterable[Event | Refused]
CLOSED: Final = Refused("case_closed", "The case is closed.")
NOT_PAUSED: Final = Refused("not_paused", "The case does not wait for that reason.")
# An operator chose the reader: no score was asked.
BY_HAND: Final = Explanation(score=0, terms=(), eligible=1, excluded=(), policy="by_hand")


def paused(state: Assignment, received: PauseCase, _moment: Moment) -> Answers:
    if isinstance(state, Closed):
        yield CLOSED
    elif brief_of(state) is None:
        yield NOT_FOUND
    else:
        yield from withdrawn(state, received.case_id, "paused")
        yield own.AssignmentPaused(case_id=received.case_id, reason=received.reason)


def paused_again(state: Paused, received: PauseCase | ResumeCase) -> Answers:
    """Several reasons may hold at once; the case goes on after the last."""
    known = received.reason in state.reasons
    match received:
        case PauseCase() if not known:
            yield own.AssignmentPaused(case_id=received.case_id, reason=received.reason)
        case ResumeCase() if known:
            yield own.AssignmentResumed(case_id=received.case_id, reason=received.reason)
        case ResumeCase():
            yield NOT_PAUSED
        case PauseCase():
            return


def resumed(_state: Assignment, _received: ResumeCase, _moment: Moment) -> Answers:
    yield NOT_PAUSED


def taken_back(state: Assignment, received: TakeBack, moment: Moment) -> Answers:
    """Take the case from whoever has it, and ask the named reader instead, if there is one."""
    held = isinstance(state, Assigned | Offered)
    if isinstance(state, Closed):
        yield CLOSED
    elif isinstance(state, Split):
        yield Refused("region_missing", "The case is split: name a region of one part.", "/region")
    elif not isinstance(state, Assigned | Offered | Open | Unfillable):
        yield NOT_FOUND
    elif received.to is None and not held:
        yield Refused("not_held", "Nobody holds the case or was asked.")
    elif received.to is not None and (fault := _fault(state.brief, received, moment)) is not None:
        yield Refused("not_eligible", fault, "/reader")
    else:
        yield from withdrawn(state, received.case_id, received.reason)
        if isinstance(state, Assigned):
            yield revoked(state, received.case_id, received.reason)
        if received.to is not None:
            yield _asked(state.brief, received.to, received, moment)


def _fault(brief: Brief, received: TakeBack, moment: Moment) -> str | None:
    """Say why the named reader may not be asked. An earlier no of theirs does not count."""
    if received.to is None or received.to.id in {one.reader for one in brief.offers}:
        return "This reader was just asked."
    question = Question(brief.need, frozenset(), moment.now, brief.earlier, author=moment.author)
    by = barred(question, Candidate(received.to, received.load, received.work))
    return None if by is None else by.says


def _asked(brief: Brief, reader: Reader, received: TakeBack, moment: Moment) -> Event:
    return AssignmentOffered(
        case_id=received.case_id,
        assignment=next_assignment(brief),
        reader=reader.id,
        role=brief.role,
        expires_at=moment.now + brief.window(),
        explanation=BY_HAND,
        regions=brief.regions,
    )

"""Why does a clock stand? For one reason or more; it runs again when the last is gone."""

from datetime import datetime

from services.matching.domain import events as own
from services.matching.domain.course import Course, overdue
from services.matching.domain.due import moved
from services.matching.domain.inputs import PauseCase, ResumeCase
from services.matching.domain.state import REQUESTED, Pause, Running, Standstill
from shared.contracts.intake import InformationProvided, InformationRequested
from shared.contracts.matching import ClockPaused, ClockResumed


def requested(course: Course, _received: InformationRequested) -> None:
    _pause(course, Pause(reason=REQUESTED, party="partner"))


def told_to_pause(course: Course, received: PauseCase) -> None:
    _pause(course, Pause(reason=received.reason, party=received.party))


def _pause(course: Course, pause: Pause) -> None:
    overdue(course, course.now)
    case_id, reason, party = course.case_id, pause.reason, pause.party
    if isinstance(course.clock, Running):
        course.say(ClockPaused(case_id=case_id, reason=reason, party=party, at=course.now))
    elif isinstance(course.clock, Standstill) and reason not in _reasons(course.clock):
        course.say(own.PauseAdded(case_id=case_id, reason=reason, party=party))


def _reasons(clock: Standstill) -> tuple[str, ...]:
    return (clock.reason, *(one.reason for one in clock.also))


def provided(course: Course, _received: InformationProvided) -> None:
    _end_pause(course, REQUESTED)


def told_to_resume(course: Course, received: ResumeCase) -> None:
    _end_pause(course, received.reason)


def _end_pause(course: Course, reason: str) -> None:
    """Let the clock run again when the last reason is gone."""
    if isinstance(course.clock, Standstill) and reason in _reasons(course.clock):
        if len(_reasons(course.clock)) > 1:
            course.say(own.PauseDropped(case_id=course.case_id, reason=reason))
        else:
            resume(course, course.now)


def resume(course: Course, at: datetime) -> None:
    if isinstance(course.clock, Standstill):
        at = max(at, course.clock.at)
        due_at = moved(course.clock.clock, course.clock.at, at)
        course.say(ClockResumed(case_id=course.case_id, at=at, due_at=due_at))

"""ClockStarted -> StageCompleted ... -> SlaMet, and what is said when it does not go that way.

The clock starts at CaseAccepted.accepted_at and ends when the clinician was told: Delivered to
the audience `clinician`, or to `partner_system` where notify planned no delivery to a clinician
(a partner may receive by webhook alone). It stands while the partner owes something; quarantine
is our own affair and stops nothing. Whatever is due is said at each input, in the order in which
it fell due, so a timer or a message that comes late makes nothing untrue.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from services.matching.domain import events as own
from services.matching.domain.course import Course, overdue
from services.matching.domain.due import promised, timeline
from services.matching.domain.fold_clock import evolve
from services.matching.domain.inputs import ForecastMade, Input, PauseCase, ResumeCase
from services.matching.domain.pauses import (
    provided,
    requested,
    resume,
    told_to_pause,
    told_to_resume,
)
from services.matching.domain.second_round import ADJUDICATION
from services.matching.domain.stages import STAGES, USUAL, CaseStage, told
from services.matching.domain.state import (
    Assignment,
    Clock,
    Running,
    Standstill,
    Stopped,
    asked_of,
    parts_of,
)
from shared.contracts.base import BodyRegion, Event
from shared.contracts.deid import (
    CaseDeidentified,
    CaseQuarantined,
    DeidentificationFailed,
    QuarantineReleased,
)
from shared.contracts.intake import CaseCancelled, InformationProvided, InformationRequested
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentReleased,
    AssignmentRevoked,
    CaseSplit,
    ClockStarted,
    SlaAtRisk,
    SlaMet,
    StageCompleted,
)
from shared.contracts.notify import Delivered, DeliveryPlanned
from shared.contracts.reporting import ReportFinalized
from shared.decider import Deadline

NOTHING: Final = timedelta(0)
Regions = tuple[BodyRegion, ...]


def decide(
    clock: Clock,
    received: Input,
    decided: Sequence[Event],
    assignment: Assignment,
    now: datetime,
) -> list[Event]:
    """Say what the input, and what the assignment decided of it, mean to the clock."""
    course = Course(received.case_id, clock, assignment, now)
    for event in decided:
        course.clock = evolve(course.clock, event)
    for one in (received, *decided):
        answer = ANSWERS.get(type(one))
        if answer is not None:
            answer(course, one)
    overdue(course, now)
    return course.said


def deadlines(clock: Clock) -> tuple[Deadline, ...]:
    if not isinstance(clock, Running):
        return ()
    return tuple(Deadline(one.kind, one.at) for one in timeline(clock))


def _foretold(course: Course, received: ForecastMade) -> None:
    """Say that the case is at risk before its own budgets would: the queue ahead is too long."""
    clock = course.clock
    if not isinstance(clock, Running) or clock.at_risk or clock.breached:
        return
    if received.expected_at > clock.due_at:
        stage, adjudication = told(clock.stage)
        course.say(
            SlaAtRisk(
                case_id=course.case_id,
                stage=stage,
                adjudication=adjudication,
                due_at=clock.due_at,
                forecast_at=received.expected_at,
            )
        )


def _promised(course: Course, learnt: own.NeedLearnt) -> None:
    """Start; or, as the level changed, count again from the original start."""
    if learnt.terms is None or isinstance(course.clock, Stopped):
        return
    going = course.going
    course.say(
        ClockStarted(
            case_id=course.case_id,
            partner=learnt.need.partner,
            started_at=learnt.need.accepted_at,
            due_at=promised(learnt.need, learnt.terms, going.paused_for if going else NOTHING),
            budgets=learnt.terms.budgets.published(),
        )
    )


def _complete(course: Course, last: CaseStage, at: datetime) -> None:
    """End every stage up to this one. An earlier one's own event may still be on its way."""
    going = course.going
    if going is None:
        return
    for stage in STAGES[STAGES.index(going.stage) : STAGES.index(last) + 1]:
        if stage not in USUAL and stage != going.stage:
            continue
        clock = course.going or going
        moment = _moment(course, clock, at)
        overdue(course, moment)
        called, adjudication = told(stage)
        course.say(
            StageCompleted(
                case_id=course.case_id,
                stage=called,
                adjudication=adjudication,
                took=clock.terms.between(clock.stage_started_at, moment),
                budget=clock.terms.budgets.of(stage),
                at=moment,
            )
        )


def _moment(course: Course, clock: Running, at: datetime) -> datetime:
    """Bring a foreign clock's time between the stage's start and now; a paused clock stands."""
    limit = course.clock.at if isinstance(course.clock, Standstill) else course.now
    return max(clock.stage_started_at, min(at, limit))


def _clean(course: Course, _received: CaseDeidentified) -> None:
    _complete(course, "deid", course.now)


def _assigned(course: Course, decided: AssignmentAccepted) -> None:
    """What software reads beside ends no stage, here and below."""
    if decided.role != "ai_reader" and _all_taken(course.assignment, decided.regions):
        _complete(course, "match", course.now)


def _all_taken(before: Assignment, regions: Regions) -> bool:
    """Tell whether nobody is looked for any more, now that a part was accepted, or all of it."""
    return all(one.taken for one in parts_of(before) if one.regions != regions)


def _reopened(course: Course, decided: AssignmentReleased | AssignmentRevoked) -> None:
    clock, asked = course.going, asked_of(course.assignment, decided.assignment)
    beside = asked is not None and asked.beside
    anew = clock is not None and clock.stage == "read" and decided.reason != ADJUDICATION
    if clock is not None and anew and not beside:
        at = _moment(course, clock, course.now)
        overdue(course, at)
        course.say(own.StageReopened(case_id=course.case_id, stage="match", at=at))


def _split(course: Course, decided: CaseSplit) -> None:
    """A part more, which late images brought, is to be matched again."""
    clock = course.going
    if clock is not None and clock.stage == "read" and decided.why == "late_images":
        at = _moment(course, clock, course.now)
        overdue(course, at)
        course.say(own.StageReopened(case_id=course.case_id, stage="match", at=at))


def _adjudicating(course: Course, _decided: own.RoundBegan) -> None:
    """The second reading is done; a third reader is looked for, and decides."""
    _complete(course, "read", course.now)
    clock = course.going
    if clock is not None and clock.stage != "adjudicate":
        at = _moment(course, clock, course.now)
        course.say(own.StageReopened(case_id=course.case_id, stage="adjudicate", at=at))


def _signed(course: Course, received: ReportFinalized) -> None:
    """Nothing is owed any more by whoever made the clock stand."""
    resume(course, min(received.signed_at, course.now))
    _complete(course, "adjudicate", received.signed_at)


def _planned(course: Course, received: DeliveryPlanned) -> None:
    if course.going and received.audience not in course.going.planned:
        course.say(own.AudiencePlanned(case_id=course.case_id, audience=received.audience))


def _delivered(course: Course, received: Delivered) -> None:
    going = course.going
    if going is None or not (received.audience == "clinician" or "clinician" not in going.planned):
        return
    resume(course, min(received.at, course.now))
    _complete(course, "deliver", received.at)
    clock = course.going or going
    ended_at = clock.stage_started_at
    if ended_at <= clock.due_at:  # also where it was called breached, since word came late
        took = max(clock.terms.between(clock.started_at, ended_at) - clock.paused_for, NOTHING)
        course.say(SlaMet(case_id=course.case_id, took=took, due_at=clock.due_at))
    else:
        course.say(own.ClockStopped(case_id=course.case_id, outcome="breached"))


def _cancelled(course: Course, _received: CaseCancelled) -> None:
    if course.going:
        course.say(own.ClockStopped(case_id=course.case_id, outcome="cancelled"))


def _held(
    course: Course, received: CaseQuarantined | QuarantineReleased | DeidentificationFailed
) -> None:
    clock = course.going
    if clock is None:
        return
    held = {*clock.held}
    match received:
        case CaseQuarantined():
            held |= {one.item for one in received.findings}
        case QuarantineReleased():
            held -= {received.item}
        case DeidentificationFailed():
            held |= {"deidentification_failed"}
    if held != {*clock.held}:
        course.say(own.HoldChanged(case_id=course.case_id, held=tuple(sorted(held))))


ANSWERS: Final[Mapping[type[Any], Callable[[Course, Any], None]]] = {
    own.NeedLearnt: _promised,
    InformationRequested: requested,
    InformationProvided: provided,
    CaseSplit: _split,
    PauseCase: told_to_pause,
    ResumeCase: told_to_resume,
    ForecastMade: _foretold,
    CaseDeidentified: _clean,
    CaseQuarantined: _held,
    QuarantineReleased: _held,
    DeidentificationFailed: _held,
    AssignmentAccepted: _assigned,
    AssignmentReleased: _reopened,
    AssignmentRevoked: _reopened,
    own.RoundBegan: _adjudicating,
    ReportFinalized: _signed,
    DeliveryPlanned: _planned,
    Delivered: _delivered,
    CaseCancelled: _cancelled,
}

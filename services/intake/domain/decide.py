"""Is this case complete? What each input leads to, from the submission to CaseAccepted.

A case collects until nothing is missing; then it is accepted, whatever came last. When the time
for collecting is over, the partner is asked for what is missing and reminded until it comes: a
case never ends in silence. What comes after acceptance supplements the case.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial, reduce
from typing import Final, assert_never

from services.intake.domain.accept import accepted
from services.intake.domain.commands import amend, cancel, change_service_level, reject
from services.intake.domain.completeness import missing
from services.intake.domain.documents import receive_document
from services.intake.domain.evolve import evolve
from services.intake.domain.inputs import (
    AmendCase,
    CancelCase,
    ChangeServiceLevel,
    DocumentReceived,
    Input,
    RejectCase,
    StudyReceived,
    SubmitCase,
)
from services.intake.domain.owner import NOT_FOUND
from services.intake.domain.state import AwaitingInformation, Collecting, State, Unknown
from services.intake.domain.studies import receive_study
from services.intake.domain.submission import submit
from services.intake.domain.waiting import Patience, deadlines, reach_deadline
from shared.contracts.base import CaseId, DeadlineReached, Event
from shared.contracts.intake import InformationProvided
from shared.decider import Decider, Refused

Answers = Sequence[Event | Refused]


def decide(patience: Patience, state: State, received: Input, now: datetime) -> Answers:
    """Decide the input itself; then, if that filled the file, accept the case."""
    answers = _answer(patience, state, received, now)
    events = [answer for answer in answers if isinstance(answer, Event)]
    return [*answers, *_conclusion(received.case_id, reduce(evolve, events, state), now)]


def intake(patience: Patience) -> Decider[State, Input, Event]:
    return Decider(Unknown(), partial(decide, patience), evolve, deadlines)


INTAKE: Final = intake(Patience())


def _answer(patience: Patience, state: State, received: Input, now: datetime) -> Answers:  # noqa: C901, PLR0911 - a table
    match received:
        case SubmitCase():
            return submit(state, received, now, patience.collect)
        case DeadlineReached():
            return reach_deadline(patience, state, received, max(now, received.due_at))
        case _ if isinstance(state, Unknown):
            return [NOT_FOUND]
        case StudyReceived():
            return receive_study(state, received, now + patience.quiet)
        case DocumentReceived():
            return receive_document(state, received)
        case AmendCase():
            return amend(state, received)
        case ChangeServiceLevel():
            return change_service_level(state, received)
        case CancelCase():
            return cancel(state, received)
        case RejectCase():
            return reject(state, received)
        case _:
            assert_never(received)


def _conclusion(case_id: CaseId, state: State, now: datetime) -> Sequence[Event]:
    match state:
        case Collecting() | AwaitingInformation() if not missing(state.file):
            done = accepted(case_id, state.file, now)
            if isinstance(state, Collecting):
                return [done]
            return [InformationProvided(case_id=case_id, partner=done.partner), done]
        case _:
            return []

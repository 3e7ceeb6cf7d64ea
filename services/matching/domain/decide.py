"""CaseAccepted, CaseDeidentified -> AssignmentOffered -> AssignmentAccepted; and the clock beside.

Two deciders stand side by side: `assignment` says who reads, `clock` by when. Both see each
input, and the clock also what the assignment has just decided; when the clock escalates a case
that waits for a reader, the assignment asks more of them. Nothing is decided before CaseAccepted:
what overtakes it is kept, and decided in its turn when it comes. So the order in which other
services' events arrive does not matter.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from typing import Final

from services.matching.domain import assignment, clock, fold, fold_clock
from services.matching.domain.answers import NOT_FOUND
from services.matching.domain.events import HeardEarly
from services.matching.domain.inputs import OVERTAKERS, Asked, Input, Upstream
from services.matching.domain.moment import Moment
from services.matching.domain.state import Matching, NotStarted, Running
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.intake import CaseAccepted
from shared.contracts.matching import EscalationRaised
from shared.decider import Deadline, Decider, Refused

Answers = Sequence[Event | Refused]

_BY_TYPE: Final[dict[str, type[Upstream]]] = {one.ce_type(): one for one in OVERTAKERS}


def decide(state: Matching, received: Input, now: datetime) -> Answers:
    if not isinstance(state.clock, NotStarted):
        return _decided(state, received, now)
    if isinstance(received, CaseAccepted):
        return _caught_up(state, received, now)
    if isinstance(received, OVERTAKERS):
        return (_kept(received),)
    return (NOT_FOUND,) if isinstance(received, Asked) else ()


def evolve(state: Matching, event: Event) -> Matching:
    if isinstance(event, HeardEarly):
        return state.model_copy(update={"heard": (*state.heard, event)})
    return state.model_copy(
        update={
            "heard": (),
            "assignment": fold.evolve(state.assignment, event),
            "clock": fold_clock.evolve(state.clock, event),
        }
    )


def deadlines(state: Matching) -> tuple[Deadline, ...]:
    return (*assignment.deadlines(state.assignment), *clock.deadlines(state.clock))


def _kept(received: Event) -> Event:
    body = received.model_dump(mode="json")
    return HeardEarly(case_id=received.case_id, ce_type_heard=received.ce_type(), body=body)


def _caught_up(state: Matching, received: CaseAccepted, now: datetime) -> Answers:
    """Decide CaseAccepted, then what came before it, as if it had come after."""
    early = [_BY_TYPE[one.ce_type_heard].model_validate(one.body) for one in state.heard]
    answers: list[Event | Refused] = []
    for one in (received, *early):
        decided = _decided(state, one, now)
        state = _folded(state, decided)
        answers.extend(decided)
    return answers


def _decided(state: Matching, received: Input, now: datetime) -> Answers:
    if isinstance(received, DeadlineReached):
        now = max(now, received.due_at)  # the timers' clock may be ahead of ours
    moment = Moment(now, _owed_at(state, now), state.contracts)
    answers = assignment.decide(state.assignment, received, moment)
    if any(isinstance(one, Refused) for one in answers):
        return answers
    decided = [one for one in answers if isinstance(one, Event)]
    said = clock.decide(state.clock, received, decided, state.assignment, now)
    after = _folded(state, decided)
    return [*decided, *said, *_broadened(after, said)]


def _broadened(state: Matching, said: Iterable[Event]) -> Iterable[Event | Refused]:
    for one in said:
        if isinstance(one, EscalationRaised) and one.stage == "match":
            yield from assignment.broadened(state.assignment, one.case_id, one.rung)


def _owed_at(state: Matching, now: datetime) -> datetime:
    """Give the time at which a report is owed, so that its delivery still fits."""
    if isinstance(state.clock, Running):
        return state.clock.due_at - state.clock.terms.budgets.deliver
    return now


def _folded(state: Matching, events: Iterable[Event | Refused]) -> Matching:
    return reduce(evolve, (one for one in events if isinstance(one, Event)), state)


MATCHING: Decider[Matching, Input, Event] = Decider(Matching(), decide, evolve, deadlines)

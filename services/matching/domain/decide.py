"""CaseAccepted, CaseDeidentified -> AssignmentOffered -> AssignmentAccepted; and the clock beside.

Two deciders stand side by side: `assignment` says who reads, `clock` by when. Both see each
input, and the clock also what the assignment has just decided; when the clock escalates a case
that waits for a reader, the assignment asks more of them. Nothing is decided before CaseAccepted:
what overtakes it is kept, and decided in its turn when it comes. So the order in which other
services' events arrive does not matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from typing import Final

from services.matching.domain import assignment, clock, fold_clock, fold_parts
from services.matching.domain.answers import NOT_FOUND
from services.matching.domain.events import HeardEarly, IntakeStanding, IntakeStood, OrderGiven
from services.matching.domain.inputs import (
    ORDERS,
    OVERTAKERS,
    Asked,
    AtIntake,
    Input,
    Ordered,
    TakeBack,
    Upstream,
)
from services.matching.domain.moment import Moment
from services.matching.domain.orders import CLOSED
from services.matching.domain.state import Matching, NotStarted, Running, Stopped, going
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.intake import (
    CaseAccepted,
    CaseCancelled,
    CaseRejected,
    CaseSubmitted,
    InformationProvided,
    InformationRequested,
)
from shared.contracts.matching import EscalationRaised
from shared.decider import Deadline, Decider, Refused

Answers = Sequence[Event | Refused]
Said = Iterable[Event | Refused]

INTAKE: Final[Mapping[type[AtIntake], IntakeStanding]] = {
    CaseSubmitted: "collecting",
    InformationRequested: "owed_by_partner",
    InformationProvided: "collecting",
    CaseRejected: "rejected",
    CaseCancelled: "cancelled",
}
NO_CHANGE: Final = Refused(
    "no_change",
    "The case has that level, or waits for that reason, already; to name another party for a "
    "pause, resume it first.",
)
_BY_TYPE: Final[dict[str, type[Upstream]]] = {one.ce_type(): one for one in OVERTAKERS}


def decide(state: Matching, received: Input, now: datetime) -> Answers:
    if not isinstance(state.clock, NotStarted):
        return _decided(state, received, now)
    if isinstance(received, CaseAccepted):
        return _caught_up(state, received, now)
    if isinstance(received, OVERTAKERS):
        return (_kept(received),)
    if isinstance(received, AtIntake):
        return tuple(_noted(state, received))
    return (NOT_FOUND,) if isinstance(received, Asked) else ()


def evolve(state: Matching, event: Event) -> Matching:
    if isinstance(event, IntakeStood):
        return state.model_copy(update={"intake": event})
    if isinstance(event, HeardEarly):
        return state.model_copy(update={"heard": (*state.heard, event)})
    return state.model_copy(
        update={
            "heard": (),
            "assignment": fold_parts.evolve(state.assignment, event),
            "clock": fold_clock.evolve(state.clock, event),
        }
    )


def deadlines(state: Matching) -> tuple[Deadline, ...]:
    return (*assignment.deadlines(state.assignment), *clock.deadlines(state.clock))


def _noted(state: Matching, received: AtIntake) -> Said:
    """Remember whose turn it is, so that no submitted case is out of everybody's sight."""
    standing = INTAKE[type(received)]
    if state.intake is None or state.intake.standing != standing:
        yield IntakeStood(case_id=received.case_id, partner=received.partner, standing=standing)


def _kept(received: Event) -> Event:
    body = received.model_dump(mode="json")
    return HeardEarly(case_id=received.case_id, ce_type_heard=received.ce_type(), body=body)


def _caught_up(state: Matching, received: CaseAccepted, now: datetime) -> Answers:
    """Decide CaseAccepted, then what came before it, as if it had come after."""
    early = [_BY_TYPE[one.ce_type_heard].model_validate(one.body) for one in state.heard]
    answers: list[Event | Refused] = []
    decided: Answers = ()
    for one in (received, *early):
        state = _folded(state, decided)
        decided = _decided(state, one, now)
        answers.extend(decided)
    return answers


def _decided(state: Matching, received: Input, now: datetime) -> Answers:
    if isinstance(received, Ordered) and isinstance(state.clock, Stopped):
        return (CLOSED,)
    if isinstance(received, DeadlineReached):
        now = max(now, received.due_at)  # the timers' clock may be ahead of ours
    moment = Moment(now, _owed_at(state, now), state.contracts, state.author)
    answers = assignment.decide(state.assignment, received, moment)
    if any(isinstance(one, Refused) for one in answers):
        return answers
    decided = [one for one in answers if isinstance(one, Event)]
    said = clock.decide(state.clock, received, decided, state.assignment, now)
    done = [*decided, *said, *_broadened(state, decided, said)]
    if isinstance(received, Ordered):
        return [*done, _ordered(received)] if done else (NO_CHANGE,)
    return done


def _ordered(received: Ordered) -> OrderGiven:
    terms = received.model_dump(mode="json", exclude={"case_id", "by", "to", "load", "work"})
    if isinstance(received, TakeBack) and received.to is not None:
        terms["reader"] = received.to.id
    return OrderGiven(
        case_id=received.case_id, by=received.by, order=ORDERS[type(received)], terms=terms
    )


def _broadened(state: Matching, decided: Answers, said: Iterable[Event]) -> Said:
    each = (one for one in said if isinstance(one, EscalationRaised))
    raised = [one for one in each if one.stage == "match" or one.adjudication]
    after = _folded(state, decided) if raised else state
    clock = going(after.clock)
    for one in raised:
        widens = clock.terms.widens(one.rung) if clock else ()
        yield from assignment.broadened(after.assignment, one.case_id, one.rung, widens)


def _owed_at(state: Matching, now: datetime) -> datetime:
    """Give the time at which a report is owed, so that its delivery still fits."""
    if isinstance(state.clock, Running):
        return state.clock.owed_at
    return now


def _folded(state: Matching, events: Iterable[Event | Refused]) -> Matching:
    return reduce(evolve, (one for one in events if isinstance(one, Event)), state)


MATCHING: Decider[Matching, Input, Event] = Decider(Matching(), decide, evolve, deadlines)

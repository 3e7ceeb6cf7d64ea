"""What does the clock know after an event?"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, assert_never

from services.matching.domain import events as own
from services.matching.domain.due import capped
from services.matching.domain.stages import after, meant
from services.matching.domain.state import (
    Clock,
    NotStarted,
    Pause,
    Running,
    Standstill,
    Stopped,
)
from shared.contracts.base import Event
from shared.contracts.matching import (
    ClockPaused,
    ClockResumed,
    ClockStarted,
    EscalationRaised,
    SlaAtRisk,
    SlaBreached,
    SlaMet,
    StageCompleted,
)


def evolve(clock: Clock, event: Event) -> Clock:
    match clock:
        case NotStarted():
            return _unstarted(clock, event)
        case Running():
            return _running(clock, event)
        case Standstill():
            return _standing(clock, event)
        case Stopped():
            return clock
        case _:
            assert_never(clock)


def _unstarted(clock: NotStarted, event: Event) -> Clock:
    match event:
        case own.NeedLearnt(terms=terms) if terms is not None:
            level, cap = event.need.service_level, capped(event.need, terms)
            return NotStarted(terms=terms, service_level=level, cap=cap)
        case ClockStarted() if clock.terms and clock.service_level:
            return Running(
                service_level=clock.service_level,
                terms=clock.terms,
                started_at=event.started_at,
                due_at=event.due_at,
                cap=clock.cap,
                stage_started_at=event.started_at,
            )
        case _:
            return clock


def _running(clock: Running, event: Event) -> Clock:
    match event:
        case ClockPaused():
            return Standstill(clock=clock, at=event.at, reason=event.reason, party=event.party)
        case SlaMet():
            return Stopped(outcome="met", clock=clock)
        case own.ClockStopped():
            return Stopped(outcome=event.outcome, clock=clock)
        case _:
            return _changed(clock, event)


def _standing(clock: Standstill, event: Event) -> Clock:
    match event:
        case ClockResumed():
            return _resumed(clock, event)
        case own.PauseAdded():
            added = Pause(reason=event.reason, party=event.party)
            return clock.model_copy(update={"also": (*clock.also, added)})
        case own.PauseDropped():
            return _dropped(clock, event.reason)
        case own.ClockStopped():
            return Stopped(outcome=event.outcome, clock=clock.clock)
        case _:
            return clock.model_copy(update={"clock": _changed(clock.clock, event)})


def _dropped(clock: Standstill, reason: str) -> Standstill:
    """Forget a reason; where it was the first, the next one stands for the pause."""
    each = (Pause(reason=clock.reason, party=clock.party), *clock.also)
    first, *rest = (one for one in each if one.reason != reason)
    left = {"reason": first.reason, "party": first.party, "also": tuple(rest)}
    return clock.model_copy(update=left)


def _resumed(clock: Standstill, event: ClockResumed) -> Running:
    terms, since = clock.clock.terms, clock.clock.stage_started_at
    pause = max(terms.between(clock.at, event.at), timedelta(0))
    return clock.clock.model_copy(
        update={
            "due_at": event.due_at,
            "stage_started_at": terms.later(since, pause),
            "paused_for": clock.clock.paused_for + pause,
        }
    )


def _changed(clock: Running, event: Event) -> Running:
    change = CHANGES.get(type(event))
    return clock.model_copy(update=change(clock, event)) if change else clock


def _learnt(_clock: Running, event: own.NeedLearnt) -> dict[str, Any]:
    if event.terms is None:
        return {}
    level, cap = event.need.service_level, capped(event.need, event.terms)
    return {"terms": event.terms, "service_level": level, "cap": cap}


def _moved(_clock: Running, event: ClockStarted) -> dict[str, Any]:
    """Another deadline may be at risk anew; the rungs that were climbed stay climbed."""
    return {"due_at": event.due_at, "at_risk": False}


def _completed(_clock: Running, event: StageCompleted) -> dict[str, Any]:
    ended = meant(event.stage, adjudication=event.adjudication)
    left = after(ended)
    return {"stage": left[0] if left else ended, "stage_started_at": event.at}


CHANGES: Final[Mapping[type[Event], Callable[[Running, Any], dict[str, Any]]]] = {
    own.NeedLearnt: _learnt,
    ClockStarted: _moved,
    StageCompleted: _completed,
    own.StageReopened: lambda _, event: {"stage": event.stage, "stage_started_at": event.at},
    own.HoldChanged: lambda _, event: {"held": event.held},
    own.AudiencePlanned: lambda clock, event: {"planned": (*clock.planned, event.audience)},
    SlaAtRisk: lambda _, event: {"at_risk": True, "foretold": event.forecast_at},
    SlaBreached: lambda *_: {"breached": True},
    EscalationRaised: lambda clock, event: {"rungs": (*clock.rungs, event.rung)},
}

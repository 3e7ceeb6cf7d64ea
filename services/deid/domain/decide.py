"""Can this leave the building? The door to deid's rules.

CaseAccepted, CaseSupplemented    plan to clean what came              -> on_sources.py
StudiesCleaned, CleaningFailed    hold what is in doubt, or let it go  -> on_work.py
DecideItems, PlanAgain            a person looked                      -> on_review.py
CaseCancelled                     nothing more is done
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.deid.domain.events import WorkCancelled, WorkPlanned
from services.deid.domain.evolve import evolve
from services.deid.domain.inputs import CleaningFailed, DecideItems, PlanAgain, StudiesCleaned
from services.deid.domain.on_review import on_decision, on_plan_again
from services.deid.domain.on_sources import on_sources
from services.deid.domain.on_work import on_cleaned, on_failed
from services.deid.domain.state import Cancelled, State, Unknown
from shared.contracts.base import Event, Frozen
from shared.contracts.intake import CaseAccepted, CaseCancelled, CaseSupplemented
from shared.decider import Decider, Job, Refused

Rule = Callable[[State, Any, datetime], Sequence[Event | Refused]]


def on_cancelled(state: State, event: CaseCancelled, _now: datetime) -> Sequence[Event]:
    """Also before anything else came: cancelled stays cancelled."""
    return [] if isinstance(state, Cancelled) else [WorkCancelled(case_id=event.case_id)]


RULES: Mapping[type[Frozen], Rule] = {
    CaseAccepted: on_sources,
    CaseSupplemented: on_sources,
    CaseCancelled: on_cancelled,
    StudiesCleaned: on_cleaned,
    CleaningFailed: on_failed,
    DecideItems: on_decision,
    PlanAgain: on_plan_again,
}


def decide(state: State, received: Frozen, now: datetime) -> Sequence[Event | Refused]:
    """Answer any input in any state; what is none of deid's business decides nothing."""
    rule = RULES.get(type(received))
    return [] if rule is None else rule(state, received, now)


def jobs(event: Event) -> Sequence[Job]:
    """A plan is work for a performer."""
    if isinstance(event, WorkPlanned):
        return [Job("clean", event.model_dump(mode="json"))]
    return []


DEID: Decider[State, Frozen, Event] = Decider(Unknown(), decide, evolve, jobs=jobs)

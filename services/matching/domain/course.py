"""What does a clock say on its way through one input? Whatever is due, in the order it fell due."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.matching.domain.contract import Rung
from services.matching.domain.due import Due, forecast, timeline, waits_on
from services.matching.domain.fold_clock import evolve
from services.matching.domain.stages import told
from services.matching.domain.state import Assignment, Clock, Running, Standstill
from shared.contracts.base import CaseId, Event
from shared.contracts.matching import EscalationRaised, SlaAtRisk, SlaBreached


@dataclass(slots=True)
class Course:
    """A clock on its way through one input: whatever it says is folded at once.

    `assignment` is where the assignment stood before the input, for which the time ran.
    """

    case_id: CaseId
    clock: Clock
    assignment: Assignment
    now: datetime
    said: list[Event] = field(default_factory=list)

    def say(self, event: Event) -> None:
        self.said.append(event)
        self.clock = evolve(self.clock, event)

    @property
    def going(self) -> Running | None:
        """Give the clock if it has started and not ended, be it paused."""
        match self.clock:
            case Running():
                return self.clock
            case Standstill():
                return self.clock.clock
            case _:
                return None


def overdue(course: Course, until: datetime) -> None:
    """Say what fell due up to a moment."""
    if isinstance(course.clock, Running):
        for one in timeline(course.clock):
            if one.at <= until:
                _fell_due(course, course.clock, one, until)


def _fell_due(course: Course, clock: Running, due: Due, until: datetime) -> None:
    stage, adjudication = told(clock.stage)
    where: dict[str, Any] = {
        "case_id": course.case_id, "stage": stage, "adjudication": adjudication,
    }  # fmt: skip
    match due.what:
        case "at_risk":
            at = forecast(clock, until)
            course.say(SlaAtRisk(due_at=clock.due_at, forecast_at=at, **where))
        case "breach":
            party = waits_on(clock, course.assignment)
            course.say(SlaBreached(party=party, due_at=clock.due_at, **where))
        case Rung(rung=rung, role=role, channels=channels):
            course.say(EscalationRaised(rung=rung, role=role, channels=channels, **where))

"""What falls due while a clock runs, and when? At risk, breach, and the rungs of escalation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.matching.domain.contract import Rung, Terms
from services.matching.domain.need import Need
from services.matching.domain.state import Assignment, Offered, Running, Unfillable
from shared.contracts.matching import Party

# A stage that overran its budget is taken to need at least this share of it still. Without it the
# last stage could only be at risk at the moment of its breach.
LEAST_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Due:
    """A moment of a running clock, and what is to be said then."""

    at: datetime
    what: Literal["at_risk", "breach"] | Rung

    @property
    def kind(self) -> str:
        """Name it as a deadline of the case."""
        return f"rung:{self.what.rung}" if isinstance(self.what, Rung) else f"sla:{self.what}"


def promised(need: Need, terms: Terms, paused_for: timedelta) -> datetime:
    """Give the deadline from the original start: the target, or the procedure if that is sooner.

    A procedure that was over when the case was accepted caps nothing.
    """
    due_at = need.accepted_at + terms.target
    if need.procedure_at is not None and need.procedure_at > need.accepted_at:
        due_at = min(due_at, need.procedure_at)
    return due_at + paused_for


def timeline(clock: Running) -> tuple[Due, ...]:
    """Give all that is still to be said if nothing changes, in order."""
    return tuple(sorted(_timeline(clock), key=lambda one: one.at))


def _timeline(clock: Running) -> Iterator[Due]:
    if not (clock.at_risk or clock.breached):
        yield Due(_risk_at(clock), "at_risk")
    if not clock.breached:
        yield Due(clock.due_at, "breach")
    for rung in clock.terms.rungs:
        if rung.rung not in clock.rungs and rung.stage in (None, clock.stage):
            yield Due(_rung_at(clock, rung), rung)


def forecast(clock: Running, now: datetime) -> datetime:
    """Say when the report will be delivered if every stage takes what is left of its budget."""
    budget = clock.terms.budgets.of(clock.stage)
    left = max(budget - (now - clock.stage_started_at), budget * LEAST_SHARE)
    return now + left + clock.terms.budgets.after(clock.stage)


def _risk_at(clock: Running) -> datetime:
    """Give the moment at which the forecast reaches the deadline; never after the latter."""
    budget, later = clock.terms.budgets.of(clock.stage), clock.terms.budgets.after(clock.stage)
    if clock.stage_started_at + budget + later > clock.due_at:
        return min(clock.stage_started_at, clock.due_at)
    return clock.due_at - later - budget * LEAST_SHARE


def _rung_at(clock: Running, rung: Rung) -> datetime:
    if rung.stage is not None:
        return clock.stage_started_at + clock.terms.budgets.of(rung.stage) * rung.fraction
    began = clock.started_at + clock.paused_for
    return began + (clock.due_at - began) * rung.fraction


def waits_on(clock: Running, assignment: Assignment) -> Party:
    """Say on whom the case waits."""
    match clock.stage:
        case "deid":
            return "operator" if clock.held else "platform"
        case "match" if isinstance(assignment, Unfillable):
            return "operator"
        case "match":
            return "reader" if isinstance(assignment, Offered) else "platform"
        case "read":
            return "reader"
        case "deliver":
            return "platform"

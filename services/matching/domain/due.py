"""What falls due while a clock runs, and when? At risk, breach, and the rungs of escalation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.matching.domain.contract import Rung, Terms
from services.matching.domain.need import Need
from services.matching.domain.state import (
    Assigned,
    Assignment,
    Closed,
    Offered,
    Running,
    Search,
    Unfillable,
    searches,
)
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
    """Give the deadline from the original start: the target, or what caps it if that is sooner.

    Where tumour boards meet, the meeting is the target.
    """
    cap = capped(need, terms)
    if cap is not None and _for_board(need, terms):
        return cap
    due_at = terms.later(need.accepted_at, terms.target + paused_for)
    return due_at if cap is None else min(due_at, cap)


def capped(need: Need, terms: Terms) -> datetime | None:
    """Give the moment after which the report is of no use: the meeting, or the procedure.

    A procedure that was over when the case was accepted caps nothing.
    """
    if need.procedure_at is not None and need.procedure_at > need.accepted_at:
        return need.procedure_at
    return min((one.owed(need.accepted_at) for one in terms.boards), default=None)


def _for_board(need: Need, terms: Terms) -> bool:
    return bool(terms.boards) and (
        need.procedure_at is None or need.procedure_at <= need.accepted_at
    )


def moved(clock: Running, since: datetime, until: datetime) -> datetime:
    """Give the deadline after a pause: later by the pause, but never beyond what caps it.

    What would have capped it in the pause itself no longer does: nobody could keep that.
    """
    due_at = clock.terms.later(until, clock.terms.between(since, clock.due_at))
    due_at = max(due_at, clock.due_at)
    return due_at if clock.cap is None or clock.cap <= until else min(due_at, clock.cap)


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
    terms, budget = clock.terms, clock.terms.budgets.of(clock.stage)
    left = max(budget - terms.between(clock.stage_started_at, now), budget * LEAST_SHARE)
    return terms.later(now, left + terms.budgets.after(clock.stage))


def _risk_at(clock: Running) -> datetime:
    """Give the moment at which the forecast reaches the deadline; never after the latter."""
    terms, started_at = clock.terms, clock.stage_started_at
    budget, later = terms.budgets.of(clock.stage), terms.budgets.after(clock.stage)
    if terms.later(started_at, budget + later) > clock.due_at:
        return min(started_at, clock.due_at)
    return terms.earlier(clock.due_at, later + budget * LEAST_SHARE)


def _rung_at(clock: Running, rung: Rung) -> datetime:
    terms = clock.terms
    if rung.stage is not None:
        budget = terms.budgets.of(rung.stage)
        return terms.later(clock.stage_started_at, budget * rung.fraction)
    began = terms.later(clock.started_at, clock.paused_for)
    return terms.later(began, terms.between(began, clock.due_at) * rung.fraction)


def _asks(each: Sequence[Search]) -> Party:
    """Say on whom it waits that a reader is found; for a split case, its worst part."""
    if any(isinstance(one, Unfillable) for one in each):
        return "operator"
    waits = [one for one in each if not isinstance(one, Assigned | Closed)]
    return "reader" if waits and all(isinstance(one, Offered) for one in waits) else "platform"


def waits_on(clock: Running, assignment: Assignment) -> Party:
    """Say on whom the case waits."""
    match clock.stage:
        case "deid":
            return "operator" if clock.held else "platform"
        case "match":
            return _asks(searches(assignment))
        case "read":
            return "reader"
        case "adjudicate":
            each = searches(assignment)
            found = all(isinstance(one, Assigned | Closed) for one in each)
            return "reader" if each and found else _asks(each)
        case "deliver":
            return "platform"

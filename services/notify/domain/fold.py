"""How does what was decided change what notify knows?"""

from typing import Any, TypeVar

from services.notify.domain import events as own
from services.notify.domain.state import (
    Delivery,
    Dossier,
    Known,
    Note,
    Report,
    State,
    Unknown,
    standing,
)
from shared.contracts import notify
from shared.contracts.base import Event, Frozen

Value = TypeVar("Value", bound=Frozen)


def evolve(state: State, event: Event) -> State:
    match state, event:
        case Unknown(), own.Noted():
            note = Note(what=event.what, facts=event.facts)
            return _with(state, notes=(*state.notes, note))
        case Unknown(), own.CaseKnown():
            return standing(Dossier(partner=event.partner))
        case Known(), own.Noted():
            return state
        case Known(), _:
            return standing(_folded(state.dossier, event))
        case _:
            return state


def _folded(dossier: Dossier, event: Event) -> Dossier:
    change: dict[str, Any]
    match event:
        case own.RequestKept():
            change = {"request": event.request, "identity_overdue": False}
        case own.IdentityOverdue():
            change = {"identity_overdue": True}
        case own.ReportKept():
            change = {"reports": (*dossier.reports, event.report)}
        case own.WaysBackKept():
            change = {"ways_back": event.ways_back}
        case own.RoutesWanted():
            change = {"reports": tuple(_routed(one, event) for one in dossier.reports)}
        case notify.ResultAcknowledged():
            change = {"acknowledged": len(dossier.reports)}
        case notify.DeliveryPlanned():
            change = {"deliveries": (*dossier.deliveries, _planned(event))}
        case _:
            change = {"deliveries": tuple(_progressed(one, event) for one in dossier.deliveries)}
    return _with(dossier, **change)


def _planned(event: notify.DeliveryPlanned) -> Delivery:
    return Delivery(
        delivery=event.delivery,
        report_sha256=event.report_sha256,
        audience=event.audience,
        channel=event.channel,
    )


def _routed(report: Report, event: own.RoutesWanted) -> Report:
    return _with(report, routed=report.routed or report.ref.sha256 == event.report_sha256)


def _progressed(one: Delivery, event: Event) -> Delivery:
    match event:
        case own.AttemptDue(delivery=one.delivery):
            return _with(one, progress="attempting", retry_at=None)
        case own.DeliveryReopened(delivery=one.delivery):
            return _with(one, progress="queued", retry_at=None, forgiven=one.attempts)
        case notify.DeliveryFailed(delivery=one.delivery, attempt=made, cause=cause, retry_at=at):
            return _with(one, progress="waiting", attempts=made, cause=cause, retry_at=at)
        case notify.Delivered(delivery=one.delivery, attempts=made):
            return _with(one, progress="delivered", attempts=made, cause=None)
        case notify.DeliveryAbandoned(delivery=one.delivery, attempts=made, cause=cause):
            return _with(one, progress="abandoned", attempts=made, cause=cause)
        case _:
            return one


def _with(value: Value, **changes: Any) -> Value:
    return value.model_copy(update=changes)

"""Report and identity are here -> DeliveryPlanned -> Delivered | DeliveryAbandoned.

One input passes four questions in turn, each of which sees what the former ones decided: whose
case is it, what does the partner's timeline say, what does the input itself ask for, and what can
go out now? So the order in which the other services' events come does not matter.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from typing import Any

from services.notify.domain import events as own
from services.notify.domain.deliver import attempted, outgoing, planned, reopened, retried
from services.notify.domain.fold import evolve
from services.notify.domain.inputs import (
    Acknowledge,
    DeliveryAttempted,
    Input,
    RetryDelivery,
    RoutesChosen,
)
from services.notify.domain.retries import IDENTITY_PATIENCE
from services.notify.domain.state import Dossier, Report, Request, State, Unknown, retries
from services.notify.domain.timeline import facts
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.deid import CaseDeidentified
from shared.contracts.intake import CaseAccepted, CaseSubmitted
from shared.contracts.notify import ResultAcknowledged
from shared.contracts.reporting import ReportAddended, ReportFinalized
from shared.decider import Deadline, Decider, Job, Refused

IDENTITY = "identity"
RETRY = "retry:"

Answers = Iterable[Event | Refused]


def decide(state: State, received: Input, now: datetime) -> Sequence[Event | Refused]:
    answers: list[Event | Refused] = []
    for question in (_whose, _noted, _asked, outgoing):
        answered = tuple(question(state, received, now))
        events = (answer for answer in answered if isinstance(answer, Event))
        state = reduce(evolve, events, state)
        answers.extend(answered)
    return answers


def _whose(state: State, received: Input, _now: datetime) -> Answers:
    """Tell the partner as soon as any event names it; then the kept notes have an owner."""
    partner = getattr(received, "partner", None) if isinstance(received, Event) else None
    if not isinstance(state, Unknown) or partner is None:
        return
    case_id = received.case_id
    yield own.CaseKnown(case_id=case_id, partner=partner)
    for note in state.notes:
        yield own.Noted(case_id=case_id, partner=partner, what=note.what, facts=note.facts)


def _noted(state: State, received: Input, _now: datetime) -> Answers:
    if isinstance(received, Event):
        partner = None if isinstance(state, Unknown) else state.dossier.partner
        what = received.ce_type()
        yield own.Noted(case_id=received.case_id, partner=partner, what=what, facts=facts(received))


def _asked(state: State, received: Input, now: datetime) -> Answers:
    if isinstance(state, Unknown):
        return _asked_of_nobody(received)
    answer = ANSWERS.get(type(received))
    return answer(state.dossier, received, now) if answer else ()


def _asked_of_nobody(received: Input) -> Answers:
    if isinstance(received, Acknowledge | RetryDelivery):
        yield _not_found()


def _not_found() -> Refused:
    return Refused("not_found", "There is no such case.")


def _identity(dossier: Dossier, received: CaseSubmitted | CaseAccepted, _now: datetime) -> Answers:
    """Keep the identity; that of the accepted case is the last word."""
    accepted = isinstance(received, CaseAccepted)
    if dossier.request is None or (accepted and not dossier.request.accepted):
        request = Request(
            sealed_identity=received.sealed_identity,
            reason_for_review=received.reason_for_review,
            accepted=accepted,
        )
        yield own.RequestKept(case_id=received.case_id, request=request)


def _report(dossier: Dossier, received: ReportFinalized | ReportAddended, now: datetime) -> Answers:
    if any(one.ref.sha256 == received.report.sha256 for one in dossier.reports):
        return
    report = Report(
        part=received.addendum if isinstance(received, ReportAddended) else 0,
        ref=received.report,
        signer=received.signer,
        signed_at=received.signed_at,
        verdict=received.verdict if isinstance(received, ReportFinalized) else None,
        kept_at=now,
    )
    yield own.ReportKept(case_id=received.case_id, report=report)


def _way_back(dossier: Dossier, received: CaseDeidentified, _now: datetime) -> Answers:
    """Keep where the maps lie; the last word replaces what was said before."""
    ways_back = tuple(study.way_back for study in received.studies if study.way_back)
    if ways_back != dossier.ways_back:
        yield own.WaysBackKept(case_id=received.case_id, ways_back=ways_back)


def _acknowledged(dossier: Dossier, received: Acknowledge, now: datetime) -> Answers:
    if received.partner != dossier.partner:
        yield _not_found()
    elif not dossier.reports:
        yield Refused("no_result_yet", "There is no signed report to acknowledge yet.")
    elif dossier.acknowledged < len(dossier.reports):
        yield ResultAcknowledged(
            case_id=received.case_id, partner=dossier.partner, by=received.by, at=now
        )


def _reached(dossier: Dossier, received: DeadlineReached, _now: datetime) -> Answers:
    if received.kind == IDENTITY and _waits_for_identity(dossier):
        since = dossier.reports[0].kept_at
        return (own.IdentityOverdue(case_id=received.case_id, since=since),)
    return retried(dossier, received, received.kind.removeprefix(RETRY))


def _waits_for_identity(dossier: Dossier) -> bool:
    return bool(dossier.reports) and dossier.request is None and not dossier.identity_overdue


def deadlines(state: State) -> tuple[Deadline, ...]:
    if isinstance(state, Unknown):
        return ()
    wanted = [Deadline(f"{RETRY}{delivery}", at) for delivery, at in retries(state.dossier)]
    if _waits_for_identity(state.dossier):
        wanted.append(Deadline(IDENTITY, state.dossier.reports[0].kept_at + IDENTITY_PATIENCE))
    return tuple(wanted)


def jobs(event: Event) -> tuple[Job, ...]:
    match event:
        case own.RoutesWanted():
            return (Job("route", {"report_sha256": event.report_sha256}),)
        case own.AttemptDue():
            return (Job("attempt", {"delivery": event.delivery, "attempt": event.attempt}),)
        case _:
            return ()


ANSWERS: Mapping[type[Input], Callable[[Dossier, Any, datetime], Answers]] = {
    CaseSubmitted: _identity,
    CaseAccepted: _identity,
    CaseDeidentified: _way_back,
    ReportFinalized: _report,
    ReportAddended: _report,
    RoutesChosen: planned,
    DeliveryAttempted: attempted,
    Acknowledge: _acknowledged,
    RetryDelivery: reopened,
    DeadlineReached: _reached,
}
NOTIFY: Decider[State, Input, Event] = Decider(Unknown(), decide, evolve, deadlines, jobs)

"""What becomes of one report on one channel?

Deliveries on one channel go out one after the other, so that an addendum never overtakes the
report it adds to.
"""

from collections.abc import Iterable
from datetime import datetime

from services.notify.domain import events as own
from services.notify.domain.inputs import (
    DeliveryAttempted,
    Input,
    RetryDelivery,
    RoutesChosen,
)
from services.notify.domain.retries import next_attempt_at
from services.notify.domain.state import ENDED, Delivery, Dossier, State, Unknown
from shared.contracts.base import CaseId, DeadlineReached, Event
from shared.contracts.envelope import derived_id
from shared.contracts.notify import (
    Audience,
    Channel,
    Delivered,
    DeliveryAbandoned,
    DeliveryFailed,
    DeliveryPlanned,
)
from shared.decider import Refused

Answers = Iterable[Event | Refused]

AUDIENCE: dict[Channel, Audience] = {"webhook": "partner_system", "mail": "clinician"}


def delivery_id(case_id: CaseId, report_sha256: str, channel: Channel) -> str:
    """Name a delivery for good: it is also the webhook-id, by which a receiver knows repeats."""
    return f"msg_{derived_id(case_id, report_sha256, channel).hex}"


def planned(dossier: Dossier, received: RoutesChosen, _now: datetime) -> Answers:
    sha256 = received.report_sha256
    if any(one.report_sha256 == sha256 for one in dossier.deliveries):
        return
    for channel in dict.fromkeys(received.channels):
        yield DeliveryPlanned(
            case_id=received.case_id,
            partner=dossier.partner,
            delivery=delivery_id(received.case_id, sha256, channel),
            audience=AUDIENCE[channel],
            channel=channel,
            report_sha256=sha256,
        )


def outgoing(state: State, received: Input, _now: datetime) -> Answers:
    """Ask for the routes of new reports, and begin with whatever is first on its channel."""
    if isinstance(state, Unknown) or state.dossier.request is None:
        return
    dossier = state.dossier
    for report in dossier.reports:
        if not report.routed:
            yield own.RoutesWanted(case_id=received.case_id, report_sha256=report.ref.sha256)
    busy: set[Channel] = set()
    for one in dossier.deliveries:
        if one.progress == "queued" and one.channel not in busy:
            yield own.AttemptDue(
                case_id=received.case_id, delivery=one.delivery, attempt=one.attempts + 1
            )
        if one.progress not in ENDED:
            busy.add(one.channel)


def attempted(dossier: Dossier, received: DeliveryAttempted, now: datetime) -> Answers:
    one = _find(dossier, received.delivery)
    if one is None or one.progress != "attempting" or received.attempt != one.attempts + 1:
        return  # late or repeated: that attempt was counted already
    if received.outcome == "delivered":
        yield Delivered(
            case_id=received.case_id,
            partner=dossier.partner,
            delivery=one.delivery,
            audience=one.audience,
            channel=one.channel,
            at=now,
            attempts=received.attempt,
        )
    else:
        yield _failed(one, received, now)


def _failed(one: Delivery, received: DeliveryAttempted, now: datetime) -> Event:
    made = received.attempt - one.forgiven
    retry_at = next_attempt_at(received.case_id, one.delivery, made, now, received.retry_after)
    if received.outcome == "impossible" or retry_at is None:
        return DeliveryAbandoned(
            case_id=received.case_id,
            delivery=one.delivery,
            attempts=received.attempt,
            cause=received.cause,
        )
    return DeliveryFailed(
        case_id=received.case_id,
        delivery=one.delivery,
        attempt=received.attempt,
        cause=received.cause,
        retry_at=retry_at,
    )


def retried(dossier: Dossier, received: DeadlineReached, delivery: str) -> Answers:
    """The pause is over. A deadline that was moved meanwhile is not this one."""
    one = _find(dossier, delivery)
    if one is not None and one.progress == "waiting" and one.retry_at == received.due_at:
        yield own.AttemptDue(case_id=received.case_id, delivery=delivery, attempt=one.attempts + 1)


def reopened(dossier: Dossier, received: RetryDelivery, _now: datetime) -> Answers:
    one = _find(dossier, received.delivery)
    if one is None:
        yield Refused("not_found", "There is no such delivery.")
    elif one.progress == "delivered":
        yield Refused("already_delivered", "It arrived; it is never delivered a second time.")
    elif one.progress in ("waiting", "abandoned"):
        yield own.DeliveryReopened(case_id=received.case_id, delivery=one.delivery, by=received.by)


def _find(dossier: Dossier, delivery: str) -> Delivery | None:
    return next((one for one in dossier.deliveries if one.delivery == delivery), None)

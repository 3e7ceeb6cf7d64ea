"""What is notify asked, besides what other services publish?"""

from datetime import timedelta
from typing import Literal

from shared.contracts.base import (
    CaseId,
    DeadlineReached,
    Event,
    Frozen,
    OpaqueId,
    PartnerId,
    Sha256,
)
from shared.contracts.notify import Channel


class RoutesChosen(Frozen):
    """The partner's settings say over which channels a report goes out."""

    case_id: CaseId
    report_sha256: Sha256
    channels: tuple[Channel, ...]


class DeliveryAttempted(Frozen):
    """The performer tried. `impossible` means that trying again can't help.

    `retry_after` is what the other end asked for (RFC 9110, 10.2.3).
    """

    case_id: CaseId
    delivery: OpaqueId
    attempt: int
    outcome: Literal["delivered", "failed", "impossible"]
    cause: OpaqueId
    retry_after: timedelta | None = None


class Acknowledge(Frozen):
    """Somebody at the partner says that the result was seen."""

    case_id: CaseId
    partner: PartnerId
    by: OpaqueId


class RetryDelivery(Frozen):
    """An operator mended what was wrong and wants the delivery tried again, now."""

    case_id: CaseId
    delivery: OpaqueId
    by: OpaqueId


Input = Event | DeadlineReached | RoutesChosen | DeliveryAttempted | Acknowledge | RetryDelivery

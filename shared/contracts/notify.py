"""Events notify publishes: who was to be told, and whether they were."""

from typing import Literal

from pydantic import AwareDatetime

from shared.contracts.base import Event, OpaqueId, PartnerId, Sha256

Audience = Literal["clinician", "partner_system"]
Channel = Literal["webhook", "mail"]


class DeliveryPlanned(Event):
    """Somebody is to be told of a report over a channel."""

    partner: PartnerId
    delivery: OpaqueId
    audience: Audience
    channel: Channel
    report_sha256: Sha256


class Delivered(Event):
    """The channel's other end took it."""

    partner: PartnerId
    delivery: OpaqueId
    audience: Audience
    channel: Channel
    at: AwareDatetime
    attempts: int


class DeliveryFailed(Event):
    """An attempt failed; the next one is at `retry_at`."""

    delivery: OpaqueId
    attempt: int
    cause: OpaqueId
    retry_at: AwareDatetime


class DeliveryAbandoned(Event):
    """No attempt is left; a person has to act."""

    delivery: OpaqueId
    attempts: int
    cause: OpaqueId


class ResultAcknowledged(Event):
    """Somebody at the partner confirmed that the result was seen."""

    partner: PartnerId
    by: OpaqueId
    at: AwareDatetime

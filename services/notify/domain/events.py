"""What does notify remember that no other service needs to hear?"""

from pydantic import AwareDatetime, JsonValue

from services.notify.domain.state import Report, Request
from shared.contracts.base import Event, OpaqueId, PartnerId, SealedRef, Sha256


class CaseKnown(Event):
    """It is known whose case this is."""

    partner: PartnerId


class Noted(Event):
    """A line of the partner's timeline. `partner` is None as long as nobody knows whose it is."""

    partner: PartnerId | None
    what: str
    facts: dict[str, JsonValue]


class RequestKept(Event):
    """The sealed identity is here."""

    request: Request


class IdentityOverdue(Event):
    """A report waits and the identity does not come: a person should look."""

    since: AwareDatetime


class ReportKept(Event):
    """A report or addendum is here."""

    report: Report


class WaysBackKept(Event):
    """Where the maps from new names to old ones lie, one per study; a supplement replaces them."""

    ways_back: tuple[SealedRef, ...]


class RoutesWanted(Event):
    """Report and identity are here: over which channels does this partner want it?"""

    report_sha256: Sha256


class AttemptDue(Event):
    """The performer should try now."""

    delivery: OpaqueId
    attempt: int


class DeliveryReopened(Event):
    """An operator wants it tried again; the retry schedule begins anew."""

    delivery: OpaqueId
    by: OpaqueId

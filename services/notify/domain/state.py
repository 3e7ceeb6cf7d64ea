"""What does notify know about one case?"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue, TypeAdapter

from shared.contracts.base import Frozen, ObjectRef, OpaqueId, PartnerId, ReaderId, SealedRef
from shared.contracts.intake import ReasonForReview
from shared.contracts.notify import Audience, Channel
from shared.contracts.reporting import CaseVerdict

# queued: an older delivery on the same channel goes first; waiting: until retry_at.
Progress = Literal["queued", "attempting", "waiting", "delivered", "abandoned"]
ENDED: frozenset[Progress] = frozenset({"delivered", "abandoned"})


class Request(Frozen):
    """Who asked, for whom and why. Only the holder of the private key can open the identity."""

    sealed_identity: str
    reason_for_review: ReasonForReview
    accepted: bool


class Report(Frozen):
    """A signed document: part 0 is the report, part n its nth addendum."""

    part: int
    ref: ObjectRef
    signer: ReaderId
    signed_at: AwareDatetime
    verdict: CaseVerdict | None = None
    kept_at: AwareDatetime
    routed: bool = False


class Delivery(Frozen):
    """One report on its way over one channel.

    `attempts` counts all that were made; the retry schedule begins anew after `forgiven` of them.
    """

    delivery: OpaqueId
    report_sha256: str
    audience: Audience
    channel: Channel
    progress: Progress = "queued"
    attempts: int = 0
    forgiven: int = 0
    retry_at: AwareDatetime | None = None
    cause: OpaqueId | None = None


class Note(Frozen):
    """A line of the timeline that waits until it is known whose case this is."""

    what: str
    facts: dict[str, JsonValue]


class Dossier(Frozen):
    """All that a known case consists of; the state beside it says how far it is."""

    partner: PartnerId
    request: Request | None = None
    identity_overdue: bool = False
    reports: tuple[Report, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    acknowledged: int = 0  # so many of the reports
    ways_back: tuple[SealedRef, ...] = ()


class Unknown(Frozen):
    """Nobody's case yet; its notes are kept."""

    kind: Literal["unknown"] = "unknown"
    notes: tuple[Note, ...] = ()


class Known(Frozen):
    """Somebody's case."""

    dossier: Dossier


class Preparing(Known):
    """Either the identity or the report is still to come."""

    kind: Literal["preparing"] = "preparing"


class Delivering(Known):
    """Something is on its way."""

    kind: Literal["delivering"] = "delivering"


class AwaitingAcknowledgement(Known):
    """Everything arrived; nobody has said yet that it was seen."""

    kind: Literal["awaiting_acknowledgement"] = "awaiting_acknowledgement"


class Delivered(Known):
    """Everything arrived and was seen."""

    kind: Literal["delivered"] = "delivered"


class Undeliverable(Known):
    """Somebody was not reached and no attempt is left: a person has to act."""

    kind: Literal["undeliverable"] = "undeliverable"


State = Annotated[
    Unknown | Preparing | Delivering | AwaitingAcknowledgement | Delivered | Undeliverable,
    Field(discriminator="kind"),
]
STATE: TypeAdapter[State] = TypeAdapter(State)


def standing(dossier: Dossier) -> State:
    """Say how far a case is. What is on its way comes before what failed, and that before rest."""
    progress = {one.progress for one in dossier.deliveries}
    if not progress:
        return Preparing(dossier=dossier)
    if not progress <= ENDED or not all(one.routed for one in dossier.reports):
        return Delivering(dossier=dossier)
    if "abandoned" in progress:
        return Undeliverable(dossier=dossier)
    if dossier.acknowledged < len(dossier.reports):
        return AwaitingAcknowledgement(dossier=dossier)
    return Delivered(dossier=dossier)


def dossier_of(state: State) -> Dossier | None:
    return None if isinstance(state, Unknown) else state.dossier


def retries(dossier: Dossier) -> tuple[tuple[OpaqueId, datetime], ...]:
    """Give each delivery that waits, and until when."""
    waiting = (one for one in dossier.deliveries if one.progress == "waiting")
    return tuple((one.delivery, one.retry_at) for one in waiting if one.retry_at is not None)

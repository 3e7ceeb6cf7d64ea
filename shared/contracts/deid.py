"""Events deid publishes: what may leave the vault, and what is held back and why."""

from typing import Literal

from shared.contracts.base import (
    BodyRegion,
    Code,
    Event,
    Frozen,
    Laterality,
    Modality,
    ObjectRef,
    OpaqueId,
    PartnerId,
    SealedRef,
)
from shared.contracts.intake import DocumentKind

HoldSubject = Literal["instance", "document"]


class CleanStudy(Frozen):
    """A study that may be read. `manifest` is a JSON list of ObjectRef in the clean zone.

    `way_back` leads from its new UIDs to the old ones; only notify can open it.
    """

    study: OpaqueId
    modality: Modality
    body_region: BodyRegion = "UNKNOWN"
    laterality: Laterality = "U"
    prior: bool = False
    instance_count: int
    manifest: ObjectRef
    certificate: ObjectRef
    way_back: SealedRef | None = None


class CleanDocument(Frozen):
    """A text after scrutiny: released with its clean content, or withheld (no content)."""

    kind: DocumentKind
    status: Literal["released", "withheld"]
    content: ObjectRef | None = None


class Finding(Frozen):
    """Why something is held. `item` is opaque; `detail` names rules and tags, never values."""

    item: OpaqueId
    subject: HoldSubject
    code: Code
    detail: str


class DeidentificationPlanned(Event):
    """The case's studies and documents wait for, or are in, de-identification."""

    partner: PartnerId
    studies: tuple[OpaqueId, ...]


class CaseDeidentified(Event):
    """What may be read is clean and certified. Supplements repeat this event with all studies."""

    partner: PartnerId
    pseudonym: OpaqueId
    studies: tuple[CleanStudy, ...]
    documents: tuple[CleanDocument, ...]
    instances_cleaned: int
    instances_rejected: int = 0
    supplement: int = 0


class CaseQuarantined(Event):
    """Doubt holds: a person has to look before anything goes on."""

    partner: PartnerId
    findings: tuple[Finding, ...]


class QuarantineReleased(Event):
    """An operator looked and decided about one held item."""

    partner: PartnerId
    item: OpaqueId
    decision: Literal["release", "reject"]
    by: OpaqueId
    reason: OpaqueId


class DeidentificationFailed(Event):
    """The case can't be made safe; a person has to hear of it."""

    partner: PartnerId
    reason: Code

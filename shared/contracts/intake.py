"""Events intake publishes: what was submitted, what is missing, what was accepted."""

from typing import Literal

from pydantic import AwareDatetime

from shared.contracts.base import (
    BodyRegion,
    Code,
    Event,
    Frozen,
    Language,
    Laterality,
    Modality,
    ObjectRef,
    OpaqueId,
    PartnerId,
    ServiceLevel,
    Sex,
)

ReasonForReview = Literal[
    "inconclusive_first_read",
    "before_major_procedure",
    "persistent_symptoms",
    "symptom_discrepancy",
    "not_read_by_subspecialist",
    "pediatric",
    "cancer",
    "rare_condition",
    "pregnancy_fetal",
    "treatment_monitoring",
    "post_surgical_follow_up",
    "conflicting_opinions",
    "quality_assurance",
    "medicolegal",
    "repeat_opinion",
]
AgeBand = Literal[
    "0-1", "2-5", "6-11", "12-17", "18-29", "30-39", "40-49",
    "50-59", "60-69", "70-79", "80-89", "90+", "unknown",
]  # fmt: skip
DocumentKind = Literal["first_report", "clinical_question", "history"]
FirstReadStatus = Literal["present", "missing", "unreadable"]


class FirstRead(Frozen):
    """The original interpretation. `reader` and `group` are professional ids, never a patient's."""

    status: FirstReadStatus
    reader: OpaqueId | None = None
    group: OpaqueId | None = None


class RawStudy(Frozen):
    """A study as it came. `study` is a keyed digest of the Study Instance UID.

    Each manifest is a JSON list of ObjectRef, one per stored instance; one may be listed twice.
    """

    study: OpaqueId
    modality: Modality
    body_region: BodyRegion = "UNKNOWN"
    laterality: Laterality = "U"
    prior: bool = False
    instance_count: int
    manifests: tuple[ObjectRef, ...]


class RawDocument(Frozen):
    """A text as it came, in the vault: it may name the patient."""

    kind: DocumentKind
    content: ObjectRef


class MissingItem(Frozen):
    """What the partner still owes. `code` is stable, `detail` says how to mend it."""

    code: Code
    detail: str


class CaseSubmitted(Event):
    """A partner asked for a second opinion."""

    partner: PartnerId
    service_level: ServiceLevel
    reason_for_review: ReasonForReview
    submitted_at: AwareDatetime
    expected_studies: int
    sealed_identity: str


class StudyAttached(Event):
    """Instances of a study arrived; `instance_count` is the study's total so far."""

    partner: PartnerId
    study: OpaqueId
    modality: Modality
    instance_count: int


class DocumentAttached(Event):
    """A document arrived and lies in the vault."""

    partner: PartnerId
    document: RawDocument


class InformationRequested(Event):
    """The partner owes something; the case's clock, if it runs, pauses."""

    partner: PartnerId
    items: tuple[MissingItem, ...]


class InformationProvided(Event):
    """The partner sent what was asked for."""

    partner: PartnerId


class InformationOverdue(Event):
    """The partner was asked and stayed silent. The case waits; a person should call."""

    partner: PartnerId
    items: tuple[MissingItem, ...]
    reminder: int


class CaseAccepted(Event):
    """The case is complete and good enough to be read; the clock starts."""

    partner: PartnerId
    accepted_at: AwareDatetime
    service_level: ServiceLevel
    procedure_at: AwareDatetime | None = None
    reason_for_review: ReasonForReview
    modalities: tuple[Modality, ...]
    body_regions: tuple[BodyRegion, ...]
    subspecialty: Code
    laterality: Laterality = "U"
    age_band: AgeBand
    sex: Sex
    language: Language = "en"
    jurisdiction: OpaqueId
    first_read: FirstRead
    studies: tuple[RawStudy, ...]
    documents: tuple[RawDocument, ...]
    sealed_identity: str


class CaseSupplemented(Event):
    """A study, instances of one, or a document arrived after acceptance."""

    partner: PartnerId
    studies: tuple[RawStudy, ...] = ()
    documents: tuple[RawDocument, ...] = ()


class CaseRejected(Event):
    """The case can't be read, with the reasons."""

    partner: PartnerId
    reasons: tuple[MissingItem, ...]


class CaseCancelled(Event):
    """The partner withdrew the case."""

    partner: PartnerId
    by: OpaqueId
    reason: OpaqueId = "withdrawn"


class ServiceLevelChanged(Event):
    """The partner asked for another speed."""

    partner: PartnerId
    service_level: ServiceLevel
    by: OpaqueId

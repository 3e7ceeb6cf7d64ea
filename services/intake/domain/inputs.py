"""What can intake be told about a case? Everything is past the edge: digests, codes, addresses.

`partner` is the tenant of the token; None stands for an operator, who may act for every partner.
"""

from datetime import datetime

from pydantic import AwareDatetime

from shared.contracts.base import (
    CaseId,
    DeadlineReached,
    Frozen,
    Laterality,
    ObjectRef,
    OpaqueId,
    PartnerId,
    ServiceLevel,
    Sex,
    Sha256,
)
from shared.contracts.intake import (
    AgeBand,
    FirstRead,
    MissingItem,
    RawDocument,
    ReasonForReview,
)


class ExpectedStudy(Frozen):
    """A study that the partner announced.

    `study` is the keyed digest of its Study Instance UID, `accession` that of its accession number
    with issuer: at least one is there. `instances` None: complete when it has been quiet.
    """

    study: Sha256 | None = None
    accession: Sha256 | None = None
    modality: str
    instances: int | None = None
    prior: bool = False


class Request(Frozen):
    """What the partner asked for, without who the patient is. `patient` is a keyed digest."""

    partner: PartnerId
    service_level: ServiceLevel
    reason_for_review: ReasonForReview
    body_region: str
    modality: str
    laterality: Laterality = "U"
    jurisdiction: OpaqueId
    language: str = "en"
    procedure_at: AwareDatetime | None = None
    age_band: AgeBand
    sex: Sex
    patient: Sha256
    studies: tuple[ExpectedStudy, ...]
    first_read: FirstRead
    sealed_identity: str


class SubmitCase(Frozen):
    """A partner asks for a second opinion."""

    case_id: CaseId
    request: Request
    documents: tuple[RawDocument, ...] = ()


class StudyReceived(Frozen):
    """Instances of one study lie in the vault: one transmission's, none of them counted before.

    `images` says whether any of them has pixels.
    """

    case_id: CaseId
    patient: Sha256
    study: Sha256
    accession: Sha256 | None = None
    modality: str
    body_region: str = "UNKNOWN"
    laterality: Laterality = "U"
    instances: int
    images: bool
    manifest: ObjectRef


class DocumentReceived(Frozen):
    """A document lies in the vault, or (`first_read` alone) the partner says there is none."""

    case_id: CaseId
    partner: PartnerId | None
    document: RawDocument | None = None
    first_read: FirstRead | None = None


class AmendCase(Frozen):
    """The partner adds studies, or mends what was asked; None leaves a field as it is."""

    case_id: CaseId
    partner: PartnerId | None
    studies: tuple[ExpectedStudy, ...] = ()
    reason_for_review: ReasonForReview | None = None
    procedure_at: datetime | None = None


class ChangeServiceLevel(Frozen):
    """The partner wants it faster, or can wait."""

    case_id: CaseId
    partner: PartnerId | None
    service_level: ServiceLevel
    by: OpaqueId


class CancelCase(Frozen):
    """The partner wants no opinion any more."""

    case_id: CaseId
    partner: PartnerId | None
    by: OpaqueId
    reason: OpaqueId = "withdrawn"


class RejectCase(Frozen):
    """An operator looked and says that the case can't be read."""

    case_id: CaseId
    reasons: tuple[MissingItem, ...]


Input = (
    SubmitCase
    | StudyReceived
    | DocumentReceived
    | AmendCase
    | ChangeServiceLevel
    | CancelCase
    | RejectCase
    | DeadlineReached
)

"""What do the other services tell reporting about a case?"""

from pydantic import AwareDatetime

from shared.contracts.base import BodyRegion, Frozen, Laterality, OpaqueId, PartnerId, ReaderId, Sex
from shared.contracts.deid import CleanDocument, CleanStudy
from shared.contracts.intake import AgeBand, DocumentKind, FirstReadStatus, ReasonForReview
from shared.contracts.matching import Role


class Facts(Frozen):
    """What the case is about (intake)."""

    first_read: FirstReadStatus
    reason_for_review: ReasonForReview
    modalities: tuple[str, ...]
    body_regions: tuple[str, ...]
    laterality: Laterality
    age_band: AgeBand
    sex: Sex
    language: str


class CleanImages(Frozen):
    """What may be read (deid)."""

    pseudonym: OpaqueId
    studies: tuple[CleanStudy, ...]
    documents: tuple[CleanDocument, ...]
    supplement: int

    def released(self, kind: DocumentKind) -> tuple[CleanDocument, ...]:
        found = (document for document in self.documents if document.kind == kind)
        return tuple(document for document in found if document.status == "released")


class Assignment(Frozen):
    """Who reads it, and until when (matching). `regions`: theirs of a split case."""

    partner: PartnerId
    assignment: OpaqueId
    reader: ReaderId
    role: Role
    due_at: AwareDatetime
    regions: tuple[BodyRegion, ...] = ()

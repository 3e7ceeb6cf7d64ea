"""What does intake note for itself? Folded and stored, never published."""

from pydantic import AwareDatetime

from services.intake.domain.inputs import ExpectedStudy, Request
from shared.contracts.base import Event, Laterality, ObjectRef, Sha256
from shared.contracts.intake import FirstRead, ReasonForReview


class CaseDescribed(Event):
    """All that was asked; CaseSubmitted tells the others what they need of it."""

    request: Request
    submitted_at: AwareDatetime
    collect_until: AwareDatetime


class StudyStored(Event):
    """One transmission's instances of a study; StudyAttached tells the others the total."""

    study: Sha256
    accession: Sha256 | None = None
    modality: str
    body_region: str
    laterality: Laterality
    instances: int
    images: bool
    manifest: ObjectRef
    quiet_at: AwareDatetime


class StudyFellQuiet(Event):
    """Nothing came for a while, and nobody announced how much should come: it is complete."""

    study: Sha256


class StudyMisfiled(Event):
    """An announced study came with another patient's id, so it was not attached."""

    study: Sha256
    accession: Sha256 | None = None
    manifest: Sha256


class CaseAmended(Event):
    """The partner added studies or mended what was asked."""

    studies: tuple[ExpectedStudy, ...] = ()
    reason_for_review: ReasonForReview | None = None
    procedure_at: AwareDatetime | None = None


class FirstReadStated(Event):
    """What is now known about the first read."""

    first_read: FirstRead


class ReminderPlanned(Event):
    """When the partner will be reminded next."""

    remind_at: AwareDatetime

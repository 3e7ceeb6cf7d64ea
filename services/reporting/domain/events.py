"""What does reporting remember for itself? Events that are folded and never published."""

from uuid import UUID

from pydantic import AwareDatetime

from services.reporting.domain.compare import Comparison
from services.reporting.domain.facts import Assignment, CleanImages, Facts
from services.reporting.domain.state import GivenOpinion
from shared.contracts.base import BodyRegion, Event, OpaqueId, ReaderId
from shared.contracts.report import Claim, Opinion, Text


class CaseIntroduced(Event):
    """Intake said what the case is about."""

    facts: Facts


class ImagesReleased(Event):
    """Deid said what may be read; the newest word replaces the older."""

    images: CleanImages


class PartsLearnt(Event):
    """Matching said which regions each reader of a split case reads; the newest word counts."""

    parts: tuple[tuple[BodyRegion, ...], ...]


class SoftwareAssigned(Event):
    """Matching said which software reads beside."""

    assignment: Assignment


class SoftwareUnassigned(Event):
    """Software gave the case back, or it was taken."""

    assignment: OpaqueId
    reason: OpaqueId


class SoftwareOpinionKept(Event):
    """What software said, whole: the published event has only its digest."""

    assignment: OpaqueId
    given: GivenOpinion


class ReaderAssigned(Event):
    """Matching said who reads the case."""

    assignment: Assignment


class ReaderUnassigned(Event):
    """The reader gave the case back, or it was taken."""

    assignment: OpaqueId
    reason: OpaqueId


class ReadingWithdrawn(Event):
    """The case was cancelled or closed before a report was signed."""

    reason: OpaqueId


class DraftSaved(Event):
    """The reader wrote; each revision replaces the one that was read before it."""

    reader: ReaderId
    revision: int
    opinion: Opinion
    at: AwareDatetime


class ComparisonSaved(Event):
    """The reader compared; until the report is signed it can be done again."""

    reader: ReaderId
    revision: int
    comparison: Comparison
    at: AwareDatetime


class AddendumAsked(Event):
    """Which wish the addendum that follows fulfils; `text` and `claims` are what was wished."""

    request: UUID
    text: Text
    claims: tuple[Claim, ...]

"""What does deid remember that no other service needs to hear?"""

from services.deid.domain.state import Decision, HeldInstance, ScrubbedText, Text
from shared.contracts.base import Event, ObjectRef, OpaqueId, PartnerId
from shared.contracts.deid import CleanStudy
from shared.contracts.intake import RawDocument, RawStudy


class SourcesArrived(Event):
    """Studies and documents lie in the vault; a study named again replaces what was known."""

    partner: PartnerId
    studies: tuple[RawStudy, ...]
    documents: tuple[RawDocument, ...]


class WorkPlanned(Event):
    """These studies are to be cleaned, under these decisions. It becomes a job.

    `patient` is the first study of the case: whose patient it is decides pseudonym and shift.
    `texts` are to be scrubbed of what the images of all `sources` know.
    """

    partner: PartnerId
    round: int
    studies: tuple[RawStudy, ...]
    patient: RawStudy | None
    pseudonym: OpaqueId | None
    decisions: tuple[Decision, ...]
    texts: tuple[Text, ...] = ()
    sources: tuple[RawStudy, ...] = ()


class WorkRecorded(Event):
    """What became of the studies and texts of a round."""

    round: int
    pseudonym: OpaqueId
    clean: tuple[CleanStudy, ...]
    held: tuple[HeldInstance, ...]
    texts: tuple[ScrubbedText, ...] = ()


class ItemDecided(Event):
    """An operator's decision, for the audit."""

    decision: Decision
    content: ObjectRef | None = None


class WorkCancelled(Event):
    """The partner withdrew the case."""

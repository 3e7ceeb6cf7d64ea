"""What can happen to a case here, besides intake's events?"""

from services.deid.domain.state import HeldInstance, Place, Reason, ScrubbedText, Verdict
from shared.contracts.base import CaseId, Frozen, ObjectRef, OpaqueId
from shared.contracts.deid import CleanStudy


class StudiesCleaned(Frozen):
    """A round of work is done: each of its studies is clean, or has instances in doubt.

    A study of which nothing is left is in neither.
    """

    case_id: CaseId
    round: int
    pseudonym: OpaqueId
    clean: tuple[CleanStudy, ...] = ()
    held: tuple[HeldInstance, ...] = ()
    texts: tuple[ScrubbedText, ...] = ()


class CleaningFailed(Frozen):
    """A round of work can't be done: what intake promised is not in the vault."""

    case_id: CaseId
    round: int
    reason: OpaqueId


class DecideItems(Frozen):
    """An operator has looked. `content` is the clean text, when a document is released."""

    case_id: CaseId
    items: tuple[OpaqueId, ...]
    decision: Verdict
    reason: Reason
    by: OpaqueId
    content: ObjectRef | None = None
    boxes: tuple[Place, ...] = ()


class PlanAgain(Frozen):
    """An operator mended what was wrong, or thinks it was the weather; try once more."""

    case_id: CaseId
    by: OpaqueId

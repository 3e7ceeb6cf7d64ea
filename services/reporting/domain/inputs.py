"""What can a reader ask of a case?"""

from uuid import UUID

from pydantic import AwareDatetime

from services.reporting.domain.compare import Comparison
from shared.contracts.base import CaseId, Code, Frozen, ObjectRef, OpaqueId, ReaderId
from shared.contracts.report import Claim, Opinion, Text
from shared.contracts.reporting import AdjudicationReason


class FromReader(Frozen):
    """Who asks, about which case; `revision` is what they saw when they asked."""

    case_id: CaseId
    reader: ReaderId
    revision: int | None = None


class StartReading(FromReader):
    """Open the case."""


class SaveDraft(FromReader):
    """Replace the draft that was seen as `revision`."""

    opinion: Opinion


class LockOpinion(FromReader):
    """Let the draft stand, for good."""


class RevealFirstReport(FromReader):
    """Open the first report."""


class CompareClaims(FromReader):
    """Say what the first report claims, and pair it with the opinion."""

    comparison: Comparison


class RequestAdjudication(FromReader):
    """Let a third reader decide, who has read none of it before."""

    why: AdjudicationReason


class AiOpinionReceived(FromReader):
    """Software that reads beside says what it sees, once. `reader` is its id on the roster."""

    opinion: Opinion
    software: Code
    software_version: OpaqueId


class FinalizeReport(FromReader):
    """Sign the document that lies at `report`."""

    report: ObjectRef
    signed_at: AwareDatetime


class AddAddendum(FromReader):
    """Add the document that lies at `document` to the signed report.

    `request` names the wish: the same wish again adds nothing.
    """

    request: UUID
    text: Text
    claims: tuple[Claim, ...] = ()
    document: ObjectRef
    signed_at: AwareDatetime

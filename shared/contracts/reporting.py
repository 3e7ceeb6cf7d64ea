"""Events reporting publishes: how the second read went, and what it says of the first."""

from typing import Literal

from pydantic import AwareDatetime

from shared.contracts.base import (
    Code,
    Event,
    Frozen,
    ObjectRef,
    OpaqueId,
    PartnerId,
    ReaderId,
    Sha256,
)

ClaimVerdict = Literal["confirmed", "revised", "refuted", "added"]
# `not_compared`: there was no first report to judge, so nothing is said of it.
CaseVerdict = Literal[
    "confirmed",
    "revised_minor",
    "revised_major",
    "refuted",
    "unable_to_opine",
    "not_compared",
]
FivePoint = Literal[1, 2, 3, 4, 5]
Radpeer = Literal["1", "2a", "2b", "3a", "3b"]
CriticalCategory = Literal[1, 2]
AdjudicationReason = Literal[
    "major_discrepancy", "uncertain", "beyond_expertise", "first_reader_disagrees"
]


class ClaimOutcome(Frozen):
    """What the comparison made of one claim; ids only, the words are in the report."""

    claim: OpaqueId
    verdict: ClaimVerdict
    clinically_important: bool


class Discrepancy(Frozen):
    """Two scales, each with its version, because scales change."""

    five_point: FivePoint
    five_point_scale: Code = "radiology-2010"
    radpeer: Radpeer
    radpeer_scale: Code = "radpeer-2016"


class CriticalResult(Frozen):
    """A finding that must reach a person: category 1 in 60 minutes, 2 in 24 hours (ACR)."""

    claim: OpaqueId
    category: CriticalCategory


class ReadingStarted(Event):
    """The reader opened the case."""

    assignment: OpaqueId
    reader: ReaderId
    at: AwareDatetime


class OpinionLocked(Event):
    """The blind opinion can't change any more; its hash is `sha256`."""

    assignment: OpaqueId
    reader: ReaderId
    at: AwareDatetime
    claims: int
    sha256: Sha256


class AiOpinionRecorded(Event):
    """Software that reads beside gave its opinion. It decides nothing.

    It stays hidden until the reader's own is locked and the first report is opened.
    """

    partner: PartnerId
    assignment: OpaqueId
    reader: ReaderId
    software: Code
    software_version: OpaqueId
    at: AwareDatetime
    claims: int
    sha256: Sha256


class FirstReportRevealed(Event):
    """The reader saw the first report, or learnt that there is none to see."""

    reader: ReaderId
    at: AwareDatetime
    available: bool


class ClaimsCompared(Event):
    """Each claim of both reads has a verdict."""

    outcomes: tuple[ClaimOutcome, ...]


class AdjudicationRequested(Event):
    """A third reader is to decide. The second opinion is kept, and the assignment has ended."""

    partner: PartnerId
    assignment: OpaqueId
    reader: ReaderId
    why: AdjudicationReason
    at: AwareDatetime


class ReportFinalized(Event):
    """The report is signed. It is never changed, only added to."""

    partner: PartnerId
    assignment: OpaqueId
    verdict: CaseVerdict
    discrepancy: Discrepancy | None
    outcomes: tuple[ClaimOutcome, ...]
    critical_results: tuple[CriticalResult, ...] = ()
    report: ObjectRef
    signer: ReaderId
    signed_at: AwareDatetime
    blind: bool


class ReportAddended(Event):
    """Something was added to a signed report; `parent_sha256` is that report's."""

    partner: PartnerId
    addendum: int
    report: ObjectRef
    parent_sha256: Sha256
    signer: ReaderId
    signed_at: AwareDatetime
    critical_results: tuple[CriticalResult, ...] = ()

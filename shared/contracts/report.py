"""What does a signed report say? The documents in the object store's `reports/` zone.

They are canonical JSON (sorted keys, no spaces, UTF-8), so that their SHA-256 can be checked by
anyone. The words come from a reader who never saw the patient's identity.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.base import (
    BodyRegion,
    CaseId,
    Code,
    Frozen,
    Laterality,
    Modality,
    ObjectRef,
    OpaqueId,
    PartnerId,
    ReaderId,
    Sha256,
)
from shared.contracts.intake import FirstReadStatus, ReasonForReview
from shared.contracts.matching import Role
from shared.contracts.reporting import (
    CaseVerdict,
    ClaimVerdict,
    CriticalCategory,
    CriticalResult,
    Discrepancy,
)

# NUL is refused: jsonb can't hold it. The lengths are many times those of published reports.
Phrase = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=300)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=20_000)]
Certainty = Literal["definite", "probable", "possible", "unlikely", "excluded"]
Significance = Literal["critical", "actionable", "incidental_no_action"]
Unit = Literal["mm", "cm", "mm2", "cm2", "mL", "deg", "%", "[hnsf'U]", "1"]  # UCUM
Adequacy = Literal["adequate", "limited", "inadequate"]
DiscrepancyKind = Literal["detection", "interpretation"]


class Measurement(Frozen):
    """A size or value; the value is a decimal string in JSON, so that it stays exact."""

    value: Annotated[Decimal, Field(ge=-100_000, le=1_000_000, max_digits=12, decimal_places=4)]
    unit: Unit


class Claim(Frozen):
    """One structured statement of a report. `excluded` says that the finding is not there.

    `significance` may be absent only where nothing was found (`unlikely`, `excluded`).
    `critical_category` is the ACR's: 1 within 60 minutes, 2 within 24 hours.
    """

    id: OpaqueId
    finding: Phrase = ""
    anatomic_site: Phrase = ""
    laterality: Laterality = "U"
    certainty: Certainty = "definite"
    measurement: Measurement | None = None
    recommendation: Text = ""
    significance: Significance | None = None
    critical_category: CriticalCategory | None = None
    text: Text = ""


class Opinion(Frozen):
    """The second read, made without sight of the first. A draft is one with gaps."""

    adequacy: Adequacy = "adequate"
    technique: Text = ""
    comparison: Text = ""
    narrative: Text = ""
    claims: Annotated[tuple[Claim, ...], Field(max_length=200)] = ()
    impression: Text = ""


class ComparedPair(Frozen):
    """A claim of the first read beside its counterpart in the second; either may be absent.

    `understandable` is RADPEER's question: a miss not ordinarily expected to be made (2), or one
    that should be made most of the time (3).
    """

    first: Claim | None
    second: Claim | None
    verdict: ClaimVerdict
    clinically_important: bool
    discrepancy: DiscrepancyKind | None
    understandable: bool = True
    note: Text = ""


class ReadStudy(Frozen):
    """A study that the opinion rests on, with the certificate of its de-identification."""

    study: OpaqueId
    modality: Modality
    body_region: BodyRegion
    laterality: Laterality
    prior: bool
    instance_count: int
    certificate: ObjectRef


class RegionalOpinion(Frozen):
    """What one reader of a split case locked of their regions."""

    regions: tuple[BodyRegion, ...]
    assignment: OpaqueId
    reader: ReaderId
    opinion: Opinion
    opinion_sha256: Sha256
    started_at: AwareDatetime
    locked_at: AwareDatetime


class SoftwareRead(Frozen):
    """Software that had read the case too when the report was signed. It decided nothing."""

    assignment: OpaqueId
    reader: ReaderId
    software: Code
    software_version: OpaqueId
    claims: int
    opinion_sha256: Sha256
    received_at: AwareDatetime


class ReportDocument(Frozen):
    """The signed report. `studies` were there when the opinion was locked; `late_studies` not.

    Of a split case `opinion` joins what stands in `regional`: each claim's id has the number of its
    part before it (`2:s-1`).
    """

    document: Literal["org.overread.report.v1"] = "org.overread.report.v1"
    case_id: CaseId
    partner: PartnerId
    assignment: OpaqueId
    role: Role
    reason_for_review: ReasonForReview
    first_read: FirstReadStatus
    first_report_available: bool
    blind: bool
    studies: tuple[ReadStudy, ...]
    late_studies: tuple[OpaqueId, ...] = ()
    opinion: Opinion
    opinion_sha256: Sha256
    regional: tuple[RegionalOpinion, ...] = ()
    software: tuple[SoftwareRead, ...] = ()
    started_at: AwareDatetime
    locked_at: AwareDatetime
    revealed_at: AwareDatetime
    pairs: tuple[ComparedPair, ...]
    verdict: CaseVerdict
    discrepancy: Discrepancy | None
    critical_results: tuple[CriticalResult, ...]
    signer: ReaderId
    signed_at: AwareDatetime


class AddendumDocument(Frozen):
    """What was added to a signed report. `previous_sha256` is the document just before it."""

    document: Literal["org.overread.addendum.v1"] = "org.overread.addendum.v1"
    case_id: CaseId
    partner: PartnerId
    addendum: int
    parent_sha256: Sha256
    previous_sha256: Sha256
    text: Text
    claims: tuple[Claim, ...] = ()
    critical_results: tuple[CriticalResult, ...] = ()
    signer: ReaderId
    signed_at: AwareDatetime

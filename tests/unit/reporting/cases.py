"""What does a case look like to reporting? Builders of its events and of a reader's words."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from services.reporting.domain.canonical import sha256
from services.reporting.domain.compare import Comparison, Pairing
from services.reporting.domain.inputs import (
    CompareClaims,
    FinalizeReport,
    LockOpinion,
    RevealFirstReport,
    SaveDraft,
    StartReading,
)
from services.reporting.domain.signing import report_document
from services.reporting.domain.state import Comparing, State
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.deid import CaseDeidentified, CleanDocument, CleanStudy
from shared.contracts.intake import CaseAccepted, FirstRead
from shared.contracts.matching import AssignmentAccepted
from shared.contracts.report import Claim, Opinion, ReportDocument
from shared.testing.spec import NOON

CASE = CaseId(UUID("6f1c2f5e-0000-4000-8000-000000000001"))
READER = "dr-osei"
OTHER = "dr-lind"


def ref(name: str, zone: str = "clean", media_type: str = "application/json") -> ObjectRef:
    digest = (name.encode().hex() + "0" * 64)[:64]
    return ObjectRef(
        address=f"{zone}/{CASE}/{digest}", sha256=digest, size=10, media_type=media_type
    )


STUDY = CleanStudy(
    study="study-1",
    modality="DX",
    body_region="HAND",
    laterality="L",
    instance_count=1,
    manifest=ref("manifest"),
    certificate=ref("certificate"),
)
FIRST_REPORT = CleanDocument(kind="first_report", status="released", content=ref("first"))


def accepted(**changes: Any) -> CaseAccepted:
    fields: dict[str, Any] = {
        "case_id": CASE,
        "partner": "st-elsewhere",
        "accepted_at": NOON,
        "service_level": "urgent",
        "reason_for_review": "persistent_symptoms",
        "modalities": ("DX",),
        "body_regions": ("HAND",),
        "subspecialty": "musculoskeletal",
        "laterality": "L",
        "age_band": "30-39",
        "sex": "F",
        "jurisdiction": "DE",
        "first_read": FirstRead(status="present"),
        "studies": (),
        "documents": (),
        "sealed_identity": "sealed",
    }
    return CaseAccepted(**{**fields, **changes})


def deidentified(**changes: Any) -> CaseDeidentified:
    fields: dict[str, Any] = {
        "case_id": CASE,
        "partner": "st-elsewhere",
        "pseudonym": "P-1",
        "studies": (STUDY,),
        "documents": (FIRST_REPORT,),
        "instances_cleaned": 1,
    }
    return CaseDeidentified(**{**fields, **changes})


def assigned(reader: str = READER, assignment: str = "a-1") -> AssignmentAccepted:
    return AssignmentAccepted(
        case_id=CASE,
        partner="st-elsewhere",
        assignment=assignment,
        reader=reader,
        role="second_reader",
        due_at=NOON + timedelta(hours=12),
    )


def claim(identifier: str = "s-1", **changes: Any) -> Claim:
    fields: dict[str, Any] = {
        "id": identifier,
        "finding": "fracture",
        "anatomic_site": "fifth metacarpal",
        "laterality": "L",
        "certainty": "definite",
        "significance": "actionable",
        "text": "Transverse fracture of the fifth metacarpal.",
    }
    return Claim(**{**fields, **changes})


def no_fracture(identifier: str = "f-1") -> Claim:
    return claim(identifier, certainty="excluded", significance=None, text="No fracture.")


def opinion(*claims: Claim, **changes: Any) -> Opinion:
    fields: dict[str, Any] = {
        "technique": "Two views of the left hand.",
        "comparison": "None.",
        "impression": "Fracture of the left fifth metacarpal.",
        "claims": claims or (claim(),),
    }
    return Opinion(**{**fields, **changes})


def comparison(*pairs: Pairing, first: tuple[Claim, ...] = ()) -> Comparison:
    return Comparison(
        first_claims=first or (no_fracture(),),
        pairs=pairs or (Pairing(first="f-1", second="s-1", clinically_important=True),),
    )


def start(reader: str = READER) -> StartReading:
    return StartReading(case_id=CASE, reader=reader)


def draft(written: Opinion | None = None, revision: int = 0, reader: str = READER) -> SaveDraft:
    return SaveDraft(case_id=CASE, reader=reader, revision=revision, opinion=written or opinion())


def lock(reader: str = READER, revision: int | None = None) -> LockOpinion:
    return LockOpinion(case_id=CASE, reader=reader, revision=revision)


def reveal(reader: str = READER) -> RevealFirstReport:
    return RevealFirstReport(case_id=CASE, reader=reader)


def compared(said: Comparison | None = None, revision: int = 1) -> CompareClaims:
    return CompareClaims(
        case_id=CASE, reader=READER, revision=revision, comparison=said or comparison()
    )


def document_of(state: State) -> ReportDocument:
    assert isinstance(state, Comparing)
    document = report_document(CASE, state, NOON)
    assert isinstance(document, ReportDocument), document
    return document


def stored(digest: str) -> ObjectRef:
    return ObjectRef(address=f"reports/{CASE}/{digest}", sha256=digest, size=1)


def finalize(state: State, reader: str = READER) -> FinalizeReport:
    """Sign what the state amounts to, as the edge does."""
    report = stored(sha256(document_of(state)))
    return FinalizeReport(case_id=CASE, reader=reader, report=report, signed_at=NOON)

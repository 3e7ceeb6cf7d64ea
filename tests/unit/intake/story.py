"""What does a case look like past the edge? Builders for the tests of intake's domain."""

from hashlib import sha256
from typing import Any
from uuid import UUID

from services.intake.domain.decide import INTAKE
from services.intake.domain.inputs import (
    DocumentReceived,
    ExpectedStudy,
    Input,
    Request,
    StudyReceived,
    SubmitCase,
)
from services.intake.domain.state import State
from shared.contracts.base import CaseId, Event, ObjectRef
from shared.contracts.intake import DocumentKind, FirstRead, RawDocument
from shared.testing.spec import Spec, given

CASE = CaseId(UUID(int=7))
PARTNER = "st-elsewhere"


def digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


PATIENT = digest("patient")
HAND, PRIOR = digest("hand"), digest("prior")


def ref(name: str) -> ObjectRef:
    return ObjectRef(address=f"raw/{CASE}/{digest(name)}", sha256=digest(name), size=len(name))


def document(kind: DocumentKind, name: str = "") -> RawDocument:
    return RawDocument(kind=kind, content=ref(name or kind))


QUESTION, REPORT, HISTORY = (
    document("clinical_question"),
    document("first_report"),
    document("history"),
)


def request(**mended: Any) -> Request:
    fields: dict[str, Any] = {
        "partner": PARTNER,
        "service_level": "urgent",
        "reason_for_review": "not_read_by_subspecialist",
        "body_region": "HAND",
        "modality": "DX",
        "laterality": "R",
        "jurisdiction": "US-MA",
        "age_band": "40-49",
        "sex": "F",
        "patient": PATIENT,
        "studies": (ExpectedStudy(study=HAND, modality="DX", instances=2),),
        "first_read": FirstRead(status="present", reader="dr-7", group="group-1"),
        "sealed_identity": "sealed",
    }
    return Request(**{**fields, **mended})


def submit(*documents: RawDocument, **mended: Any) -> SubmitCase:
    return SubmitCase(case_id=CASE, request=request(**mended), documents=documents)


def study(name: str = "hand", part: str = "a", **mended: Any) -> StudyReceived:
    fields: dict[str, Any] = {
        "patient": PATIENT,
        "study": digest(name),
        "modality": "DX",
        "body_region": "HAND",
        "laterality": "R",
        "instances": 1,
        "images": True,
        "manifest": ref(f"{name}-{part}"),
    }
    return StudyReceived(case_id=CASE, **{**fields, **mended})


def attach(one: RawDocument, **mended: Any) -> DocumentReceived:
    return DocumentReceived(case_id=CASE, partner=PARTNER, document=one, **mended)


def case(*inputs: Input) -> Spec[State, Input, Event]:
    """Give the case as some inputs, one after the other, left it."""
    spec = given(INTAKE)
    for one in inputs:
        spec = spec.then(one)
    return spec


def names(events: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]

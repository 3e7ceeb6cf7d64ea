"""Which cases try deid's rules? A CT, a hand radiograph, their first report."""

import hashlib
from datetime import timedelta
from uuid import UUID

from services.deid.domain.events import WorkPlanned
from services.deid.domain.inputs import DecideItems, StudiesCleaned
from services.deid.domain.pixels import Code
from services.deid.domain.state import (
    HeldFinding,
    HeldInstance,
    ScrubbedText,
    TextFinding,
    Verdict,
    item_of,
)
from services.deid.domain.text.kinds import DoubtCode
from shared.contracts.base import CaseId, Event, ObjectRef
from shared.contracts.deid import CleanStudy
from shared.contracts.intake import (
    CaseAccepted,
    CaseSupplemented,
    DocumentKind,
    FirstRead,
    RawDocument,
    RawStudy,
)
from shared.testing.spec import NOON

CASE = CaseId(UUID("6a1f0a52-5f0e-4c62-9a53-0b6f3d6f1c11"))
PARTNER = "st-elsewhere"


def ref(name: str, zone: str = "raw") -> ObjectRef:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return ObjectRef(address=f"{zone}/{CASE}/{sha256}", sha256=sha256, size=1)


def study(name: str, count: int = 1, modality: str = "CT") -> RawStudy:
    return RawStudy(
        study=name,
        modality=modality,
        instance_count=count,
        manifests=(ref(f"manifest {name} {count}"),),
    )


def report(name: str = "report", kind: DocumentKind = "first_report") -> RawDocument:
    return RawDocument(kind=kind, content=ref(name))


def accepted(*studies: RawStudy, documents: tuple[RawDocument, ...] = ()) -> CaseAccepted:
    return CaseAccepted(
        case_id=CASE,
        partner=PARTNER,
        accepted_at=NOON - timedelta(minutes=1),
        service_level="urgent",
        reason_for_review="before_major_procedure",
        modalities=("CT",),
        body_regions=("CHEST",),
        subspecialty="chest",
        age_band="50-59",
        sex="F",
        jurisdiction="US-VT",
        first_read=FirstRead(status="present"),
        studies=studies,
        documents=documents,
        sealed_identity="sealed",
    )


def supplemented(*studies: RawStudy, documents: tuple[RawDocument, ...] = ()) -> CaseSupplemented:
    return CaseSupplemented(case_id=CASE, partner=PARTNER, studies=studies, documents=documents)


def clean(raw: RawStudy, count: int | None = None) -> CleanStudy:
    return CleanStudy(
        study=raw.study,
        modality=raw.modality,
        instance_count=raw.instance_count if count is None else count,
        manifest=ref(f"clean {raw.study}", "clean"),
        certificate=ref(f"certificate {raw.study}", "clean"),
    )


def held(
    raw: RawStudy, name: str = "image", code: Code = "burned_in_text_possible"
) -> HeldInstance:
    finding = HeldFinding(code=code, detail="a rule")
    return HeldInstance(
        item=item_of(CASE, ref(name)), study=raw.study, raw=ref(name), findings=(finding,)
    )


def cleaned(
    number: int,
    *studies: CleanStudy,
    held: tuple[HeldInstance, ...] = (),
    texts: tuple[ScrubbedText, ...] = (),
) -> StudiesCleaned:
    return StudiesCleaned(
        case_id=CASE, round=number, pseudonym="OV-ABC", clean=studies, held=held, texts=texts
    )


def scrubbed(document: RawDocument, code: DoubtCode | None = None) -> ScrubbedText:
    """A text that is clean, or in doubt for a reason."""
    item = item_of(CASE, document.content)
    if code is None:
        return ScrubbedText(item=item, content=ref(f"clean {document.kind}", "clean"))
    return ScrubbedText(item=item, findings=(TextFinding(code=code),))


def decision(
    *items: HeldInstance | RawDocument,
    decision: Verdict = "release",
    content: ObjectRef | None = None,
    by: str = "dr-ops",
) -> DecideItems:
    names = (
        one.item if isinstance(one, HeldInstance) else item_of(CASE, one.content) for one in items
    )
    return DecideItems(
        case_id=CASE,
        items=tuple(names),
        decision=decision,
        reason="no_identifiers_seen" if decision == "release" else "identifiers_seen",
        by=by,
        content=content,
    )


def plans(events: tuple[Event, ...]) -> list[WorkPlanned]:
    return [event for event in events if isinstance(event, WorkPlanned)]

"""What may the reader see of a case now? Above all: not the first report before the lock."""

from typing import Literal

from pydantic import AwareDatetime

from services.reporting.domain.beside import Beside
from services.reporting.domain.compare import Comparison
from services.reporting.domain.facts import Assignment, Facts
from services.reporting.domain.lint import lint_draft
from services.reporting.domain.regional import documented
from services.reporting.domain.signing import compared, judged
from services.reporting.domain.state import Assigned, Comparing, Held, Locked, Reading, Signed
from shared.contracts.base import (
    CaseId,
    Code,
    Frozen,
    Laterality,
    ObjectRef,
    OpaqueId,
    ReaderId,
    Sha256,
)
from shared.contracts.deid import CleanDocument, CleanStudy
from shared.contracts.intake import DocumentKind
from shared.contracts.report import ComparedPair, Opinion, RegionalOpinion
from shared.contracts.reporting import CaseVerdict, Discrepancy
from shared.decider import Refused


class ShownComplaint(Frozen):
    """What keeps the draft from being locked; `field` is a JSON pointer into the draft."""

    field: str
    code: str
    detail: str


class ShownInstance(Frozen):
    """A clean DICOM instance. `n` counts over all studies of the case, from 1."""

    n: int
    href: str
    size: int
    sha256: Sha256


class ShownStudy(Frozen):
    """A clean study of the case. `instances` are listed when the case is read, not when written."""

    study: OpaqueId
    modality: str
    body_region: str
    laterality: Laterality
    prior: bool
    instance_count: int
    instances: tuple[ShownInstance, ...] | None = None


class ShownText(Frozen):
    """A text that came with the case; the words only when they were released."""

    status: Literal["released", "withheld", "absent"]
    text: str | None = None


class ShownFirstReport(Frozen):
    """The first report, opened. `text` is null where there was none to open."""

    available: bool
    revealed_at: AwareDatetime
    text: str | None = None


class ShownSigned(Frozen):
    """A signed document: the report, or an addendum to it."""

    document: ObjectRef
    href: str
    signed_at: AwareDatetime


class ShownSoftware(Frozen):
    """What software said that read beside; it decides nothing."""

    reader: ReaderId
    software: Code
    software_version: OpaqueId
    received_at: AwareDatetime
    opinion: Opinion
    sha256: Sha256


class CaseView(Frozen):
    """The case as its reader sees it.

    `regional`: what each reader of a split case locked, for who locked last and signs for all.
    `software`: what software said that read beside, shown with the first report.
    """

    case_id: CaseId
    state: str
    revision: int
    assignment: Assignment
    facts: Facts | None
    studies: tuple[ShownStudy, ...] = ()
    clinical_question: ShownText = ShownText(status="absent")
    history: ShownText = ShownText(status="absent")
    opinion: Opinion | None = None
    opinion_sha256: Sha256 | None = None
    lint: tuple[ShownComplaint, ...] = ()
    first_report: ShownFirstReport | None = None
    comparison: Comparison | None = None
    pairs: tuple[ComparedPair, ...] = ()
    verdict: CaseVerdict | None = None
    discrepancy: Discrepancy | None = None
    regional: tuple[RegionalOpinion, ...] = ()
    software: tuple[ShownSoftware, ...] = ()
    report: ShownSigned | None = None
    addenda: tuple[ShownSigned, ...] = ()


def view(case_id: CaseId, state: Held) -> CaseView:
    """Show everything but what lies in the object store: instances and texts."""
    shown = CaseView(
        case_id=case_id,
        state=state.kind,
        revision=0 if isinstance(state, Assigned) else state.revision,
        assignment=state.assignment,
        facts=state.material.facts,
        studies=tuple(ShownStudy(**dict(study)) for study in studies(state)),
        clinical_question=text(state, "clinical_question"),
        history=text(state, "history"),
        opinion=opinion(state),
        opinion_sha256=None if isinstance(state, Assigned | Reading) else state.sealed.sha256,
        lint=_lint(state),
        regional=documented(state.material),
    )
    if isinstance(state, Assigned | Reading | Locked):
        return shown
    return shown.model_copy(update=_after_reveal(case_id, state))


def studies(state: Held | Beside) -> tuple[CleanStudy, ...]:
    images = state.material.images
    return images.studies if images else ()


def documents(state: Held | Beside, kind: DocumentKind) -> tuple[CleanDocument, ...]:
    images = state.material.images
    return tuple(d for d in images.documents if d.kind == kind) if images else ()


def opinion(state: Held) -> Opinion | None:
    if isinstance(state, Assigned):
        return None
    return state.draft if isinstance(state, Reading) else state.sealed.opinion


def _after_reveal(case_id: CaseId, state: Comparing | Signed) -> dict[str, object]:
    first = ShownFirstReport(available=state.available, revealed_at=state.revealed_at)
    shown: dict[str, object] = {"first_report": first, "comparison": state.comparison}
    shown["software"] = _software(state)
    pairs = compared(state)
    if not isinstance(pairs, Refused):
        shown["pairs"] = pairs
        shown["verdict"], shown["discrepancy"] = judged(state, pairs)
    if isinstance(state, Signed):
        at = f"/v1/cases/{case_id}"
        signature = state.signature
        shown["report"] = ShownSigned(
            document=signature.report, href=f"{at}/report", signed_at=signature.signed_at
        )
        shown["addenda"] = tuple(
            ShownSigned(
                document=addendum.document,
                href=f"{at}/addenda/{addendum.number}",
                signed_at=addendum.signed_at,
            )
            for addendum in state.addenda
        )
    return shown


def _software(state: Comparing | Signed) -> tuple[ShownSoftware, ...]:
    each = ((one.assignment.reader, one.given) for one in state.material.software)
    return tuple(
        ShownSoftware(reader=reader, **dict(given)) for reader, given in each if given is not None
    )


def text(state: Held | Beside, kind: DocumentKind) -> ShownText:
    found = documents(state, kind)
    if not found:
        return ShownText(status="absent")
    released = any(document.status == "released" for document in found)
    return ShownText(status="released" if released else "withheld")


def _lint(state: Held) -> tuple[ShownComplaint, ...]:
    if not isinstance(state, Reading):
        return ()
    found = lint_draft(state)
    return tuple(ShownComplaint(field=f"#{c.field}", code=c.code, detail=c.detail) for c in found)

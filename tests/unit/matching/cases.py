"""A routine wrist for matching's tests: what the others say of it, and who could read it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from services.matching.domain.fit import POLICY
from services.matching.domain.inputs import AcceptOffer, DeclineOffer, OfferCase, ReleaseAssignment
from services.matching.domain.reader import Licence, Reader, Shift
from services.matching.domain.state import AskedReader, Matching, brief_of
from shared.contracts import deid, intake, notify, reporting
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.matching import Explanation, Ineligible

CASE = CaseId(UUID(int=7))
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)  # a Monday
SHA = "ab" * 32
REF = ObjectRef(address=f"clean/{CASE}/{SHA}", sha256=SHA, size=3)


def at(**after: float) -> datetime:
    """Give a time after the acceptance, as `at(hours=2)`."""
    return NOON + timedelta(**after)


def accepted(case_id: CaseId = CASE, **changes: Any) -> intake.CaseAccepted:
    fields: dict[str, Any] = {
        "case_id": case_id,
        "partner": "st-elsewhere",
        "accepted_at": NOON,
        "service_level": "routine",
        "reason_for_review": "persistent_symptoms",
        "modalities": ("DX",),
        "body_regions": ("HAND",),
        "subspecialty": "musculoskeletal",
        "laterality": "R",
        "age_band": "40-49",
        "sex": "F",
        "jurisdiction": "US-MA",
        "first_read": intake.FirstRead(status="present", reader="npi:1111", group="valley"),
        "studies": (),
        "documents": (),
        "sealed_identity": "sealed",
    }
    return intake.CaseAccepted(**fields | changes)


def deidentified(case_id: CaseId = CASE, supplement: int = 0) -> deid.CaseDeidentified:
    return deid.CaseDeidentified(
        case_id=case_id,
        partner="st-elsewhere",
        pseudonym="P1",
        studies=(),
        documents=(),
        instances_cleaned=1,
        supplement=supplement,
    )


def supplemented(modality: str, *, prior: bool = False) -> intake.CaseSupplemented:
    study = intake.RawStudy(
        study="late", modality=modality, prior=prior, instance_count=1, manifests=()
    )
    return intake.CaseSupplemented(case_id=CASE, partner="st-elsewhere", studies=(study,))


def requested() -> intake.InformationRequested:
    item = intake.MissingItem(code="prior", detail="Send the prior study.")
    return intake.InformationRequested(case_id=CASE, partner="st-elsewhere", items=(item,))


def provided() -> intake.InformationProvided:
    return intake.InformationProvided(case_id=CASE, partner="st-elsewhere")


def cancelled() -> intake.CaseCancelled:
    return intake.CaseCancelled(case_id=CASE, partner="st-elsewhere", by="their-system")


def hurried(level: str) -> intake.ServiceLevelChanged:
    return intake.ServiceLevelChanged.model_validate(
        {"case_id": CASE, "partner": "st-elsewhere", "service_level": level, "by": "their-system"}
    )


def quarantined(*items: str) -> deid.CaseQuarantined:
    findings = tuple(
        deid.Finding(item=one, subject="instance", code="pixels", detail="x") for one in items
    )
    return deid.CaseQuarantined(case_id=CASE, partner="st-elsewhere", findings=findings)


def let_go(item: str) -> deid.QuarantineReleased:
    return deid.QuarantineReleased(
        case_id=CASE, partner="st-elsewhere", item=item, decision="release", by="op", reason="clean"
    )


def failed() -> deid.DeidentificationFailed:
    return deid.DeidentificationFailed(case_id=CASE, partner="st-elsewhere", reason="unreadable")


def reading(assignment: str, reader: str = "dr-osei") -> reporting.ReadingStarted:
    return reporting.ReadingStarted(case_id=CASE, assignment=assignment, reader=reader, at=NOON)


def finalized(signed_at: datetime, assignment: str = "any") -> reporting.ReportFinalized:
    return reporting.ReportFinalized(
        case_id=CASE,
        partner="st-elsewhere",
        assignment=assignment,
        verdict="confirmed",
        discrepancy=None,
        outcomes=(),
        report=REF,
        signer="dr-osei",
        signed_at=signed_at,
        blind=True,
    )


def planned(audience: notify.Audience) -> notify.DeliveryPlanned:
    return notify.DeliveryPlanned(
        case_id=CASE,
        partner="st-elsewhere",
        delivery=f"msg-{audience}",
        audience=audience,
        channel="mail" if audience == "clinician" else "webhook",
        report_sha256=SHA,
    )


def delivered(when: datetime, audience: notify.Audience = "clinician") -> notify.Delivered:
    return notify.Delivered(
        case_id=CASE,
        partner="st-elsewhere",
        delivery=f"msg-{audience}",
        audience=audience,
        channel="mail" if audience == "clinician" else "webhook",
        at=when,
        attempts=1,
    )


def shift(start: str = "00:00", end: str = "00:00", *days: str) -> Shift:
    fields: dict[str, Any] = {"start": time.fromisoformat(start), "end": time.fromisoformat(end)}
    return Shift.model_validate(fields | ({"days": days} if days else {}))


def reader(name: str = "dr-osei", **changes: Any) -> Reader:
    fields: dict[str, Any] = {
        "id": name,
        "identifiers": (f"npi:{name}",),
        "groups": ("boston",),
        "subspecialties": ("musculoskeletal",),
        "modalities": ("CR", "DX", "MR"),
        "licences": (Licence(jurisdiction="US-MA", expires_on=date(2027, 1, 1)),),
        "time_zone": "America/New_York",
        "shifts": (shift(),),
        "capacity": 5,
    }
    return Reader(**fields | changes)


EXPLANATION = Explanation(
    score=1,
    terms=(),
    eligible=1,
    excluded=(Ineligible(constraint="human", readers=1),),
    policy=POLICY,
)


def offer(
    who: Reader | None = None, case_id: CaseId = CASE, load: int = 0, **urgent: Any
) -> OfferCase:
    known = {"reader": who or reader(), "load": load, "explanation": EXPLANATION}
    return OfferCase.model_validate({"case_id": case_id, **known, **urgent})


def yes(assignment: str, who: Reader | None = None, load: int = 0) -> AcceptOffer:
    return AcceptOffer(case_id=CASE, assignment=assignment, reader=who or reader(), load=load)


def no(assignment: str, who: str = "dr-osei", reason: str = "too_busy") -> DeclineOffer:
    fields = {"case_id": CASE, "assignment": assignment, "reader": who, "reason": reason}
    return DeclineOffer.model_validate(fields)


def back(assignment: str, who: str = "dr-osei") -> ReleaseAssignment:
    return ReleaseAssignment(case_id=CASE, assignment=assignment, reader=who, reason="other")


def asked(state: Matching) -> tuple[AskedReader, ...]:
    """Give everybody who was asked, in order."""
    brief = brief_of(state.assignment)
    return brief.asked if brief else ()


def last(state: Matching) -> str:
    """Give the newest offer's assignment id."""
    return asked(state)[-1].assignment

"""Which inputs tell notify's stories? Shared by the tests of its decider."""

from datetime import timedelta
from uuid import UUID

from services.notify.domain.deliver import delivery_id
from services.notify.domain.inputs import DeliveryAttempted, RoutesChosen
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.intake import CaseAccepted, CaseSubmitted, FirstRead
from shared.contracts.notify import Channel
from shared.contracts.reporting import ReportAddended, ReportFinalized
from shared.testing.spec import NOON

CASE = CaseId(UUID(int=7))
PARTNER = "st-elsewhere"
FINAL_SHA = "a" * 64
ADDENDUM_SHA = "b" * 64


def reference(sha256: str) -> ObjectRef:
    return ObjectRef(address=f"reports/{CASE}/{sha256}", sha256=sha256, size=3)


SUBMITTED = CaseSubmitted(
    case_id=CASE,
    partner=PARTNER,
    service_level="urgent",
    reason_for_review="persistent_symptoms",
    submitted_at=NOON,
    expected_studies=1,
    sealed_identity="sealed-at-submission",
)
ACCEPTED = CaseAccepted(
    case_id=CASE,
    partner=PARTNER,
    accepted_at=NOON,
    service_level="urgent",
    reason_for_review="persistent_symptoms",
    modalities=("DX",),
    body_regions=("HAND",),
    subspecialty="musculoskeletal",
    age_band="40-49",
    sex="F",
    jurisdiction="US-MA",
    first_read=FirstRead(status="missing"),
    studies=(),
    documents=(),
    sealed_identity="sealed-at-acceptance",
)
FINALIZED = ReportFinalized(
    case_id=CASE,
    partner=PARTNER,
    assignment="a-1",
    verdict="revised_major",
    discrepancy=None,
    outcomes=(),
    report=reference(FINAL_SHA),
    signer="dr-osei",
    signed_at=NOON,
    blind=True,
)
ADDENDED = ReportAddended(
    case_id=CASE,
    partner=PARTNER,
    addendum=1,
    report=reference(ADDENDUM_SHA),
    parent_sha256=FINAL_SHA,
    signer="dr-osei",
    signed_at=NOON + timedelta(hours=1),
)


def routes(*channels: Channel, sha256: str = FINAL_SHA) -> RoutesChosen:
    return RoutesChosen(case_id=CASE, report_sha256=sha256, channels=channels)


def attempt(
    number: int,
    outcome: str = "delivered",
    *,
    channel: Channel = "webhook",
    sha256: str = FINAL_SHA,
    retry_after: timedelta | None = None,
) -> DeliveryAttempted:
    return DeliveryAttempted.model_validate(
        {
            "case_id": CASE,
            "delivery": delivery_id(CASE, sha256, channel),
            "attempt": number,
            "outcome": outcome,
            "cause": "http-200" if outcome == "delivered" else "http-503",
            "retry_after": retry_after,
        }
    )

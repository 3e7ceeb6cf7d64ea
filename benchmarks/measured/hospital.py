"""What travels in the one-hop benchmark? Contract events of a kilobyte, as intake records them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zlib import crc32

from shared.contracts.base import CaseId, Event, ObjectRef
from shared.contracts.envelope import Recorded, derived_id
from shared.contracts.intake import (
    CaseAccepted,
    CaseSupplemented,
    FirstRead,
    RawDocument,
    RawStudy,
)

NAMESPACE = UUID("c1f0b6a2-59d2-4c0f-9d3e-2f6f2b7f3a10")
BEGAN = datetime(2026, 11, 2, 12, tzinfo=UTC)
EVENTS_PER_CASE = 4
# As long as a sealed identity is with its header, wrapped key, nonce and tag.
SEALED = "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00ifQ." + "x" * 300


def inputs(count: int) -> Iterator[Recorded]:
    """Give `count` events, four to a case: it is accepted, then supplemented three times.

    All cases' first events come before any second one, so a batch holds as many cases as events.
    """
    cases = [case(number) for number in range(-(-count // EVENTS_PER_CASE))]
    for number in range(count):
        nth, which = divmod(number, len(cases))
        event = accepted(cases[which]) if nth == 0 else supplemented(cases[which], nth)
        at = BEGAN + timedelta(milliseconds=number)
        yield Recorded(event, derived_id(event.case_id, "event", nth), at)


def case(number: int) -> CaseId:
    return CaseId(derived_id(NAMESPACE, "case", number))


def accepted(case_id: CaseId) -> CaseAccepted:
    return CaseAccepted(
        case_id=case_id,
        partner="st-brigid",
        accepted_at=BEGAN,
        service_level="urgent",
        reason_for_review="not_read_by_subspecialist",
        modalities=("CT",),
        body_regions=("CHEST",),
        subspecialty="thoracic",
        age_band="50-59",
        sex="F",
        jurisdiction="US-VT",
        first_read=FirstRead(status="present", reader="dr-marchetti", group="northfield"),
        studies=(study(case_id, 0),),
        documents=(RawDocument(kind="first_report", content=stored(case_id, "raw", "report")),),
        sealed_identity=SEALED,
    )


def supplemented(case_id: CaseId, nth: int) -> Event:
    studies = tuple(study(case_id, nth * 10 + n) for n in range(2))
    return CaseSupplemented(case_id=case_id, partner="st-brigid", studies=studies)


def study(case_id: CaseId, number: int) -> RawStudy:
    return RawStudy(
        study=derived_id(case_id, "study", number).hex,
        modality="CT",
        body_region="CHEST",
        instance_count=120,
        manifests=(stored(case_id, "raw", f"manifest {number}"),),
    )


def stored(case_id: CaseId, zone: str, name: str) -> ObjectRef:
    """A claim check for bytes that nobody fetches here."""
    sha256 = f"{crc32(name.encode()):064x}"
    return ObjectRef(
        address=f"{zone}/{case_id}/{sha256}",
        sha256=sha256,
        size=52_431,
        media_type="application/json",
    )

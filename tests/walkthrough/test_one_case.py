"""READ THIS FIRST: one case through the whole system, with no I/O, in milliseconds.

A hospital sends a radiograph of a hand whose first report says "normal". It ends with a signed
report that says otherwise, at the hospital. `tests/acceptance/test_one_case.py` tells the same
story to real processes, over HTTP, Kafka and Postgres. Both must publish the same events, which
stand in `shared/testing/story.py`.
"""

from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from services.deid.domain.inputs import DecideItems, StudiesCleaned
from services.deid.domain.state import HeldFinding, HeldInstance, ScrubbedText, TextFinding
from services.intake.domain.inputs import ExpectedStudy, Request, StudyReceived, SubmitCase
from services.matching.domain.inputs import AcceptOffer, OfferCase
from services.matching.domain.reader import Licence, Reader, Shift
from services.notify.domain.inputs import Acknowledge, DeliveryAttempted, RoutesChosen
from services.reporting.domain.canonical import sha256 as sha256_of
from services.reporting.domain.compare import Comparison
from services.reporting.domain.inputs import (
    CompareClaims,
    FinalizeReport,
    LockOpinion,
    RevealFirstReport,
    SaveDraft,
    StartReading,
)
from services.reporting.domain.signing import report_document
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.deid import CleanStudy
from shared.contracts.intake import FirstRead, RawDocument
from shared.contracts.matching import AssignmentOffered, Explanation
from shared.contracts.report import Opinion, ReportDocument
from shared.decider import Job
from shared.testing import story
from shared.testing.spec import NOON
from tests.walkthrough.in_memory import Overread

CASE = CaseId(UUID(int=1))


def test_a_missed_fracture_is_found_and_the_hospital_hears_of_it() -> None:
    overread = Overread(
        perform={"clean": clean, "route": choose_routes, "attempt": deliver},
    )

    the_hospital_submits_a_case_and_its_image(overread)
    an_operator_looks_at_what_is_held(overread)
    a_reader_is_found(overread)
    the_reader_reads_blind_then_compares_and_signs(overread)
    the_hospital_acknowledges(overread)

    for publisher, events in overread.published.items():
        assert story.told(events) == list(story.TOLD[publisher]), publisher
    assert [state.kind for name, state in overread.states.items() if name != "matching"] == [
        "accepted",
        "deidentified",
        "final",
        "delivered",
    ]
    everything = "".join(e.model_dump_json() for one in overread.published.values() for e in one)
    assert story.SUBMISSION["patient"]["name"]["family"] not in everything


def the_hospital_submits_a_case_and_its_image(overread: Overread) -> None:
    """Intake's edge stores, digests and seals; its decider learns codes and digests only."""
    sent = story.SUBMISSION
    study = digest(sent["studies"][0]["study_instance_uid"])
    request = Request(
        partner=story.PARTNER,
        service_level=sent["service_level"],
        reason_for_review=sent["reason_for_review"],
        body_region=sent["body_region"],
        modality=sent["modality"],
        laterality=sent["laterality"],
        jurisdiction=sent["jurisdiction"],
        age_band="50-59",
        sex=sent["patient"]["sex"],
        patient=digest(sent["patient"]["id"]),
        studies=(ExpectedStudy(study=study, modality="DX", instances=1),),
        first_read=FirstRead(
            status="present",
            reader=sent["first_report"]["reader"],
            group=sent["first_report"]["group"],
        ),
        sealed_identity="sealed to notify alone",
    )
    documents = tuple(
        RawDocument(kind=kind, content=stored("raw", kind))
        for kind in ("clinical_question", "history", "first_report")
    )
    overread.tell("intake", SubmitCase(case_id=CASE, request=request, documents=documents))
    image = StudyReceived(
        case_id=CASE,
        patient=request.patient,
        study=study,
        modality="DX",
        body_region="HAND",
        laterality="R",
        instances=1,
        images=True,
        manifest=stored("raw", "image"),
    )
    overread.tell("intake", image)


def an_operator_looks_at_what_is_held(overread: Overread) -> None:
    """A radiograph may have a name burned in, and a text may hold a word that could be one."""
    overread.now += timedelta(minutes=5)
    dossier = overread.states["deid"].dossier
    assert overread.states["deid"].kind == "quarantined"
    [history] = [text for text in dossier.texts if text.waiting]
    seen = decided(history.item, reason="identifiers_removed")
    clean_text = stored("clean", history.kind)
    overread.tell("deid", seen.model_copy(update={"content": clean_text}))
    [held] = dossier.held
    overread.tell("deid", decided(held.item, reason="no_identifiers_seen"))


def a_reader_is_found(overread: Overread) -> None:
    """The optimiser looks across all cases and proposes; the case's own decider has the word."""
    osei = Reader(
        id=story.READER,
        subspecialties=("musculoskeletal",),
        fellowships=("musculoskeletal",),
        modalities=("DX",),
        licences=(Licence(jurisdiction="US-VT", expires_on=NOON.date()),),
        time_zone="America/New_York",
        shifts=(Shift.model_validate({"start": "00:00", "end": "00:00"}),),
        capacity=1,
    )
    why = Explanation(score=1.0, terms=(), eligible=1, excluded=(), policy="by_hand")
    overread.tell("matching", OfferCase(case_id=CASE, reader=osei, load=0, explanation=why))
    offered = overread.published["matching"][-1]
    assert isinstance(offered, AssignmentOffered)
    overread.now += timedelta(minutes=5)
    overread.tell(
        "matching",
        AcceptOffer(case_id=CASE, assignment=offered.assignment, reader=osei, load=0),
    )


def the_reader_reads_blind_then_compares_and_signs(overread: Overread) -> None:
    """The first report is shown only after the opinion can't change any more."""
    who: dict[str, Any] = {"case_id": CASE, "reader": story.READER}
    opinion = Opinion.model_validate(story.OPINION)
    comparison = Comparison.model_validate(story.COMPARISON)
    overread.now += timedelta(minutes=5)
    overread.tell("reporting", StartReading(**who))
    overread.tell("reporting", SaveDraft(**who, revision=0, opinion=opinion))
    overread.tell("reporting", LockOpinion(**who))
    overread.tell("reporting", RevealFirstReport(**who))
    revision = overread.states["reporting"].revision
    overread.tell("reporting", CompareClaims(**who, revision=revision, comparison=comparison))
    document = report_document(CASE, overread.states["reporting"], overread.now)
    assert isinstance(document, ReportDocument)
    sha256 = sha256_of(document)
    report = ObjectRef(address=f"reports/{CASE}/{sha256}", sha256=sha256, size=1)
    overread.tell("reporting", FinalizeReport(**who, report=report, signed_at=overread.now))


def the_hospital_acknowledges(overread: Overread) -> None:
    seen = Acknowledge(case_id=CASE, partner=story.PARTNER, by=story.PARTNER)
    overread.tell("notify", seen)


def clean(job: Job) -> StudiesCleaned:
    """Deid's performer: pixels that could carry text are held until a person decided on them.

    Texts are scrubbed in the same round.
    """
    [study] = job.payload["studies"]
    raw = stored("raw", "image")
    held = HeldInstance(
        item="image-1",
        study=study["study"],
        raw=raw,
        findings=(HeldFinding(code="burned_in_text_possible", detail="modality DX"),),
    )
    done = CleanStudy(
        study=study["study"],
        modality="DX",
        body_region="HAND",
        laterality="R",
        instance_count=1,
        manifest=stored("clean", "manifest"),
        certificate=stored("clean", "certificate"),
    )
    looked = bool(job.payload["decisions"])
    return StudiesCleaned(
        case_id=CASE,
        round=job.payload["round"],
        pseudonym="pseudonym-1",
        clean=(done,) if looked else (),
        held=() if looked else (held,),
        texts=tuple(scrubbed(text) for text in job.payload["texts"]),
    )


def scrubbed(text: dict[str, Any]) -> ScrubbedText:
    """The history names a street that is no word; the other texts are clean without their names."""
    if text["kind"] == "history":
        return ScrubbedText(item=text["item"], findings=(TextFinding(code="possible_name"),))
    return ScrubbedText(item=text["item"], content=stored("clean", text["kind"]))


def choose_routes(job: Job) -> RoutesChosen:
    """Notify's performer: this partner has a webhook, and its clinician gets a mail."""
    sha = job.payload["report_sha256"]
    return RoutesChosen(case_id=CASE, report_sha256=sha, channels=("webhook", "mail"))


def deliver(job: Job) -> DeliveryAttempted:
    """Notify's performer: the other end answers at the first attempt."""
    return DeliveryAttempted(case_id=CASE, outcome="delivered", cause="http-204", **job.payload)


def decided(item: str, reason: str) -> DecideItems:
    return DecideItems.model_validate(
        {
            "case_id": CASE,
            "items": (item,),
            "decision": "release",
            "reason": reason,
            "by": story.OPERATOR,
        }
    )


def stored(zone: str, name: str) -> ObjectRef:
    return ObjectRef(address=f"{zone}/{CASE}/{digest(name)}", sha256=digest(name), size=len(name))


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()

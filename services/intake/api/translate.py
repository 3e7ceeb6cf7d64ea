"""How does a partner's submission become an input without an identity? Sealed, digested, stored."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.api.edge import Edge, opaque
from services.intake.api.schema import (
    Amendment,
    Asked,
    Attachment,
    Cancellation,
    SpeedChange,
    Study,
    Submission,
)
from services.intake.domain.age import age_band
from services.intake.domain.inputs import (
    AmendCase,
    CancelCase,
    ChangeServiceLevel,
    DocumentReceived,
    ExpectedStudy,
    Request,
    SubmitCase,
)
from services.intake.gateways.digests import Digests
from services.intake.gateways.vault import put_text
from services.intake.store.partners import Terms
from shared.contracts.base import CaseId, PartnerId
from shared.contracts.intake import DocumentKind, FirstRead, RawDocument
from shared.runtime import clock
from shared.runtime.errors import Problem
from shared.runtime.sealing import seal

Command = SubmitCase | AmendCase | CancelCase | ChangeServiceLevel | DocumentReceived


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent an event, and on what terms."""

    partner: PartnerId
    terms: Terms
    subject: str
    pointer: str = "#"


async def to_input(edge: Edge, sender: Sender, case_id: CaseId, asked: Asked) -> Command:
    """Translate what was asked. Texts are in the vault when this returns."""
    digests, partner = edge.digests(sender.partner), sender.partner
    match asked:
        case Submission():
            return await _submission(edge, sender, case_id, asked)
        case Attachment():
            return await _attachment(edge, sender, case_id, asked)
        case Amendment():
            return AmendCase(
                case_id=case_id,
                partner=partner,
                studies=_studies(digests, sender.terms, asked.studies),
                reason_for_review=asked.reason_for_review,
                procedure_at=asked.procedure_date,
            )
        case Cancellation():
            return CancelCase(
                case_id=case_id,
                partner=partner,
                by=opaque(sender.subject, digests),
                reason=asked.reason,
            )
        case SpeedChange():
            _check_level(sender, asked.service_level)
            return ChangeServiceLevel(
                case_id=case_id,
                partner=partner,
                service_level=asked.service_level,
                by=opaque(sender.subject, digests),
            )


async def _submission(edge: Edge, sender: Sender, case_id: CaseId, asked: Submission) -> SubmitCase:
    _check_level(sender, asked.service_level)
    texts: dict[DocumentKind, str | None] = {
        "first_report": asked.first_report.text,
        "clinical_question": asked.clinical_question,
        "history": asked.history,
    }
    documents = await asyncio.gather(
        *(put_text(edge.objects, case_id, kind, text) for kind, text in texts.items() if text)
    )
    return SubmitCase(
        case_id=case_id,
        request=_request(edge, sender, asked),
        documents=tuple(documents),
    )


def _request(edge: Edge, sender: Sender, asked: Submission) -> Request:
    digests, patient = edge.digests(sender.partner), asked.patient
    today = clock.now().date()
    if patient.birth_date and patient.birth_date > today:
        raise Problem(
            422,
            "invalid-request",
            "The birth date must not be in the future.",
            f"{sender.pointer}/patient/birth_date",
        )
    return Request(
        partner=sender.partner,
        service_level=asked.service_level,
        reason_for_review=asked.reason_for_review,
        body_region=asked.body_region,
        modality=asked.modality,
        laterality=asked.laterality,
        jurisdiction=asked.jurisdiction,
        language=asked.language,
        procedure_at=asked.procedure_date,
        age_band=age_band(patient.birth_date, today),
        sex=patient.sex,
        patient=digests.patient(patient.id, patient.issuer or sender.terms.patient_issuer),
        studies=_studies(digests, sender.terms, asked.studies),
        first_read=FirstRead(
            status=asked.first_report.status,
            reader=asked.first_report.reader,
            group=asked.first_report.group,
        ),
        sealed_identity=_sealed(edge, sender, asked),
    )


def _sealed(edge: Edge, sender: Sender, asked: Submission) -> str:
    """Seal who the patient and the clinician are, so that only delivery can name them."""
    patient, terms = asked.patient, sender.terms
    identity = {
        "patient": {
            **patient.model_dump(mode="json", exclude={"name", "issuer"}),
            **patient.name.model_dump(),
            "issuer": patient.issuer or terms.patient_issuer,
        },
        "clinician": asked.clinician.model_dump(),
        "studies": [
            study.model_dump(exclude={"number_of_instances"})
            | {"issuer": study.accession_number and (study.issuer or terms.patient_issuer)}
            for study in asked.studies
        ],
    }
    return seal(edge.settings.public_jwk, identity)


def _studies(digests: Digests, terms: Terms, studies: Sequence[Study]) -> tuple[ExpectedStudy, ...]:
    return tuple(
        ExpectedStudy(
            study=digests.study(one.study_instance_uid) if one.study_instance_uid else None,
            accession=digests.accession(one.accession_number, one.issuer or terms.patient_issuer)
            if one.accession_number
            else None,
            modality=one.modality,
            instances=one.number_of_instances,
            prior=one.prior,
        )
        for one in studies
    )


async def _attachment(
    edge: Edge, sender: Sender, case_id: CaseId, asked: Attachment
) -> DocumentReceived:
    document: RawDocument | None = None
    if asked.text:
        document = await put_text(edge.objects, case_id, asked.kind, asked.text)
    first_read = None
    if asked.kind == "first_report":
        first_read = FirstRead(status=asked.status, reader=asked.reader, group=asked.group)
    return DocumentReceived(
        case_id=case_id, partner=sender.partner, document=document, first_read=first_read
    )


def _check_level(sender: Sender, level: str) -> None:
    if level not in sender.terms.service_levels:
        allowed = ", ".join(sender.terms.service_levels)
        raise Problem(
            422,
            "invalid-request",
            f"Your contract does not hold this service level; it holds {allowed}.",
            f"{sender.pointer}/service_level",
        )

"""How do the patient, the clinician, the reader and the studies read in FHIR?"""

import re

from services.notify.domain.fhir.codes import ACCESSION, DICOM, GENDER, RECORD_NUMBER, Json
from services.notify.domain.identity import Clinician, IdentifiedStudy, Patient
from shared.contracts.base import ReaderId
from shared.contracts.intake import ReasonForReview

_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


def patient(who: Patient) -> Json:
    return {
        "resourceType": "Patient",
        "identifier": [{"type": RECORD_NUMBER, "value": who.id, **_issued_by(who.issuer)}],
        "name": [{"use": "official", "family": who.family, "given": who.given.split()}],
        "gender": GENDER[who.sex],
        "birthDate": who.birth_date.isoformat() if who.birth_date else None,
        "telecom": [{"system": "phone", "value": who.phone}] if who.phone else [],
        "address": [{"text": who.address}] if who.address else [],
    }


def clinician(who: Clinician) -> Json:
    return {
        "resourceType": "Practitioner",
        "name": [{"text": who.name}],
        "telecom": [{"system": "email", "value": who.email}] if who.email else [],
    }


def reader(signer: ReaderId) -> Json:
    return {
        "resourceType": "Practitioner",
        "identifier": [{"system": "urn:overread:reader", "value": signer}],
    }


def request(
    case_id: str, reason: ReasonForReview, studies: tuple[IdentifiedStudy, ...], about: Json
) -> Json:
    """Give the ServiceRequest. `about` has the references to patient and clinician."""
    accessions = {
        (one.accession_number, one.issuer): _accession(one)
        for one in studies
        if one.accession_number
    }
    return {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": "urn:overread:case", "value": case_id}, *accessions.values()],
        "status": "completed",
        "intent": "order",
        "code": {"text": "Radiology second opinion"},
        "reasonCode": [{"text": reason.replace("_", " ")}],
        **about,
    }


def study(one: IdentifiedStudy, about: Json) -> Json:
    """Give the ImagingStudy under the partner's own UID, so that its PACS finds it."""
    uid = {"system": "urn:dicom:uid", "value": f"urn:oid:{one.study_instance_uid}"}
    modality = [{"system": DICOM, "code": one.modality}] if one.modality else []
    return {
        "resourceType": "ImagingStudy",
        "identifier": [uid, *([_accession(one)] if one.accession_number else [])],
        "status": "available",
        "modality": modality,
        **about,
    }


def _accession(one: IdentifiedStudy) -> Json:
    return {"type": ACCESSION, "value": one.accession_number, **_issued_by(one.issuer)}


def _issued_by(issuer: str | None) -> Json:
    """Name who gave a number: a `system` when it is an OID or URI, as text otherwise."""
    if not issuer:
        return {}
    if _OID.fullmatch(issuer):
        return {"system": f"urn:oid:{issuer}", "assigner": {"display": issuer}}
    if issuer.startswith(("urn:", "https://", "http://")):
        return {"system": issuer, "assigner": {"display": issuer}}
    return {"assigner": {"display": issuer}}

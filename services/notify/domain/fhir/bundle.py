"""How does a whole result read in FHIR R4? A Bundle around one DiagnosticReport.

The same documents and identity give the same bytes, so a repeated delivery is the same message.
An addendum's bundle repeats the report with all addenda so far: DiagnosticReport.status
`appended` ("new content was added, existing content is unchanged", FHIR R4 value set).
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from services.notify.domain.fhir import findings, people
from services.notify.domain.fhir.codes import IMAGING_STUDY_REPORT, RADIOLOGY, Json
from services.notify.domain.fhir.narrative import narrative
from services.notify.domain.identity import Identity
from shared.contracts.base import CaseId
from shared.contracts.envelope import derived_id
from shared.contracts.intake import ReasonForReview
from shared.contracts.report import AddendumDocument, ReportDocument


@dataclass(frozen=True, slots=True)
class SignedResult:
    """The report and its addenda, parsed, beside the very bytes that were signed."""

    report: ReportDocument
    addenda: tuple[AddendumDocument, ...]
    signed_bytes: tuple[bytes, ...]


def bundle(
    case_id: CaseId, reason: ReasonForReview, identity: Identity, result: SignedResult
) -> Json:
    """Give the Bundle as JSON values; whoever sends it validates it first."""
    entries = _Entries(case_id)
    about: Json = {"subject": entries.add("Patient", people.patient(identity.patient))}
    asked_by = entries.add("clinician", people.clinician(identity.clinician))
    signer = entries.add("reader", people.reader(result.report.signer))
    asked = people.request(str(case_id), reason, identity.studies, {**about, "requester": asked_by})
    request = entries.add("ServiceRequest", asked)
    studies = [
        entries.add(f"study:{n}", people.study(one, about))
        for n, one in enumerate(identity.studies)
    ]
    by = {**about, "performer": [signer]}
    observed = [entries.add(f"claim:{n}", one) for n, one in enumerate(_observations(result, by))]
    about |= {"basedOn": [request], "imagingStudy": studies, "result": observed}
    about |= {"performer": [signer], "resultsInterpreter": [signer]}
    report = entries.full("DiagnosticReport", _report(case_id, result, about))
    whole: Json = _pruned(
        {
            "resourceType": "Bundle",
            "type": "collection",
            "identifier": {"system": "urn:overread:case", "value": str(case_id)},
            "timestamp": _latest(result).signed_at.isoformat(),
            "entry": [report, *entries.all],
        }
    )
    return whole


def as_sent(whole: Json) -> bytes:
    """Give the bytes that go over the wire; a measurement's decimal becomes a JSON number."""
    return orjson.dumps(whole, default=float)


def _report(case_id: CaseId, result: SignedResult, about: Json) -> Json:
    report = result.report
    words = narrative(result.report, result.addenda)
    return {
        "resourceType": "DiagnosticReport",
        "meta": {"versionId": str(1 + len(result.addenda))},
        "identifier": [{"system": "urn:overread:case", "value": str(case_id)}],
        "status": "appended" if result.addenda else "final",
        "category": [RADIOLOGY],
        "code": IMAGING_STUDY_REPORT,
        "issued": _latest(result).signed_at.isoformat(),
        "conclusion": report.opinion.impression or words,
        "conclusionCode": [
            {
                "coding": [{"system": "urn:overread:case-verdict", "code": report.verdict}],
                "text": report.verdict.replace("_", " "),
            }
        ],
        "presentedForm": [
            _attachment("text/plain; charset=utf-8", words.encode(), "Report"),
            *(
                _attachment("application/json", signed, f"Signed document {n}")
                for n, signed in enumerate(result.signed_bytes)
            ),
        ],
        **about,
    }


def _observations(result: SignedResult, about: Json) -> Iterable[Json]:
    for pair in result.report.pairs:
        yield findings.compared(pair, about)
    compared = {pair.second.id for pair in result.report.pairs if pair.second}
    for claim in result.report.opinion.claims:
        if claim.id not in compared:
            yield findings.added(claim, about)
    for addendum in result.addenda:
        for claim in addendum.claims:
            yield findings.added(claim, about)


def _latest(result: SignedResult) -> ReportDocument | AddendumDocument:
    return result.addenda[-1] if result.addenda else result.report


def _attachment(media_type: str, content: bytes, title: str) -> Json:
    return {"contentType": media_type, "data": b64encode(content).decode(), "title": title}


class _Entries:
    """The bundle's other resources, each under an id derived from the case and its part in it."""

    def __init__(self, case_id: CaseId) -> None:
        self._case_id = case_id
        self.all: list[Json] = []

    def full(self, part: str, resource: Json) -> Json:
        name = derived_id(self._case_id, part)
        return {"fullUrl": name.urn, "resource": {"id": str(name), **resource}}

    def add(self, part: str, resource: Json) -> Json:
        """Keep a resource and give the reference to it."""
        entry = self.full(part, resource)
        self.all.append(entry)
        return {"reference": entry["fullUrl"]}


def _pruned(value: Any) -> Any:
    """Leave out what is empty: FHIR knows no empty strings, lists or objects (R4, 2.6.2)."""
    match value:
        case Mapping():
            kept = {name: _pruned(inner) for name, inner in value.items()}
            return {name: inner for name, inner in kept.items() if not _is_empty(inner)}
        case list():
            return [inner for inner in map(_pruned, value) if not _is_empty(inner)]
        case _:
            return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)

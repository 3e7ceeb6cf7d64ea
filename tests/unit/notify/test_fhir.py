"""Is the result valid FHIR R4, whole, and the same bytes each time?"""

import json
from base64 import b64decode
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from services.notify.domain.fhir.bundle import SignedResult, as_sent, bundle
from services.notify.domain.identity import Clinician, IdentifiedStudy, Identity, Patient
from shared.contracts.report import (
    AddendumDocument,
    Claim,
    ComparedPair,
    Measurement,
    Opinion,
    RegionalOpinion,
    ReportDocument,
)
from shared.testing.spec import NOON
from tests.unit.notify.cases import CASE, FINAL_SHA, PARTNER

JANE = Identity(
    patient=Patient(
        family="Doe", given="Jane Q", id="MRN-0042", issuer="1.2.840.99", sex="F",
        birth_date="1971-02-03", address="1 Elm Street", phone="+1 555 0100",
    ),
    clinician=Clinician(name="Dr Alice Asks", email="alice@hospital.example"),
    studies=(
        IdentifiedStudy(
            study_instance_uid="1.2.3.4", accession_number="ACC-7", issuer="HOSP", modality="DX"
        ),
    ),
)  # fmt: skip
MISSED = Claim(id="f-1", finding="no fracture", certainty="excluded")
FRACTURE = Claim(
    id="s-1",
    finding="fracture",
    anatomic_site="fifth metacarpal",
    laterality="R",
    measurement=Measurement(value="2.5", unit="mm"),
    recommendation="Ulnar gutter splint",
    significance="critical",
    critical_category=2,
)
REPORT = ReportDocument(
    case_id=CASE,
    partner=PARTNER,
    assignment="a-1",
    role="second_reader",
    reason_for_review="persistent_symptoms",
    first_read="present",
    first_report_available=True,
    blind=True,
    studies=(),
    opinion=Opinion(claims=(FRACTURE,), impression="A fracture was missed."),
    opinion_sha256=FINAL_SHA,
    started_at=NOON,
    locked_at=NOON,
    revealed_at=NOON,
    pairs=(
        ComparedPair(
            first=MISSED, second=None, verdict="refuted",
            clinically_important=True, discrepancy="detection",
        ),
        ComparedPair(
            first=None, second=FRACTURE, verdict="added",
            clinically_important=True, discrepancy="detection",
        ),
    ),
    verdict="refuted",
    discrepancy=None,
    critical_results=(),
    signer="dr-osei",
    signed_at=NOON,
)  # fmt: skip
ADDENDUM = AddendumDocument(
    case_id=CASE,
    partner=PARTNER,
    addendum=1,
    parent_sha256=FINAL_SHA,
    previous_sha256=FINAL_SHA,
    text="The clinician was phoned.",
    claims=(Claim(id="a-1", finding="soft tissue swelling"),),
    signer="dr-osei",
    signed_at=NOON,
)


def result(
    report: ReportDocument = REPORT, addenda: tuple[AddendumDocument, ...] = ()
) -> dict[str, Any]:
    """Give the bundle as it goes over the wire, and demand that it is valid."""
    signed = SignedResult(report, addenda, (b'{"signed":true}',))
    built = bundle(CASE, "persistent_symptoms", JANE, signed)
    again = bundle(CASE, "persistent_symptoms", JANE, signed)
    assert built == again
    whole: dict[str, Any] = json.loads(as_sent(built))
    Bundle.model_validate(whole)
    return whole


def resources(whole: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    every = [entry["resource"] for entry in whole["entry"]]
    return [one for one in every if one["resourceType"] == kind]


def test_the_report_comes_first_with_its_verdict_and_its_signed_bytes() -> None:
    whole = result()

    assert whole["type"] == "collection"
    report = whole["entry"][0]["resource"]
    assert report["resourceType"] == "DiagnosticReport"
    assert report["status"] == "final"
    assert report["conclusion"] == "A fracture was missed."
    assert report["conclusionCode"][0]["coding"][0]["code"] == "refuted"
    text, signed = report["presentedForm"]
    assert "fifth metacarpal" in b64decode(text["data"]).decode()
    assert b64decode(signed["data"]) == b'{"signed":true}'


def test_a_split_case_names_who_read_which_regions() -> None:
    part = RegionalOpinion(
        regions=("HAND", "WRIST"),
        assignment="a-2",
        reader="dr-hand",
        opinion=REPORT.opinion,
        opinion_sha256=FINAL_SHA,
        started_at=NOON,
        locked_at=NOON,
    )
    numbered = FRACTURE.model_copy(update={"id": "2:s-1"})
    pairs = (REPORT.pairs[0], REPORT.pairs[1].model_copy(update={"second": numbered}))
    whole = result(REPORT.model_copy(update={"regional": (part,), "pairs": pairs}))

    text, _ = whole["entry"][0]["resource"]["presentedForm"]
    words = b64decode(text["data"]).decode()
    assert f"READ BY\nHAND, WRIST: dr-hand, {NOON.isoformat()}" in words
    alone, _ = result()["entry"][0]["resource"]["presentedForm"]
    assert "READ BY" not in b64decode(alone["data"]).decode()


def test_the_patient_has_name_number_and_issuer() -> None:
    [patient] = resources(result(), "Patient")

    assert patient["name"][0]["family"] == "Doe"
    assert patient["name"][0]["given"] == ["Jane", "Q"]
    [number] = patient["identifier"]
    assert (number["value"], number["system"]) == ("MRN-0042", "urn:oid:1.2.840.99")
    assert patient["gender"] == "female"
    assert patient["birthDate"] == "1971-02-03"


def test_the_request_has_the_accession_number_and_who_asked() -> None:
    whole = result()
    [request] = resources(whole, "ServiceRequest")
    asked_by = request["requester"]["reference"]

    values = {one["value"]: one for one in request["identifier"]}
    assert values["ACC-7"]["assigner"]["display"] == "HOSP"
    assert values[str(CASE)]["system"] == "urn:overread:case"
    [clinician] = [e["resource"] for e in whole["entry"] if e["fullUrl"] == asked_by]
    assert clinician["name"][0]["text"] == "Dr Alice Asks"


def test_every_reference_points_at_an_entry() -> None:
    whole = result(addenda=(ADDENDUM,))
    urls = {entry["fullUrl"] for entry in whole["entry"]}

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["reference"]} if "reference" in value else set()
            return own.union(*map(references, value.values()))
        if isinstance(value, list):
            return set().union(*map(references, value))
        return set()

    assert len(urls) == len(whole["entry"])
    assert references(whole) <= urls
    assert {e["fullUrl"] for e in whole["entry"][1:]} <= references(whole)


def test_each_claim_is_an_observation_with_its_verdict() -> None:
    missed, fracture = resources(result(), "Observation")

    def component(one: dict[str, Any], name: str) -> Any:
        return {c["code"]["text"]: c for c in one["component"]}[name]

    assert missed["code"]["text"] == "no fracture"
    assert component(missed, "Verdict")["valueCodeableConcept"]["coding"][0]["code"] == "refuted"
    assert fracture["bodySite"]["text"] == "right fifth metacarpal"
    assert fracture["bodySite"]["coding"][0]["code"] == "24028007"
    assert component(fracture, "Measurement")["valueQuantity"]["value"] == pytest.approx(2.5)
    assert fracture["interpretation"][0]["coding"][0]["code"] == "AA"


def test_an_addendum_appends_and_leaves_the_report_under_its_id() -> None:
    before, after = result(), result(addenda=(ADDENDUM,))

    old, new = before["entry"][0], after["entry"][0]
    assert old["fullUrl"] == new["fullUrl"]
    assert new["resource"]["status"] == "appended"
    assert new["resource"]["meta"]["versionId"] == "2"
    assert len(resources(after, "Observation")) == len(resources(before, "Observation")) + 1
    text = b64decode(new["resource"]["presentedForm"][0]["data"]).decode()
    assert "The clinician was phoned." in text


def test_an_opinion_that_nothing_could_be_compared_with_is_whole_too() -> None:
    inadequate = REPORT.model_copy(
        update={"pairs": (), "verdict": "unable_to_opine", "opinion": Opinion(claims=(FRACTURE,))}
    )

    whole = result(inadequate)

    [fracture] = resources(whole, "Observation")
    assert fracture["code"]["text"] == "fracture"
    assert whole["entry"][0]["resource"]["conclusion"].startswith("SECOND OPINION")

"""How does one compared claim read in FHIR, and how to a person?"""

from services.notify.domain.fhir.codes import (
    CRITICAL,
    IMAGING,
    SIDE,
    SIDE_WORD,
    UCUM,
    Json,
)
from shared.contracts.report import Claim, ComparedPair

VERDICT = "urn:overread:claim-verdict"
NOT_STATED = "Finding"


def in_words(claim: Claim) -> str:
    """Say a claim in a line: what, where, how sure, how large."""
    parts = (
        claim.finding,
        " ".join(filter(None, (SIDE_WORD.get(claim.laterality), claim.anatomic_site))),
        claim.certainty,
        f"{claim.measurement.value} {claim.measurement.unit}" if claim.measurement else "",
        claim.text,
    )
    return ", ".join(part for part in parts if part)


def compared(pair: ComparedPair, about: Json) -> Json:
    """Give the Observation of a pair: what the second read says, and what became of the first."""
    claim = pair.second or pair.first
    if claim is None:
        raise ValueError("a pair without a claim")
    first = _component("First report", valueString=in_words(pair.first)) if pair.first else {}
    verdict = {"coding": [{"system": VERDICT, "code": pair.verdict}], "text": pair.verdict}
    important = _component("Clinically important", valueBoolean=pair.clinically_important)
    components = [_component("Verdict", valueCodeableConcept=verdict), important, first]
    said = in_words(pair.second) if pair.second else "Not found on the second read"
    if pair.second is None and pair.verdict == "confirmed":
        said = "Conceded by the second reader"
    return _observation(claim, said, components, about)


def added(claim: Claim, about: Json) -> Json:
    """Give the Observation of a claim that nothing was compared with."""
    return _observation(claim, in_words(claim), [], about)


def _observation(claim: Claim, said: str, components: list[Json], about: Json) -> Json:
    measured = claim.measurement
    if measured:
        quantity = {"value": measured.value, "unit": measured.unit, "system": UCUM}
        quantity["code"] = measured.unit
        components = [*components, _component("Measurement", valueQuantity=quantity)]
    if claim.recommendation:
        advice = _component("Recommendation", valueString=claim.recommendation)
        components = [*components, advice]
    if claim.significance:
        weight = _component("Significance", valueString=claim.significance.replace("_", " "))
        components = [*components, weight]
    return {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:overread:claim", "value": claim.id}],
        "status": "final",
        "category": [IMAGING],
        "code": {"text": claim.finding or NOT_STATED},
        "valueString": said or NOT_STATED,
        "interpretation": [CRITICAL] if claim.significance == "critical" else [],
        "bodySite": _site(claim),
        "component": [component for component in components if component],
        **about,
    }


def _component(name: str, **value: object) -> Json:
    return {"code": {"text": name}, **value}


def _site(claim: Claim) -> Json:
    side = SIDE.get(claim.laterality, {})
    words = " ".join(filter(None, (SIDE_WORD.get(claim.laterality), claim.anatomic_site)))
    return {"coding": side.get("coding", []), "text": words}

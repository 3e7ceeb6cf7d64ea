"""What is said of a case when its instances are settled?"""

from services.deid.domain.state import Dossier, HeldInstance, Text
from shared.contracts.base import CaseId
from shared.contracts.deid import CaseDeidentified, CaseQuarantined, CleanDocument, Finding

# One event must fit a Kafka message; the rest is in the quarantine's list all the same.
MOST_FINDINGS = 1000


def deidentified(case_id: CaseId, dossier: Dossier) -> CaseDeidentified:
    """All that may be read: a supplement repeats what was said before."""
    rejected = sum(one.decision == "reject" for one in dossier.decisions)
    return CaseDeidentified(
        case_id=case_id,
        partner=dossier.partner,
        pseudonym=dossier.pseudonym or "",
        studies=dossier.clean,
        documents=tuple(_document(text) for text in dossier.texts),
        instances_cleaned=sum(study.instance_count for study in dossier.clean),
        instances_rejected=rejected,
        supplement=dossier.published,
    )


def quarantined(case_id: CaseId, dossier: Dossier) -> CaseQuarantined:
    """What a person has to look at before the case goes on."""
    findings = [
        _finding(held, n) for held in dossier.undecided() for n in range(len(held.findings))
    ]
    return CaseQuarantined(
        case_id=case_id, partner=dossier.partner, findings=tuple(findings[:MOST_FINDINGS])
    )


def _document(text: Text) -> CleanDocument:
    if text.content is None:
        return CleanDocument(kind=text.kind, status="withheld")
    return CleanDocument(kind=text.kind, status="released", content=text.content)


def _finding(held: HeldInstance, n: int) -> Finding:
    found = held.findings[n]
    return Finding(item=held.item, subject="instance", code=found.code, detail=found.detail)

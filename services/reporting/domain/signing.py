"""What exactly is signed? The document that a state amounts to; the same state, the same bytes."""

from collections.abc import Sequence
from datetime import datetime

from services.reporting.domain.access import is_blind
from services.reporting.domain.beside import documented_software
from services.reporting.domain.claims import critical_results
from services.reporting.domain.compare import all_added, compare
from services.reporting.domain.lint import lint_claims, patient_of, refused_by
from services.reporting.domain.regional import documented
from services.reporting.domain.state import Comparing, Signed
from services.reporting.domain.verdict import case_verdict, discrepancy
from shared.contracts.base import CaseId
from shared.contracts.report import (
    AddendumDocument,
    Claim,
    ComparedPair,
    ReadStudy,
    ReportDocument,
)
from shared.contracts.reporting import CaseVerdict, Discrepancy
from shared.decider import Refused

NOT_COMPARED = Refused("not_compared", "Compare the claims with the first report's first.")


def compared(state: Comparing | Signed) -> tuple[ComparedPair, ...] | Refused:
    """Give the pairs that the comparison comes to."""
    opinion = state.sealed.opinion
    if opinion.adequacy == "inadequate" or not first_available(state):
        return all_added(opinion.claims)
    if state.comparison is None:
        return NOT_COMPARED
    return compare(state.comparison, opinion.claims)


def first_available(state: Comparing | Signed) -> bool:
    """Say whether the reader had a first report that can be compared with."""
    unreadable = state.comparison is not None and state.comparison.unreadable
    return state.available and not unreadable


def judged(
    state: Comparing | Signed, pairs: Sequence[ComparedPair]
) -> tuple[CaseVerdict, Discrepancy | None]:
    adequacy = state.sealed.opinion.adequacy
    verdict = case_verdict(pairs, adequacy, first_available=first_available(state))
    return verdict, discrepancy(verdict, pairs)


def report_document(
    case_id: CaseId, state: Comparing, signed_at: datetime
) -> ReportDocument | Refused:
    """Render the report that would be signed at that moment."""
    pairs, facts = compared(state), state.material.facts
    if isinstance(pairs, Refused):
        return pairs
    if facts is None:
        return Refused("case_not_ready", "The case's own facts are on their way; try again.")
    verdict, scores = judged(state, pairs)
    return ReportDocument(
        case_id=case_id,
        partner=state.assignment.partner,
        assignment=state.assignment.assignment,
        role=state.assignment.role,
        reason_for_review=facts.reason_for_review,
        first_read=facts.first_read,
        first_report_available=first_available(state),
        blind=all(is_blind(state, one) for one in _readers(state)),
        studies=_studies_read(state),
        late_studies=_studies_not_read(state),
        opinion=state.sealed.opinion,
        opinion_sha256=state.sealed.sha256,
        regional=documented(state.material),
        software=documented_software(state.material),
        started_at=state.started_at,
        locked_at=state.sealed.locked_at,
        revealed_at=state.revealed_at,
        pairs=pairs,
        verdict=verdict,
        discrepancy=scores,
        critical_results=critical_results(state.sealed.opinion.claims),
        signer=state.assignment.reader,
        signed_at=signed_at,
    )


def _readers(state: Comparing) -> set[str]:
    regional = {one.assignment.reader for one in state.material.regional}
    return {state.assignment.reader, *regional}


def addendum_document(
    case_id: CaseId, state: Signed, text: str, claims: tuple[Claim, ...], signed_at: datetime
) -> AddendumDocument | Refused:
    """Render the addendum that would be signed at that moment."""
    if not text.strip():
        return Refused("empty_section", "Write what is to be added.", "/text")
    complaints = lint_claims(claims, patient_of(state.material))
    if complaints:
        return refused_by(complaints)
    earlier = [state.signature.report, *(addendum.document for addendum in state.addenda)]
    return AddendumDocument(
        case_id=case_id,
        partner=state.assignment.partner,
        addendum=len(earlier),
        parent_sha256=state.signature.report.sha256,
        previous_sha256=earlier[-1].sha256,
        text=text,
        claims=claims,
        critical_results=critical_results(claims),
        signer=state.assignment.reader,
        signed_at=signed_at,
    )


def _studies_read(state: Comparing) -> tuple[ReadStudy, ...]:
    return tuple(ReadStudy(**dict(study)) for study in state.sealed.studies)


def _studies_not_read(state: Comparing) -> tuple[str, ...]:
    images = state.material.images
    read = {study.study: study.manifest.sha256 for study in state.sealed.studies}
    known = images.studies if images else ()
    return tuple(s.study for s in known if read.get(s.study) != s.manifest.sha256)

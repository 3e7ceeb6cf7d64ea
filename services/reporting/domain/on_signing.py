"""How does an opinion become a report? Compare, sign, add; what is signed never changes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.reporting.domain.access import held, stale
from services.reporting.domain.canonical import sha256
from services.reporting.domain.compare import Comparison
from services.reporting.domain.events import AddendumAsked, ComparisonSaved
from services.reporting.domain.inputs import AddAddendum, CompareClaims, FinalizeReport
from services.reporting.domain.signing import addendum_document, compared, report_document
from services.reporting.domain.state import AddendumWish, Comparing, Signed, State
from services.reporting.domain.verdict import outcomes
from shared.contracts.base import Event, ObjectRef
from shared.contracts.report import AddendumDocument, ComparedPair, ReportDocument
from shared.contracts.reporting import ClaimsCompared, ReportAddended, ReportFinalized
from shared.decider import Refused

# Rendering, storing and deciding take seconds; a signature is not dated from another day.
SIGNING_TAKES_AT_MOST = timedelta(minutes=5)
NOT_REVEALED = Refused("not_revealed", "Lock the opinion and open the first report before that.")
ALREADY_FINAL = Refused("already_final", "The report is signed; add an addendum instead.")
NOT_SIGNED = Refused("not_signed", "There is no signed report to add to.")
CHANGED = Refused("changed_meanwhile", "What was to be signed changed meanwhile; sign it again.")
MISDATED = Refused("misdated_signature", "The signature took too long; sign again.")
KEY_REUSED = Refused("key_reused", "This Idempotency-Key came with another addendum before.")
NOTHING_TO_COMPARE = Refused(
    "nothing_to_compare",
    "There is no readable first report, or the images are inadequate; name none of its claims.",
    "/first_claims",
)


def on_compare(state: State, asked: CompareClaims, now: datetime) -> Sequence[Event | Refused]:
    mine = held(state, asked.reader)
    if isinstance(mine, Refused):
        return [mine]
    if not isinstance(mine, Comparing):
        return [ALREADY_FINAL if isinstance(mine, Signed) else NOT_REVEALED]
    if asked.comparison == mine.comparison:
        return []
    if asked.revision != mine.revision:
        return [stale(mine.revision)]
    pairs = _pairs(mine, asked.comparison)
    if isinstance(pairs, Refused):
        return [pairs]
    saved = ComparisonSaved(
        case_id=asked.case_id,
        reader=asked.reader,
        revision=mine.revision + 1,
        comparison=asked.comparison,
        at=now,
    )
    return [saved, ClaimsCompared(case_id=asked.case_id, outcomes=outcomes(pairs))]


def on_finalize(state: State, asked: FinalizeReport, now: datetime) -> Sequence[Event | Refused]:
    """Sign what was put to the store, if it still is what the case amounts to."""
    mine = held(state, asked.reader)
    if isinstance(mine, Refused):
        return [mine]
    if isinstance(mine, Signed):
        return []
    if not isinstance(mine, Comparing):
        return [NOT_REVEALED]
    if asked.revision not in {None, mine.revision}:
        return [stale(mine.revision)]
    document = report_document(asked.case_id, mine, asked.signed_at)
    if isinstance(document, Refused):
        return [document]
    return [_misfit(document, asked.report, now) or _finalized(document, asked.report)]


def on_addendum(state: State, asked: AddAddendum, now: datetime) -> Sequence[Event | Refused]:
    mine = held(state, asked.reader)
    if isinstance(mine, Refused):
        return [mine]
    if not isinstance(mine, Signed):
        return [NOT_SIGNED]
    for earlier in mine.addenda:
        if earlier.wish.request == asked.request:
            return [] if _wish(asked) == earlier.wish else [KEY_REUSED]
    document = addendum_document(asked.case_id, mine, asked.text, asked.claims, asked.signed_at)
    if isinstance(document, Refused):
        return [document]
    misfit = _misfit(document, asked.document, now)
    if misfit is not None:
        return [misfit]
    wish = AddendumAsked(case_id=asked.case_id, **dict(_wish(asked)))
    return [wish, _addended(document, asked.document)]


def _wish(asked: AddAddendum) -> AddendumWish:
    return AddendumWish(request=asked.request, text=asked.text, claims=asked.claims)


def _pairs(state: Comparing, comparison: Comparison) -> tuple[ComparedPair, ...] | Refused:
    pairs = compared(state.model_copy(update={"comparison": comparison}))
    if isinstance(pairs, Refused):
        return pairs
    names_first = comparison.first_claims or any(pair.first for pair in comparison.pairs)
    if names_first and not any(pair.first for pair in pairs):
        return NOTHING_TO_COMPARE
    return pairs


def _misfit(
    document: ReportDocument | AddendumDocument, stored: ObjectRef, now: datetime
) -> Refused | None:
    if abs(now - document.signed_at) > SIGNING_TAKES_AT_MOST:
        return MISDATED
    return None if sha256(document) == stored.sha256 else CHANGED


def _finalized(document: ReportDocument, stored: ObjectRef) -> ReportFinalized:
    return ReportFinalized(
        case_id=document.case_id,
        partner=document.partner,
        assignment=document.assignment,
        verdict=document.verdict,
        discrepancy=document.discrepancy,
        outcomes=outcomes(document.pairs),
        critical_results=document.critical_results,
        report=stored,
        signer=document.signer,
        signed_at=document.signed_at,
        blind=document.blind,
    )


def _addended(document: AddendumDocument, stored: ObjectRef) -> ReportAddended:
    return ReportAddended(
        case_id=document.case_id,
        partner=document.partner,
        addendum=document.addendum,
        report=stored,
        parent_sha256=document.parent_sha256,
        signer=document.signer,
        signed_at=document.signed_at,
        critical_results=document.critical_results,
    )

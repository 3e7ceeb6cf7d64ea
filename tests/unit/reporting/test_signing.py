"""What is compared, signed and added; and what is said where there is nothing to compare."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.reporting.domain.canonical import sha256
from services.reporting.domain.compare import Comparison, Pairing
from services.reporting.domain.inputs import FinalizeReport
from services.reporting.domain.state import Amended, Final
from shared.contracts.deid import CleanDocument
from shared.contracts.intake import FirstRead
from shared.contracts.report import Claim
from shared.contracts.reporting import (
    ClaimsCompared,
    FirstReportRevealed,
    ReportAddended,
    ReportFinalized,
)
from shared.decider import Refused
from shared.testing.spec import NOON
from tests.unit.reporting.cases import (
    CASE,
    READER,
    STUDY,
    accepted,
    assigned,
    claim,
    compared,
    comparison,
    deidentified,
    document_of,
    draft,
    finalize,
    lock,
    no_fracture,
    opinion,
    ref,
    reveal,
    start,
    stored,
)
from tests.unit.reporting.stages import (
    addendum,
    after,
    comparing,
    final,
    locked,
    names,
    refusal,
)


def test_the_report_holds_both_reads_the_certificates_and_the_hash_of_the_blind_opinion() -> None:
    spec = comparing()

    document = document_of(spec.state)

    assert document.opinion_sha256 == sha256(opinion())
    assert [s.certificate for s in document.studies] == [STUDY.certificate]
    [pair] = document.pairs
    assert (pair.first, pair.second) == (no_fracture(), claim())
    assert document.first_read == "present"
    assert document.first_report_available
    assert document.late_studies == ()


WITHHELD = CleanDocument(kind="first_report", status="withheld")


@pytest.mark.parametrize(
    ("status", "documents"),
    [("missing", ()), ("unreadable", ()), ("present", (WITHHELD,)), ("present", ())],
)
def test_without_a_first_report_everything_is_added_and_nothing_judged(
    status: Any, documents: tuple[CleanDocument, ...]
) -> None:
    spec = after(
        accepted(first_read=FirstRead(status=status)),
        deidentified(documents=documents),
        assigned(),
        start(),
        draft(),
        lock(),
    )

    step = spec.when(reveal())
    revealed = spec.then(reveal())
    [signed] = revealed.when(finalize(revealed.state)).events

    [told, outcome] = step.events
    assert isinstance(told, FirstReportRevealed)
    assert not told.available
    assert isinstance(outcome, ClaimsCompared)
    assert [o.verdict for o in outcome.outcomes] == ["added"]
    assert isinstance(signed, ReportFinalized)
    assert (signed.verdict, signed.discrepancy) == ("not_compared", None)


def test_a_first_report_that_comes_to_light_can_be_opened_after_all() -> None:
    spec = after(accepted(), deidentified(documents=(WITHHELD,)), assigned(), start())
    for received in (draft(), lock(), reveal(), deidentified(supplement=1)):
        spec = spec.then(received)

    [told] = spec.when(reveal()).events

    assert isinstance(told, FirstReportRevealed)
    assert told.available
    opened = spec.then(reveal())
    with pytest.raises(AssertionError, match="not_compared"):
        finalize(opened.state)
    assert names(opened.when(compared()).events) == ["ComparisonSaved", "ClaimsCompared"]


def test_an_unreadable_first_report_is_like_none() -> None:
    spec = locked().then(reveal()).then(compared(Comparison(unreadable=True)))

    [signed] = spec.when(finalize(spec.state)).events

    assert isinstance(signed, ReportFinalized)
    assert signed.verdict == "not_compared"


@pytest.mark.parametrize(
    "said",
    [
        Comparison(unreadable=True, first_claims=(no_fracture(),)),
        Comparison(unreadable=True, pairs=(Pairing(first="f-1"),)),
    ],
)
def test_what_could_not_be_read_makes_no_claims(said: Comparison) -> None:
    assert refusal(locked().then(reveal()), compared(said)) == "nothing_to_compare"


def test_inadequate_images_give_no_verdict_on_the_first_read() -> None:
    blank = opinion(adequacy="inadequate").model_copy(update={"claims": ()})
    spec = locked(blank).then(reveal())

    [signed] = spec.when(finalize(spec.state)).events

    assert isinstance(signed, ReportFinalized)
    assert (signed.verdict, signed.discrepancy) == ("unable_to_opine", None)
    assert signed.outcomes == ()


def test_signing_needs_a_comparison_first() -> None:
    spec = locked().then(reveal())
    asked = FinalizeReport(case_id=CASE, reader=READER, report=stored("a" * 64), signed_at=NOON)

    assert refusal(spec, asked) == "not_compared"
    assert refusal(locked(), asked) == "not_revealed"


def test_what_changed_after_it_was_rendered_is_not_signed() -> None:
    spec = comparing()
    asked = finalize(spec.state)
    other = Pairing(first="f-1", second="s-1", clinically_important=True, note="Look again.")
    changed = spec.then(compared(comparison(other), revision=2))

    assert refusal(changed, asked) == "changed_meanwhile"
    assert refusal(changed, asked.model_copy(update={"revision": 2})) == "stale_revision"
    assert names(changed.when(finalize(changed.state)).events) == ["ReportFinalized"]


def test_a_signature_is_not_dated_from_another_day() -> None:
    spec = comparing()
    step = spec.when(finalize(spec.state), NOON + timedelta(minutes=6))

    assert step.refused is not None
    assert step.refused.code == "misdated_signature"


def test_critical_findings_go_out_with_their_category() -> None:
    written = opinion(
        claim(significance="critical", critical_category=1),
        claim("s-2", certainty="excluded", significance=None, finding="dislocation"),
    )
    paired = comparison(
        Pairing(first="f-1", second="s-1", clinically_important=True), Pairing(second="s-2")
    )
    spec = locked(written).then(reveal()).then(compared(paired))

    [signed] = spec.when(finalize(spec.state)).events

    assert isinstance(signed, ReportFinalized)
    assert [(c.claim, c.category) for c in signed.critical_results] == [("s-1", 1)]


def test_images_that_come_after_the_lock_are_named_as_not_read() -> None:
    grown = STUDY.model_copy(update={"manifest": ref("more"), "instance_count": 2})
    late = STUDY.model_copy(update={"study": "study-2"})
    spec = comparing().then(deidentified(studies=(grown, late), supplement=1))

    document = document_of(spec.state)

    assert [s.manifest for s in locked().state.sealed.studies] == [STUDY.manifest]  # type: ignore[union-attr]
    assert [s.instance_count for s in document.studies] == [1]
    assert document.late_studies == ("study-1", "study-2")


def test_addenda_hang_on_the_report_and_on_each_other() -> None:
    spec = final()
    first = addendum(spec.state)
    once = spec.then(first)
    critical = claim("a-1", significance="critical", critical_category=2)
    second = addendum(once.state, "And this.", critical, request=UUID(int=2))

    [_, one], [_, two] = spec.when(first).events, once.when(second).events

    assert isinstance(one, ReportAddended)
    assert isinstance(two, ReportAddended)
    assert isinstance(spec.state, Final)
    report = spec.state.signature.report.sha256
    assert (one.addendum, two.addendum) == (1, 2)
    assert one.parent_sha256 == two.parent_sha256 == report
    assert [c.category for c in two.critical_results] == [2]
    twice = once.then(second).state
    assert isinstance(twice, Amended)
    assert twice.signature == spec.state.signature
    assert [a.document for a in twice.addenda] == [first.document, second.document]


@pytest.mark.parametrize(
    ("text", "claims", "code", "field"),
    [
        (" ", (), "empty_section", "/text"),
        ("More.", (claim(finding=""),), "empty_finding", "/claims/0/finding"),
    ],
)
def test_an_addendum_is_linted_too(
    text: str, claims: tuple[Claim, ...], code: str, field: str
) -> None:
    step = final().when(addendum(final().state, text, *claims))

    assert isinstance(step.refused, Refused)
    assert (step.refused.code, step.refused.field) == (code, field)


def test_the_same_wish_adds_once_and_another_under_its_key_is_refused() -> None:
    spec = final()
    asked = addendum(spec.state)
    once = spec.then(asked)

    assert once.when(asked).events == ()
    assert once.when(addendum(once.state)).events == ()
    assert refusal(once, addendum(once.state, "Other words.")) == "key_reused"


def test_an_addendum_needs_a_report() -> None:
    assert refusal(comparing(), addendum(final().state)) == "not_signed"


def test_an_addendum_that_is_not_what_was_put_away_is_not_signed() -> None:
    asked = addendum(final().state)

    assert refusal(final(), asked.model_copy(update={"document": stored("b" * 64)})) == (
        "changed_meanwhile"
    )


def test_a_comparison_that_leaves_a_claim_out_is_not_saved() -> None:
    said = comparison(Pairing(first="f-1"))

    assert refusal(locked().then(reveal()), compared(said)) == "claims_not_paired"

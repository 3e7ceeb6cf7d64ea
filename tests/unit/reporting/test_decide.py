"""What each input decides in each state of a second reading."""

from datetime import timedelta
from typing import Any

import pytest

from services.reporting.domain.canonical import sha256
from services.reporting.domain.compare import Comparison, Pairing
from services.reporting.domain.decide import REPORTING
from services.reporting.domain.inputs import AddAddendum, FinalizeReport
from services.reporting.domain.signing import addendum_document
from services.reporting.domain.state import Amended, Final, Reading, Signed, State
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.deid import CleanDocument
from shared.contracts.intake import CaseCancelled, FirstRead
from shared.contracts.matching import AssignmentClosed, AssignmentReleased, AssignmentRevoked
from shared.contracts.report import AddendumDocument, Claim, Opinion
from shared.contracts.reporting import (
    ClaimsCompared,
    FirstReportRevealed,
    OpinionLocked,
    ReadingStarted,
    ReportAddended,
    ReportFinalized,
)
from shared.decider import Refused
from shared.testing.spec import NOON, Spec
from tests.unit.reporting.cases import (
    CASE,
    OTHER,
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

ARRIVED = (accepted(), deidentified(), assigned())


def after(*inputs: Any) -> Spec[State, Any, Event]:
    spec = Spec(REPORTING, REPORTING.initial)
    for received in inputs:
        spec = spec.then(received)
    return spec


def reading() -> Spec[State, Any, Event]:
    return after(*ARRIVED, start())


def locked(written: Opinion | None = None) -> Spec[State, Any, Event]:
    return reading().then(draft(written)).then(lock())


def comparing() -> Spec[State, Any, Event]:
    return locked().then(reveal()).then(compared())


def final() -> Spec[State, Any, Event]:
    spec = comparing()
    return spec.then(finalize(spec.state))


def addendum(state: State, text: str = "Seen again.", *claims: Claim) -> AddAddendum:
    assert isinstance(state, Signed)
    document = addendum_document(CASE, state, text, claims, NOON)
    digest = sha256(document) if isinstance(document, AddendumDocument) else "0" * 64
    return AddAddendum(
        case_id=CASE,
        reader=READER,
        text=text,
        claims=claims,
        document=stored(digest),
        signed_at=NOON,
    )


def names(events: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_case_is_read_blind_locked_revealed_compared_and_signed() -> None:
    spec = after(*ARRIVED)
    steps = [start(), draft(), lock(), reveal(), compared()]
    published: list[str] = []
    for received in steps:
        published += names(spec.when(received).events)
        spec = spec.then(received)
    step = spec.when(finalize(spec.state))
    published += names(step.events)

    assert published == [
        "ReadingStarted",
        "DraftSaved",
        "OpinionLocked",
        "FirstReportRevealed",
        "ComparisonSaved",
        "ClaimsCompared",
        "ReportFinalized",
    ]
    [signed] = step.events
    assert isinstance(signed, ReportFinalized)
    assert (signed.verdict, signed.signer, signed.blind) == ("refuted", READER, True)
    assert signed.signed_at == NOON
    assert signed.discrepancy is not None
    assert (signed.discrepancy.five_point, signed.discrepancy.radpeer) == (4, "2b")
    assert [(o.claim, o.verdict) for o in signed.outcomes] == [
        ("f-1", "refuted"),
        ("s-1", "refuted"),
    ]
    assert isinstance(step.state, Final)


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


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_upstream_events_may_come_in_any_order(order: tuple[int, ...]) -> None:
    spec = after(*(ARRIVED[position] for position in order))

    [started] = spec.when(start()).events

    assert started == ReadingStarted(case_id=CASE, assignment="a-1", reader=READER, at=NOON)


@pytest.mark.parametrize("missing", [0, 1])
def test_reading_waits_until_the_case_is_there(missing: int) -> None:
    spec = after(*(event for n, event in enumerate(ARRIVED) if n != missing))

    assert refusal(spec, start()) == "case_not_ready"
    assert names(spec.then(ARRIVED[missing]).when(start()).events) == ["ReadingStarted"]


def refusal(spec: Spec[State, Any, Event], received: Any) -> str:
    step = spec.when(received)
    assert step.refused is not None, step.events
    assert step.state == spec.state
    assert step.events == ()
    return step.refused.code


def test_a_stale_draft_never_overwrites() -> None:
    spec = reading().then(draft())

    assert refusal(spec, draft(opinion(impression="Older."))) == "stale_revision"
    assert refusal(spec, draft(opinion(impression="Newer."), revision=2)) == "stale_revision"
    newer = spec.then(draft(opinion(impression="Newer."), revision=1)).state
    assert isinstance(newer, Reading)
    assert (newer.revision, newer.draft.impression) == (2, "Newer.")


def test_the_same_draft_again_changes_nothing() -> None:
    step = reading().then(draft()).when(draft())

    assert (step.events, step.refused) == ((), None)


@pytest.mark.parametrize(
    ("spec", "received", "code"),
    [
        (after(*ARRIVED), draft(), "not_started"),
        (after(*ARRIVED), lock(), "not_started"),
        (after(*ARRIVED), reveal(), "not_locked"),
        (reading(), reveal(), "not_locked"),
        (reading(), compared(), "not_revealed"),
        (reading().then(draft()), lock(revision=0), "stale_revision"),
        (reading(), lock(), "empty_section"),
        (locked(), draft(opinion(impression="Other.")), "already_locked"),
        (locked(), compared(), "not_revealed"),
        (comparing(), draft(opinion(impression="Other.")), "already_locked"),
        (comparing(), compared(comparison(first=(no_fracture("f-9"),))), "stale_revision"),
        (final(), compared(), "already_final"),
    ],
)
def test_nothing_is_done_before_its_time(
    spec: Spec[State, Any, Event], received: Any, code: str
) -> None:
    assert refusal(spec, received) == code


@pytest.mark.parametrize(
    ("spec", "received"),
    [
        (reading(), start()),
        (locked(), start()),
        (locked(), lock()),
        (comparing(), lock()),
        (comparing(), reveal()),
        (comparing(), compared()),
        (final(), reveal()),
        (final(), lock()),
    ],
)
def test_what_is_done_already_is_answered_without_a_second_effect(
    spec: Spec[State, Any, Event], received: Any
) -> None:
    step = spec.when(received)

    assert (step.events, step.refused, step.state) == ((), None, spec.state)


EVERY_REQUEST = [
    start(OTHER),
    draft(reader=OTHER),
    lock(OTHER),
    reveal(OTHER),
    compared().model_copy(update={"reader": OTHER}),
    finalize(comparing().state, OTHER),
    addendum(final().state).model_copy(update={"reader": OTHER}),
]


@pytest.mark.parametrize("asked", EVERY_REQUEST, ids=lambda asked: type(asked).__name__)
@pytest.mark.parametrize(
    "spec", [after(), after(*ARRIVED), reading(), locked(), comparing(), final()]
)
def test_another_readers_case_does_not_exist(spec: Spec[State, Any, Event], asked: Any) -> None:
    assert refusal(spec, asked) == "not_found"


RELEASED = AssignmentReleased(case_id=CASE, assignment="a-1", reader=READER, reason="too_busy")
REVOKED = AssignmentRevoked(case_id=CASE, assignment="a-1", reader=READER, reason="late")
CANCELLED = CaseCancelled(case_id=CASE, partner="st-elsewhere", by="integrator")
CLOSED = AssignmentClosed(case_id=CASE, reason="cancelled")


@pytest.mark.parametrize("ended", [RELEASED, REVOKED])
@pytest.mark.parametrize("spec", [after(*ARRIVED), reading(), locked(), comparing()])
def test_a_released_reader_is_told_so_and_what_they_wrote_is_kept(
    spec: Spec[State, Any, Event], ended: Any
) -> None:
    freed = spec.then(ended)

    assert refusal(freed, lock()) == "assignment_ended"
    [kept] = freed.state.material.set_aside
    assert kept.assignment.reader == READER
    assert kept.sealed == getattr(spec.state, "sealed", None)
    assert kept.draft == getattr(spec.state, "draft", None)


def test_the_next_reader_starts_from_nothing() -> None:
    spec = comparing().then(RELEASED).then(assigned(OTHER, "a-2"))

    started = spec.then(start(OTHER))

    assert isinstance(started.state, Reading)
    assert started.state.draft == Opinion()
    assert refusal(started, start()) == "assignment_ended"


def test_a_late_release_of_an_older_assignment_changes_nothing() -> None:
    spec = reading().then(RELEASED).then(assigned(OTHER, "a-2"))

    for late in (RELEASED, assigned()):
        step = spec.when(late)
        assert (step.events, step.state) == ((), spec.state)


def test_a_reader_who_has_seen_the_first_report_is_no_longer_blind() -> None:
    again = comparing().then(RELEASED).then(assigned(READER, "a-2"))
    for received in (start(), draft(), lock(), reveal(), compared()):
        again = again.then(received)

    [signed] = again.when(finalize(again.state)).events

    assert isinstance(signed, ReportFinalized)
    assert not signed.blind


@pytest.mark.parametrize("reason", ["quality_assurance", "medicolegal"])
def test_some_reasons_for_review_are_read_blind_or_not_at_all(reason: str) -> None:
    spec = after(accepted(reason_for_review=reason), deidentified(), assigned(), start())
    for received in (draft(), lock(), reveal(), RELEASED, assigned(READER, "a-2")):
        spec = spec.then(received)

    assert refusal(spec, start()) == "not_blind"
    other = spec.then(assigned(OTHER, "a-3"))
    assert names(other.when(start(OTHER)).events) == ["ReadingStarted"]


@pytest.mark.parametrize("ended", [CANCELLED, CLOSED])
@pytest.mark.parametrize("spec", [after(*ARRIVED), reading(), locked(), comparing()])
def test_a_withdrawn_case_stops_and_says_so(spec: Spec[State, Any, Event], ended: Any) -> None:
    withdrawn = spec.then(ended)

    assert refusal(withdrawn, lock()) == "case_withdrawn"
    assert refusal(withdrawn, lock(OTHER)) == "not_found"
    for late in (assigned(OTHER, "a-2"), RELEASED, CANCELLED, CLOSED):
        assert withdrawn.when(late).state == withdrawn.state


def test_a_cancellation_may_come_first() -> None:
    spec = after(CANCELLED, *ARRIVED)

    assert refusal(spec, start()) == "not_found"


@pytest.mark.parametrize("late", [CANCELLED, CLOSED, RELEASED, REVOKED, assigned(OTHER, "a-2")])
def test_a_signed_report_outlives_what_comes_too_late(late: Any) -> None:
    assert final().when(late).state == final().state


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


def test_an_older_supplement_never_replaces_a_newer() -> None:
    spec = after(*ARRIVED, deidentified(supplement=2))

    assert spec.when(deidentified(supplement=1)).events == ()
    assert spec.when(deidentified(supplement=2)).events == ()
    assert spec.when(accepted()).events == ()


def test_addenda_hang_on_the_report_and_on_each_other() -> None:
    spec = final()
    first = addendum(spec.state)
    once = spec.then(first)
    critical = claim("a-1", significance="critical", critical_category=2)
    second = addendum(once.state, "And this.", critical)

    [one], [two] = spec.when(first).events, once.when(second).events

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


def test_an_addendum_needs_a_report() -> None:
    assert refusal(comparing(), addendum(final().state)) == "not_signed"


def test_the_hash_in_the_lock_is_that_of_what_was_written() -> None:
    [event] = reading().then(draft()).when(lock()).events

    assert isinstance(event, OpinionLocked)
    assert (event.sha256, event.claims) == (sha256(opinion()), 1)


def test_what_is_not_reportings_business_decides_nothing() -> None:
    reached = DeadlineReached(case_id=CASE, kind="anything", due_at=NOON)

    assert final().when(reached).events == ()

"""What each input decides in each state of a second reading."""

from typing import Any

import pytest

from services.reporting.domain.canonical import sha256
from services.reporting.domain.state import Final, Reading, State
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.reporting import (
    OpinionLocked,
    ReadingStarted,
    ReportFinalized,
)
from shared.testing.spec import NOON, Spec
from tests.unit.reporting.cases import (
    CASE,
    READER,
    accepted,
    compared,
    comparison,
    deidentified,
    draft,
    finalize,
    lock,
    no_fracture,
    opinion,
    reveal,
    start,
)
from tests.unit.reporting.stages import (
    ARRIVED,
    after,
    comparing,
    final,
    locked,
    names,
    reading,
    refusal,
)


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


def test_an_older_supplement_never_replaces_a_newer() -> None:
    spec = after(*ARRIVED, deidentified(supplement=2))

    assert spec.when(deidentified(supplement=1)).events == ()
    assert spec.when(deidentified(supplement=2)).events == ()
    assert spec.when(accepted()).events == ()


def test_the_hash_in_the_lock_is_that_of_what_was_written() -> None:
    [event] = reading().then(draft()).when(lock()).events

    assert isinstance(event, OpinionLocked)
    assert (event.sha256, event.claims) == (sha256(opinion()), 1)


def test_what_is_not_reportings_business_decides_nothing() -> None:
    reached = DeadlineReached(case_id=CASE, kind="anything", due_at=NOON)

    assert final().when(reached).events == ()

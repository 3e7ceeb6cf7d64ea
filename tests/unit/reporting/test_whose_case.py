"""Who may read, who no longer may, and what becomes of what they wrote."""

from typing import Any

import pytest

from services.reporting.domain.state import Reading, State
from shared.contracts.base import Event
from shared.contracts.report import Opinion
from shared.contracts.reporting import (
    ReportFinalized,
)
from shared.testing.spec import Spec
from tests.unit.reporting.cases import (
    OTHER,
    READER,
    accepted,
    assigned,
    compared,
    deidentified,
    draft,
    finalize,
    lock,
    reveal,
    start,
)
from tests.unit.reporting.stages import (
    ARRIVED,
    CANCELLED,
    CLOSED,
    RELEASED,
    REVOKED,
    addendum,
    after,
    comparing,
    final,
    locked,
    names,
    reading,
    refusal,
)

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

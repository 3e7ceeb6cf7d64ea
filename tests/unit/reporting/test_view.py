"""What a reader sees in each state, and what stays hidden until its time."""

from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from services.reporting.domain.entries import AddendumEntry, ComparisonEntry, OpinionEntry
from services.reporting.domain.state import Held, State
from services.reporting.domain.view import CaseView, documents, view
from shared.contracts.base import Event
from shared.contracts.deid import CleanDocument
from shared.testing.spec import Spec
from tests.unit.reporting.cases import (
    CASE,
    FIRST_REPORT,
    assigned,
    claim,
    comparison,
    deidentified,
    draft,
    no_fracture,
    opinion,
    ref,
    reveal,
)
from tests.unit.reporting.stages import (
    ARRIVED,
    addendum,
    after,
    comparing,
    final,
    locked,
    reading,
)
from tests.unit.reporting.test_laws import played, runs


def shown(spec: Spec[State, Any, Event]) -> CaseView:
    assert isinstance(spec.state, Held)
    return view(CASE, spec.state)


def test_before_the_reveal_nothing_tells_what_the_first_report_said() -> None:
    for spec in (after(*ARRIVED), reading(), locked()):
        found = shown(spec)
        assert (found.first_report, found.comparison, found.verdict) == (None, None, None)
        assert FIRST_REPORT.content is not None
        assert FIRST_REPORT.content.sha256 not in found.model_dump_json()


@given(runs)
def test_no_view_of_any_run_shows_a_first_report_that_is_not_open(run: list[Any]) -> None:
    for _, _, state in played(run):
        if isinstance(state, Held):
            opened = view(CASE, state).first_report is not None
            assert opened == (state.kind in {"comparing", "final", "amended"})


def test_each_state_adds_what_it_brought() -> None:
    told = [
        (v.state, v.revision, v.opinion is not None, v.opinion_sha256 is not None, v.verdict)
        for v in map(
            shown, (after(*ARRIVED), reading(), locked(), locked().then(reveal()), comparing())
        )
    ]

    assert told == [
        ("assigned", 0, False, False, None),
        ("reading", 0, True, False, None),
        ("locked", 1, True, True, None),
        ("comparing", 1, True, True, None),
        ("comparing", 2, True, True, "refuted"),
    ]


def test_a_signed_case_shows_where_its_documents_are() -> None:
    spec = final()
    twice = spec.then(addendum(spec.state))

    assert shown(spec).addenda == ()
    report, [more] = shown(twice).report, shown(twice).addenda
    assert report is not None
    assert report.href == f"/v1/cases/{CASE}/report"
    assert more.href == f"/v1/cases/{CASE}/addenda/1"


def test_a_draft_shows_what_keeps_it_from_being_locked() -> None:
    spec = reading().then(draft(opinion(impression="")))

    assert [(c.field, c.code) for c in shown(spec).lint] == [("#/impression", "empty_section")]
    assert shown(locked()).lint == ()


def test_texts_are_released_withheld_or_absent() -> None:
    question = CleanDocument(kind="clinical_question", status="released", content=ref("q"))
    history = CleanDocument(kind="history", status="withheld")
    spec = after(deidentified(documents=(question, history)), assigned())
    before = after(assigned())

    assert (shown(spec).clinical_question.status, shown(spec).history.status) == (
        "released",
        "withheld",
    )
    assert shown(before).clinical_question.status == "absent"
    assert isinstance(before.state, Held)
    assert documents(before.state, "history") == ()


def test_what_is_typed_in_becomes_the_contracts_own_words() -> None:
    written = opinion(claim(measurement={"value": "2.5", "unit": "mm"}))

    assert OpinionEntry.model_validate(written.model_dump()).opinion() == written
    said = comparison(first=(no_fracture(),))
    assert ComparisonEntry.model_validate(said.model_dump()).comparison() == said
    added = AddendumEntry.model_validate({"text": "x", "claims": [claim().model_dump()]})
    assert added.wished() == (claim(),)


@pytest.mark.parametrize(
    ("entry", "body"),
    [
        (OpinionEntry, {"impresion": "x"}),
        (OpinionEntry, {"claims": [{"id": "a", "critical": True}]}),
        (OpinionEntry, {"claims": [{"id": "a", "measurement": {"value": 1, "unit": "inch"}}]}),
        (OpinionEntry, {"impression": "x" * 20_001}),
        (OpinionEntry, {"impression": "\x00"}),
        (OpinionEntry, {"claims": [{"id": str(n)} for n in range(201)]}),
        (ComparisonEntry, {"pairs": [{"verdict": "confirmed"}]}),
        (ComparisonEntry, {"verdict": "confirmed"}),
        (AddendumEntry, {"text": "x", "signer": "dr-osei"}),
        (AddendumEntry, {}),
    ],
)
def test_nothing_unknown_is_taken_least_of_all_a_typed_verdict(entry: Any, body: Any) -> None:
    with pytest.raises(ValidationError):
        entry.model_validate(body)

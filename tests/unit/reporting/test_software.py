"""Software reads beside: heard once, hidden until its time, on record; nothing depends on it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.beside import Beside, beside
from services.reporting.domain.canonical import sha256
from services.reporting.domain.decide import REPORTING
from services.reporting.domain.inputs import AiOpinionReceived
from services.reporting.domain.signing import report_document
from services.reporting.domain.state import Comparing, Held, Signed, State, Unknown
from services.reporting.domain.view import view
from shared.contracts.base import Event
from shared.contracts.matching import AssignmentReleased
from shared.contracts.report import Opinion, ReportDocument
from shared.contracts.reporting import AiOpinionRecorded
from shared.decider import Refused
from shared.testing.spec import NOON, Spec
from tests.unit.reporting.cases import (
    CASE,
    accepted,
    assigned,
    claim,
    deidentified,
    finalize,
    opinion,
    reveal,
)
from tests.unit.reporting.stages import (
    ARRIVED,
    CANCELLED,
    after,
    comparing,
    final,
    locked,
    reading,
    refusal,
)
from tests.unit.reporting.test_laws import asked, runs

Case = Spec[State, Any, Event]
HERS = "ai-bone"
WORDS = "an-unmistakable-suspicion"
AI_ASSIGNED = assigned(HERS, "a-ai").model_copy(update={"role": "ai_reader"})
SAID = Opinion(claims=(claim("ai-1", finding=WORDS),))
GONE = AssignmentReleased(case_id=CASE, assignment="a-ai", reader=HERS, reason="technical_problem")


def says(said: Opinion = SAID, reader: str = HERS) -> AiOpinionReceived:
    return AiOpinionReceived(
        case_id=CASE, reader=reader, opinion=said, software="bone-net", software_version="2.4.1"
    )


def with_software(case: Case) -> Case:
    return case.then(AI_ASSIGNED).then(says())


def test_it_is_kept_whole_and_published_by_its_digest() -> None:
    case = after(accepted(), deidentified(), AI_ASSIGNED)

    step = case.when(says())

    [published] = [one for one in step.events if isinstance(one, AiOpinionRecorded)]
    assert published == AiOpinionRecorded(
        case_id=CASE,
        partner="st-elsewhere",
        assignment="a-ai",
        reader=HERS,
        software="bone-net",
        software_version="2.4.1",
        at=NOON,
        claims=1,
        sha256=sha256(SAID),
    )
    assert WORDS not in published.model_dump_json()
    [kept] = step.state.material.software
    assert kept.given is not None
    assert kept.given.opinion == SAID
    assert isinstance(step.state, Unknown)  # nobody reads it for that


def test_the_same_again_changes_nothing_and_another_is_refused() -> None:
    case = with_software(reading())

    assert case.when(says()).events == ()
    assert refusal(case, says(opinion())) == "already_given"


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (reading(), "not_found"),
        (after(AI_ASSIGNED), "case_not_ready"),
        (reading().then(AI_ASSIGNED).then(GONE), "assignment_ended"),
        (reading().then(AI_ASSIGNED).then(CANCELLED), "case_withdrawn"),
        (Spec(REPORTING, final().state), "not_found"),
    ],
    ids=["never assigned", "no images yet", "given back", "withdrawn", "signed"],
)
def test_whoever_has_no_such_assignment_gives_none(case: Case, code: str) -> None:
    assert refusal(case, says()) == code


def test_after_the_signature_it_is_too_late() -> None:
    ready = comparing().then(AI_ASSIGNED)
    assert refusal(ready.then(finalize(ready.state)), says()) == "already_final"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Opinion(claims=(claim("x"), claim("x"))), "repeated_claim"),
        (Opinion(claims=(claim("x", finding=" "),)), "empty_finding"),
    ],
)
def test_claims_that_say_nothing_are_refused(said: Opinion, code: str) -> None:
    assert refusal(reading().then(AI_ASSIGNED), says(said)) == code


def test_a_new_assignment_after_one_that_ended_may_give_one() -> None:
    again = AI_ASSIGNED.model_copy(update={"assignment": "a-ai-2"})
    case = reading().then(AI_ASSIGNED).then(GONE).then(again).then(says())

    assert [one.given is not None for one in case.state.material.software] == [False, True]


def test_it_sees_the_case_and_its_own_opinion_alone() -> None:
    case = with_software(locked())
    mine = beside(case.state, HERS)

    assert isinstance(mine, Beside)
    assert mine.given is not None
    assert isinstance(beside(case.state, "ai-other"), Refused)
    assert isinstance(with_software(comparing()).state, Comparing)


@pytest.mark.parametrize("stage", [after(*ARRIVED), reading(), locked()])
def test_it_is_hidden_until_the_first_report_is_opened(stage: Case) -> None:
    case = with_software(stage)

    assert isinstance(case.state, Held)
    assert WORDS not in view(CASE, case.state).model_dump_json()
    assert sha256(SAID) not in view(CASE, case.state).model_dump_json()


def test_it_is_shown_beside_the_first_report() -> None:
    case = with_software(locked()).then(reveal())

    assert isinstance(case.state, Held)
    [shown] = view(CASE, case.state).software
    assert (shown.reader, shown.software, shown.opinion) == (HERS, "bone-net", SAID)


def test_the_report_names_it_and_is_the_readers_own() -> None:
    case = with_software(comparing())
    assert isinstance(case.state, Comparing)

    document = report_document(CASE, case.state, NOON)

    assert isinstance(document, ReportDocument)
    [named] = document.software
    assert (named.software, named.claims, named.opinion_sha256) == ("bone-net", 1, sha256(SAID))
    assert document.opinion == opinion()
    signed = case.then(finalize(case.state))
    assert isinstance(signed.state, Signed)


HEARD = st.lists(
    st.tuples(st.integers(0, 25), st.sampled_from([AI_ASSIGNED, says(), says(opinion()), GONE])),
    max_size=5,
)


@given(runs, HEARD)
def test_whatever_software_says_the_case_goes_as_if_it_had_not(
    run: list[Any], heard: list[tuple[int, Any]]
) -> None:
    mixed = list(run)
    for position, received in heard:
        mixed.insert(position, received)

    alone, accompanied = _ends(run), _ends(mixed)

    assert alone.kind == accompanied.kind
    assert _but_software(accompanied) == _but_software(alone)
    if isinstance(accompanied, Held) and not isinstance(accompanied, Comparing | Signed):
        assert WORDS not in view(CASE, accompanied).model_dump_json()


def _ends(run: list[Any]) -> State:
    state = REPORTING.initial
    for wish in run:
        state = REPORTING.step(state, asked(state, wish), NOON + timedelta(seconds=1)).state
    return state


def _but_software(state: State) -> Any:
    """Leave out what software said, and the digest of the report that names it."""
    plain = state.model_dump(mode="json")
    plain["material"].pop("software")
    if isinstance(state, Signed):
        plain["signature"].pop("report")
        for addendum in plain["addenda"]:
            addendum.pop("document")
            addendum["wish"].pop("request")
        plain["wish"] = None
    return plain

"""intake's laws, whatever comes in whatever order."""

from datetime import timedelta
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.decide import INTAKE
from services.intake.domain.evolve import evolve
from services.intake.domain.inputs import (
    AmendCase,
    CancelCase,
    ChangeServiceLevel,
    DocumentReceived,
    ExpectedStudy,
    Input,
    RejectCase,
    StudyReceived,
)
from services.intake.domain.state import (
    STATE,
    Accepted,
    AwaitingInformation,
    Collecting,
    State,
    Unknown,
    arrived,
)
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.intake import CaseAccepted, CaseSupplemented, FirstRead, MissingItem
from shared.testing.spec import NOON
from tests.unit.intake.story import (
    CASE,
    HAND,
    HISTORY,
    PARTNER,
    PRIOR,
    QUESTION,
    REPORT,
    attach,
    digest,
    study,
    submit,
)

STUDIES = (
    ExpectedStudy(study=HAND, modality="DX", instances=3),
    ExpectedStudy(study=PRIOR, modality="CR", instances=2, prior=True),
)
SUBMISSION = submit(studies=STUDIES, reason_for_review="symptom_discrepancy")
PIECES: list[Input] = [
    study("hand", "a"),
    study("hand", "b", laterality="L"),
    study("hand", "c", modality="SR", images=False, body_region="UNKNOWN"),
    study("prior", "a", modality="CR"),
    study("prior", "b", modality="CR", body_region="WRIST"),
    attach(QUESTION),
    attach(REPORT),
    attach(HISTORY),
]


def deliver(inputs: list[Input], state: State | None = None) -> tuple[State, list[Event]]:
    """Decide input after input; what came before its case waits and is delivered again."""
    now, waiting, events = state or Unknown(), list(inputs), list[Event]()
    while waiting:
        rest = list[Input]()
        for one in waiting:
            step = INTAKE.step(now, one, NOON)
            now = step.state
            events += step.events
            if step.refused and step.refused.code == "not_found":
                rest.append(one)
        if len(rest) == len(waiting):
            break
        waiting = rest
    return now, events


def accepted(events: list[Event]) -> CaseAccepted:
    (one,) = [event for event in events if isinstance(event, CaseAccepted)]
    return one


REFERENCE = accepted(deliver([SUBMISSION, *PIECES])[1])


@settings(deadline=None)
@given(st.permutations([SUBMISSION, *PIECES]))
def test_any_order_leads_to_the_same_acceptance(inputs: list[Input]) -> None:
    assert accepted(deliver(inputs)[1]) == REFERENCE


@settings(deadline=None)
@given(st.permutations([SUBMISSION, *PIECES, SUBMISSION, *PIECES]))
def test_twice_is_once(inputs: list[Input]) -> None:
    once, _ = deliver([one for place, one in enumerate(inputs) if one not in inputs[:place]])

    state, events = deliver(inputs)

    assert accepted(events) == REFERENCE
    assert state == once


ANYTHING = st.one_of(
    st.sampled_from([SUBMISSION, *PIECES]),
    st.sampled_from(
        [
            study("hand", "x", patient=digest("another")),
            study("late", "a"),
            submit(studies=(ExpectedStudy(study=HAND, modality="DX"),)),
            AmendCase(
                case_id=CASE,
                partner=PARTNER,
                studies=(ExpectedStudy(study=digest("late"), modality="DX"),),
            ),
            AmendCase(case_id=CASE, partner=PARTNER, reason_for_review="cancer"),
            ChangeServiceLevel(case_id=CASE, partner=PARTNER, service_level="routine", by="x"),
            DocumentReceived(
                case_id=CASE, partner=PARTNER, first_read=FirstRead(status="unreadable")
            ),
            CancelCase(case_id=CASE, partner="another", by="x"),
        ]
    ),
    st.builds(
        lambda kind, hours: DeadlineReached(
            case_id=CASE, kind=kind, due_at=NOON + timedelta(hours=hours)
        ),
        st.sampled_from(["collection", "quiet", "reminder", "other"]),
        st.integers(-1, 100),
    ),
)
ENDINGS = st.sampled_from(
    [
        CancelCase(case_id=CASE, partner=PARTNER, by="x"),
        RejectCase(case_id=CASE, reasons=(MissingItem(code="x", detail="y"),)),
    ]
)


@given(st.lists(st.one_of(ANYTHING, ENDINGS), max_size=25))
@settings(max_examples=300, deadline=None)
def test_folding_the_events_gives_the_state_and_the_state_survives_storage(
    inputs: list[Input],
) -> None:
    state, events = deliver(inputs)

    initial: State = Unknown()
    assert reduce(evolve, events, initial) == state
    assert STATE.validate_json(STATE.dump_json(state)) == state


@given(st.lists(ANYTHING, max_size=25))
@settings(max_examples=300, deadline=None)
def test_a_case_that_waits_has_a_clock_running(inputs: list[Input]) -> None:
    state, _ = deliver(inputs)

    if isinstance(state, Collecting | AwaitingInformation):
        assert {d.kind for d in INTAKE.deadlines(state)} & {"collection", "reminder"}
    else:
        assert INTAKE.deadlines(state) == ()


@given(st.lists(ANYTHING, max_size=25))
@settings(max_examples=300, deadline=None)
def test_no_instance_that_was_taken_is_lost(inputs: list[Input]) -> None:
    """Each manifest that was not refused stands in the acceptance or in a supplement."""
    state, events = deliver([SUBMISSION, *inputs])
    if not isinstance(state, Accepted):
        return

    told = {
        manifest.sha256
        for event in events
        if isinstance(event, CaseAccepted | CaseSupplemented)
        for one in event.studies
        for manifest in one.manifests
    }

    expected = {
        one.manifest.sha256
        for one in inputs
        if isinstance(one, StudyReceived)
        and any(
            one.study == came.study
            for e in state.file.request.studies
            for came in arrived(state.file, e)
        )
    } - {stray.manifest for stray in state.file.misfiled}
    assert expected <= told


@given(st.lists(st.one_of(ANYTHING, ENDINGS), max_size=25))
@settings(max_examples=200, deadline=None)
def test_a_case_is_accepted_at_most_once(inputs: list[Input]) -> None:
    _, events = deliver(inputs)

    assert sum(isinstance(event, CaseAccepted) for event in events) <= 1

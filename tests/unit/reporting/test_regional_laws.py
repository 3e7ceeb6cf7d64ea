"""What holds for every split case, whoever reads which part and whatever matching says?"""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.reporting.domain.access import held
from services.reporting.domain.canonical import sha256
from services.reporting.domain.compare import Comparison, Pairing
from services.reporting.domain.decide import REPORTING
from services.reporting.domain.inputs import CompareClaims
from services.reporting.domain.regional import joined
from services.reporting.domain.signing import report_document
from services.reporting.domain.state import Comparing, Locked, Reading, Signed, Split, State
from shared.contracts.base import Event
from shared.contracts.matching import AssignmentAccepted, AssignmentRevoked, RegionPart
from shared.contracts.report import ReportDocument
from shared.contracts.reporting import FirstReportRevealed, OpinionLocked
from shared.testing.spec import NOON, Spec
from tests.unit.reporting.cases import (
    CASE,
    OTHER,
    READER,
    draft,
    lock,
    no_fracture,
    opinion,
    reveal,
    start,
)
from tests.unit.reporting.stages import names
from tests.unit.reporting.test_regional import (
    LUNG,
    SPLIT,
    THIRD,
    Case,
    arrived,
    compare,
    region,
    signing,
)

READERS = (READER, OTHER, THIRD)
PLACES = (("HAND",), ("CHEST",))
STEPS: list[Any] = [
    *(start(who) for who in READERS),
    *(draft(who_wrote, reader=who) for who in READERS for who_wrote in (opinion(), LUNG)),
    *(lock(who) for who in READERS),
    *(lock(who) for who in READERS),
    *(reveal(who) for who in READERS),
    *(compare(n, who) for n in (1, 2) for who in READERS),
    *(region(who, f"{who}-{n}", *place) for n, place in enumerate(PLACES) for who in READERS),
    *(
        AssignmentRevoked(case_id=CASE, assignment=name, reader=READER, reason="late")
        for name in ("a-1", "a-2", f"{THIRD}-0", f"{THIRD}-1")
    ),
    SPLIT.model_copy(update={"parts": (*SPLIT.parts, RegionPart(regions=("KNEE",)))}),
    region(THIRD, "a-knee", "KNEE"),
    "finalize",
    "finalize",
    "read all",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=25))
def test_whatever_happens_a_split_case_ends_in_one_report_of_all_parts(run: list[Any]) -> None:
    case, signed = arrived(), 0
    for number, wish in enumerate(run):
        for received in _asked(case.state, wish):
            step = case.when(received, NOON + timedelta(seconds=number))
            _check_events(case.state, step.events)
            signed += names(step.events).count("ReportFinalized")
            case = Spec(REPORTING, step.state)
        case = _read_all(case) if wish == "read all" else case
        _check(case.state)
    if not isinstance(case.state, Signed):
        case = _finished(case)
        signed += 1
    assert signed == 1
    assert isinstance(case.state, Signed)
    ids = [one.id for one in case.state.sealed.opinion.claims]
    assert len(ids) == len(set(ids)) == len(case.state.material.parts)


def _asked(state: State, wish: Any) -> list[Any]:
    """Turn a wish into what could be submitted in that state."""
    if wish == "finalize" and isinstance(state, Comparing):
        document = report_document(CASE, state, NOON)
        return [signing(state)] if isinstance(document, ReportDocument) else []
    if isinstance(wish, AssignmentAccepted):  # matching gives nobody two parts, nor an unknown one
        desks = state.desks if isinstance(state, Split) else ()
        busy = {one.assignment.reader for one in (*desks, *state.material.regional)}
        known = wish.regions in state.material.parts
        return [wish] if known and wish.reader not in busy else []
    return [] if isinstance(wish, str) else [wish]


def _check_events(before: State, events: tuple[Event, ...]) -> None:
    for event in events:
        if isinstance(event, FirstReportRevealed):
            read = {one.assignment.regions for one in before.material.regional}
            assert read >= set(before.material.parts)  # not before all have locked
        if isinstance(event, OpinionLocked):
            desk = held(before, event.reader)
            assert isinstance(desk, Reading)
            assert sha256(desk.draft) == event.sha256


def _check(state: State) -> None:
    for one in state.material.regional:
        assert one.sealed.sha256 == sha256(one.sealed.opinion)
    states: TypeAdapter[State] = TypeAdapter(State)
    assert states.validate_json(states.dump_json(state)) == state
    if isinstance(state, Locked | Comparing | Signed):
        read = {one.assignment.regions for one in state.material.regional}
        assert read == set(state.material.parts)
        assert state.sealed == joined(state.material)


def _read_all(case: Case) -> Case:
    """Give every part that nobody reads a reader, and let all read to the lock."""
    if not isinstance(case.state, Split):
        return case
    for n, regions in enumerate(case.state.material.parts):
        state = case.state
        assert isinstance(state, Split)
        taken = {one.assignment.regions for one in (*state.desks, *state.material.regional)}
        if regions not in taken:
            fresh = f"fresh-{n}-{len(state.material.set_aside)}"
            case = case.then(region(fresh, fresh, *regions))
    for who in [one.assignment.reader for one in getattr(case.state, "desks", ())]:
        case = case.then(start(who))
        desk = held(case.state, who)
        case = case.then(draft(reader=who, revision=getattr(desk, "revision", 0))).then(lock(who))
    return case


def _finished(case: Case) -> Case:
    case = _read_all(case)
    state = case.state
    assert isinstance(state, Locked | Comparing), state
    who = state.assignment.reader
    case = case.then(reveal(who))
    ids = [one.id for one in state.sealed.opinion.claims]
    pairs = [Pairing(second=one, clinically_important=True) for one in ids[1:]]
    said = Comparison(
        first_claims=(no_fracture(),),
        pairs=(Pairing(first="f-1", second=ids[0], clinically_important=True), *pairs),
    )
    now = case.state
    assert isinstance(now, Comparing)
    case = case.then(
        CompareClaims(case_id=CASE, reader=who, revision=now.revision, comparison=said)
    )
    return case.then(signing(case.state))

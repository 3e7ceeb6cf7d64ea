"""An event that can't follow a state leaves it as it is; folding never fails."""

import pytest

from services.reporting.domain.evolve import evolve
from services.reporting.domain.lint import Patient, patient_of
from services.reporting.domain.signing import report_document
from services.reporting.domain.state import Comparing, Material
from shared.contracts.base import Event
from shared.contracts.reporting import ReadingStarted
from shared.decider import Refused
from shared.testing.spec import NOON
from tests.unit.reporting.cases import CASE, READER, compared, draft, finalize, lock, reveal, start
from tests.unit.reporting.stages import ARRIVED, addendum, after, comparing, final, locked, reading

COMPARED = comparing()
FINAL = final()
OUT_OF_PLACE: list[Event] = [
    ReadingStarted(case_id=CASE, assignment="a-1", reader=READER, at=NOON),
    *reading().then(draft()).when(lock()).events,
    *locked().when(reveal()).events,
    *COMPARED.when(finalize(COMPARED.state)).events,
    *FINAL.when(addendum(FINAL.state)).events[1:],
]


@pytest.mark.parametrize("event", OUT_OF_PLACE, ids=lambda event: type(event).__name__)
def test_an_event_out_of_place_changes_nothing(event: Event) -> None:
    nobody = after(*ARRIVED[:2]).state

    assert evolve(nobody, event) == nobody


def test_an_event_of_another_service_changes_nothing() -> None:
    state = after(*ARRIVED).state

    assert evolve(state, ARRIVED[0]) == state


def test_rules_stay_total_where_the_facts_are_missing() -> None:
    state = locked().then(reveal()).then(compared()).state
    assert isinstance(state, Comparing)
    bare = state.model_copy(update={"material": Material()})

    answer = report_document(CASE, bare, NOON)

    assert isinstance(answer, Refused)
    assert answer.code == "case_not_ready"
    assert patient_of(Material()) == Patient("U", "unknown", frozenset())
    assert after(*ARRIVED).when(start()).events

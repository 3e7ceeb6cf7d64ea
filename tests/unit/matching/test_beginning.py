"""Who asks for the next case gets the one first that they have not begun: the most urgent."""

from itertools import permutations
from uuid import UUID

import pytest

from services.matching.domain.beginning import begun_first
from services.matching.domain.decide import MATCHING
from services.matching.domain.inputs import AcceptOffer, PauseCase
from services.matching.domain.state import Matching
from shared.contracts.base import CaseId, ServiceLevel
from shared.contracts.reporting import ReadingStarted
from shared.testing.spec import given
from tests.unit.matching.cases import NOON, accepted, deidentified, last, offer, reader


def taken(number: int, level: ServiceLevel, how: str = "waits") -> Matching:
    case_id = CaseId(UUID(int=number))
    case = given(MATCHING).then(accepted(case_id, service_level=level))
    case = case.then(deidentified(case_id)).then(offer(case_id=case_id))
    name = last(case.state)
    case = case.then(AcceptOffer(case_id=case_id, assignment=name, reader=reader(), load=0))
    if how == "begun":
        start = ReadingStarted(case_id=case_id, assignment=name, reader="dr-osei", at=NOON)
        case = case.then(start)
    if how == "paused":
        party, reason = "partner", "waiting_for_partner"
        hold = {"case_id": case_id, "by": "op", "reason": reason, "party": party}
        case = case.then(PauseCase.model_validate(hold))
    return case.state


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_the_most_urgent_is_begun_first_in_whatever_order_they_are_held(
    order: tuple[int, ...],
) -> None:
    held = [taken(1, "routine"), taken(2, "urgent"), taken(3, "expedited")]

    found = begun_first([held[n] for n in order], "dr-osei")

    assert found is not None
    assert found.brief.need.case_id == CaseId(UUID(int=2))


def test_what_was_begun_or_waits_for_the_partner_is_not_begun_first() -> None:
    held = [taken(1, "emergent", "begun"), taken(2, "urgent", "paused"), taken(3, "routine")]

    found = begun_first(held, "dr-osei")

    assert found is not None
    assert found.brief.need.case_id == CaseId(UUID(int=3))
    assert begun_first(held[:2], "dr-osei") is None
    assert begun_first(held, "dr-lund") is None

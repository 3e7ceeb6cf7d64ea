"""Why a reader who asks gets no case: nothing waits, none is theirs, or it is held for others."""

from uuid import UUID

import pytest

from services.matching.domain.directed import Directed
from services.matching.domain.need import need_of
from services.matching.domain.nothing import Nothing, nothing
from services.matching.domain.policy import DIRECTED
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.rota import Rota
from services.matching.domain.staff import Staff
from shared.contracts.base import CaseId
from tests.unit.matching.cases import CASE, NOON, accepted, reader
from tests.unit.matching.test_urging import HOUR, NOW

ROSTER = {
    one.id: one
    for one in (
        reader(),
        reader("dr-chest", subspecialties=("chest",)),
        reader("dr-none", licences=()),
    )
}


def laid_out(owed_in: float | None = 24 * HOUR) -> Directed:
    here = [(NOW - HOUR, NOW + 30 * HOUR)]
    found = Directed(Pool(Staff(ROSTER), Rota.of([here] * 3), DIRECTED))
    found.present[:] = True
    found.free_at[:] = NOW
    if owed_in is not None:
        found.add(Entry(need_of(accepted()), NOW + owed_in), NOW)
    found.forecast(NOW)
    return found


def why(found: Directed, name: str) -> Nothing:
    number = found.pool.staff.index[name]
    assert found.next_for(number, NOW) is None
    return nothing(found, number, NOON)


def test_nothing_waits() -> None:
    assert why(laid_out(None), "dr-osei").reason == "nothing_waits"


def test_what_waits_is_not_theirs_to_read() -> None:
    told = why(laid_out(), "dr-none")
    assert (told.reason, told.waiting, told.theirs) == ("none_is_theirs", 1, 0)
    assert nothing(laid_out(), None, NOON).reason == "none_is_theirs"


def test_it_is_held_for_the_right_subspecialist_who_is_named_with_the_time() -> None:
    told = why(laid_out(), "dr-chest")

    assert (told.reason, told.theirs, told.policy) == ("held_for_others", 1, DIRECTED.name)
    [held] = told.held_back
    assert (held.case_id, held.awaited, held.awaited_at) == (CASE, "dr-osei", NOON)
    assert not held.put_off


def test_they_are_kept_ready_for_urgent_cases_that_nobody_else_could_read() -> None:
    found = laid_out()
    found.free_at[1] = NOW + 20 * HOUR
    for n in range(40):
        stat = need_of(accepted(CaseId(UUID(int=100 + n)), service_level="emergent"))
        found.demand.saw(stat, 60.0, NOW)

    told = why(found, "dr-osei")

    assert told.reason == "kept_ready"
    assert told.held_back[0].put_off


@pytest.mark.parametrize("says", ["The reader is not on shift."])
def test_the_rules_refused_what_was_looked_at(says: str) -> None:
    told = nothing(laid_out(), 0, NOON, says)
    assert (told.reason, told.says) == ("refused", says)

"""Who alone could begin the next urgent case in time begins no long reading that can wait."""

from datetime import timedelta
from itertools import count
from typing import Final
from uuid import UUID

import numpy as np
import pytest

from services.matching.domain.directed import Directed, urgency
from services.matching.domain.need import Need, need_of
from services.matching.domain.policy import DIRECTED, Policy
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.readiness import MEMORY, Demand
from services.matching.domain.rota import Rota
from services.matching.domain.staff import Staff
from shared.contracts.base import CaseId, ServiceLevel
from tests.unit.matching.cases import NOON, accepted, reader

NOW: Final = NOON.timestamp()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
FETAL, WRIST = ("obstetric", "musculoskeletal"), ("musculoskeletal",)
TARGETS: Final[dict[ServiceLevel, float]] = {
    "emergent": HOUR,
    "urgent": 4 * HOUR,
    "routine": 72 * HOUR,
}
numbers = count(1)


def need(level: ServiceLevel, field: str = "musculoskeletal", ago: float = 0.0) -> Need:
    when = NOON - timedelta(seconds=ago)
    case = accepted(service_level=level, subspecialty=field, accepted_at=when)
    return need_of(case.model_copy(update={"case_id": CaseId(UUID(int=next(numbers)))}))


def room(*fields: tuple[str, ...], ends: float = 8 * HOUR, policy: Policy = DIRECTED) -> Directed:
    """Seat readers who are free, where ten STAT fetal cases came in the last two days."""
    roster = {f"dr-{n}": reader(f"dr-{n}", subspecialties=one) for n, one in enumerate(fields)}
    shifts = [(NOW - HOUR, NOW + ends), (NOW + 2 * DAY, NOW + 3 * DAY)]
    pool = Pool(Staff(roster), Rota.of([shifts for _ in fields]), policy)
    found = Directed(pool)
    found.present[:] = True
    found.free_at[:] = NOW
    for _ in range(10):
        found.demand.saw(need("emergent", "obstetric"), 25 * MINUTE, NOW - 2 * DAY)
    return found


def waits(found: Directed, level: ServiceLevel = "routine", ago: float = 0.0) -> int:
    owed = NOW - ago + TARGETS[level]
    return found.add(Entry(need(level, ago=ago), owed), NOW)


def test_a_long_reading_is_for_whom_no_urgent_case_may_need_alone() -> None:
    found = room(FETAL, WRIST)
    row = waits(found)

    assert found.next_for(0, NOW) is None
    assert list(found.held_back(0, NOW)) == [row]
    choice = found.next_for(1, NOW)
    assert choice is not None
    assert choice.row == row
    given = found.reader_for(row, np.array([True, True]), NOW)
    assert given is not None
    assert given.reader == 1


def test_nothing_is_put_off_while_another_could_begin_the_urgent_case_in_time() -> None:
    found = room(FETAL, FETAL)
    waits(found)
    assert found.next_for(0, NOW) is not None

    found.free_at[1] = NOW + 50 * MINUTE
    assert found.next_for(0, NOW) is None


def test_nothing_is_put_off_for_longer_than_half_its_time() -> None:
    early, late, short = room(FETAL), room(FETAL), room(FETAL)
    waits(early, ago=20 * HOUR)
    waits(late, ago=40 * HOUR)
    waits(short, "urgent", ago=2 * HOUR)

    assert early.next_for(0, NOW) is None
    assert late.next_for(0, NOW) is not None
    assert short.next_for(0, NOW) is not None


def test_a_reading_that_ends_in_time_for_the_next_urgent_case_is_not_put_off() -> None:
    quick = Policy(reading={"routine": timedelta(minutes=20)})
    found = room(FETAL, policy=quick)
    waits(found)
    assert found.next_for(0, NOW) is not None


def test_a_shift_that_ends_leaves_nothing_undone_that_only_its_reader_may_read() -> None:
    """A quick reading too is put off if it lasts until the end, and nobody comes after it."""
    quick = Policy(reading={"routine": timedelta(minutes=20)})
    found = room(FETAL, ends=15 * MINUTE, policy=quick)
    found.demand.saw(need("urgent", "obstetric"), 3 * HOUR, NOW - 2 * DAY)
    waits(found)
    assert found.next_for(0, NOW) is None


@pytest.mark.parametrize(("keep_ready", "gets"), [(0.0, False), (100.0, True)])
def test_how_much_is_risked_is_the_policys(keep_ready: float, gets: bool) -> None:
    found = room(FETAL, policy=Policy(keep_ready=keep_ready))
    waits(found)
    assert (found.next_for(0, NOW) is not None) is gets


def test_a_case_counts_once_and_only_if_it_is_urgent() -> None:
    demand = room(FETAL).demand
    again = need("emergent")
    for one in (again, again, need("routine")):
        demand.saw(one, 25 * MINUTE, NOW)
    assert [one.count for one in demand.kinds] == [11]


@pytest.mark.parametrize(("passed", "left"), [(MEMORY / 2, 10), (MEMORY, 5)])
def test_another_roster_keeps_what_came_and_what_is_old_counts_for_half(
    passed: float, left: float
) -> None:
    demand = room(FETAL).demand
    now = demand.since + passed + 1
    other = Staff({"dr-new": reader("dr-new", subspecialties=FETAL)})

    [kind] = demand.moved(other, now).kinds

    assert kind.count == left
    assert kind.able.shape == (1,)
    assert demand.moved(other, now).since == pytest.approx(now - passed * left / 10, abs=2)


def test_a_roster_that_nothing_came_for_puts_nothing_off() -> None:
    empty = Demand(Staff({}))
    assert not empty.kinds
    assert empty.moved(Staff({}), NOW).kinds == []


def test_a_case_that_a_quick_reading_may_save_is_the_most_urgent_and_then_steps_back() -> None:
    """It should have been begun by 25 minutes before it is owed; at 10 nothing saves it."""
    owed = np.array([NOW + 60 * MINUTE])
    latest, last = owed - 25 * MINUTE, owed - 10 * MINUTE
    at = [
        float(urgency(latest, last, owed, NOW + minute * MINUTE, DIRECTED)[0])
        for minute in (0, 34, 36, 49, 51)
    ]
    assert at[0] < at[1] < at[2] == at[3] == 1
    assert at[4] == DIRECTED.late_share

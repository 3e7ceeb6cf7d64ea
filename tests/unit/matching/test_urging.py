"""Who is asked when time is short: few at first, more as it goes by, and nobody twice."""

from datetime import timedelta

import numpy as np
import pytest

from services.matching.domain.directed import Directed
from services.matching.domain.need import need_of
from services.matching.domain.policy import DIRECTED, Policy
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.rota import Rota
from services.matching.domain.staff import Staff
from services.matching.domain.urging import Asked, Crew, Urge, urged
from tests.unit.matching.cases import NOON, accepted, reader

NOW = NOON.timestamp()
HOUR = 3600.0
NAMES = ("dr-right", "dr-broad", "dr-right-2", "dr-called")


def directed(owed_in: float, policy: Policy = DIRECTED) -> Directed:
    """Lay out one STAT case, owed so many seconds from now; the last reader is on no shift."""
    fields = [("musculoskeletal",), ("chest",), ("musculoskeletal",), ("musculoskeletal",)]
    roster = {n: reader(n, subspecialties=f) for n, f in zip(NAMES, fields, strict=True)}
    here = [(NOW - HOUR, NOW + 8 * HOUR)]
    pool = Pool(Staff(roster), Rota.of([here, here, here, []]), policy)
    pool.add(Entry(need_of(accepted(service_level="emergent")), NOW + owed_in), NOW)
    found = Directed(pool)
    found.present[:3] = True
    found.free_at[:] = NOW + 2 * HOUR
    return found


def asking(found: Directed, *asked: Asked, crew: Crew | None = None) -> list[Urge]:
    everybody = Crew(np.array([1, 1, 1, 0], bool), np.array([0, 0, 0, 1], bool))
    return list(urged(found, 0, asked, crew or everybody, NOW))


def names(found: list[Urge]) -> list[tuple[str, bool]]:
    return [(NAMES[one.choice.reader], one.paged) for one in found]


def test_with_time_left_nobody_is_disturbed() -> None:
    found = directed(5 * HOUR)
    found.free_at[:] = NOW
    assert asking(found) == []


def test_a_right_subspecialist_is_interrupted_and_who_is_on_call_is_paged() -> None:
    assert names(asking(directed(0.9 * HOUR))) == [("dr-right", False), ("dr-called", True)]


def test_nobody_is_paged_where_the_policy_says_so_or_somebody_will_be_free() -> None:
    assert names(asking(directed(0.9 * HOUR, Policy(pages=False)))) == [("dr-right", False)]
    soon = directed(0.9 * HOUR)
    soon.free_at[1] = NOW + 60
    assert names(asking(soon)) == [("dr-right", False)]


def test_no_answer_is_waited_for_alone() -> None:
    """The second is asked a while after the first, and who was asked is not asked again."""
    policy = Policy(pages=False, ask_again=timedelta(minutes=4))
    early, later = directed(1.05 * HOUR, policy), directed(0.8 * HOUR, policy)
    for one in (early, later):
        one.pool.asked[0, 0] = True
    out = Asked(0, paged=False)
    assert names(asking(early, out)) == []
    assert names(asking(later, out)) == [("dr-right-2", False)]


@pytest.mark.parametrize("at_once", [1, 2])
def test_no_more_are_asked_at_once_than_the_policy_allows(at_once: int) -> None:
    found = directed(0.4 * HOUR, Policy(pages=False, at_once=at_once))
    out = [Asked(n, paged=False) for n in range(at_once)]
    assert asking(found, *out[:-1])
    assert not asking(found, *out)


def test_an_offer_stands_as_long_as_it_is_of_use() -> None:
    [one, *_] = asking(directed(0.9 * HOUR))
    assert one.until == pytest.approx(NOW + 0.9 * HOUR - 18 * 60)


def test_what_is_too_late_disturbs_nobody_but_is_not_left_to_itself() -> None:
    late = directed(-HOUR)
    assert asking(late) == []
    late.pool.rota.ends[:] = -np.inf
    late.pool.rota.begins[:] = np.inf
    assert names(asking(late)) == [("dr-called", True)]
    assert asking(late, Asked(3, paged=True)) == []


def test_without_anybody_to_ask_nothing_happens() -> None:
    nobody = Crew(np.zeros(4, bool), np.zeros(4, bool))
    assert asking(directed(0.9 * HOUR), crew=nobody) == []

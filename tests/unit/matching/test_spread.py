"""Who gets what: as many as fit, the urgent first, the best fit, and never more than fits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from services.matching.domain import spread
from services.matching.domain.columns import Columns
from services.matching.domain.crowd import Crowd
from services.matching.domain.eligibility import Candidate
from services.matching.domain.fit import TERMS, Asking, score
from services.matching.domain.scoring import BY_CASE, BY_KIND, Cases, Scoring, alike
from services.matching.domain.spread import BY_URGENCY, LEFT_OUT, Spread, Wishes
from services.matching.domain.track import Track
from tests.unit.matching.cases import NOON, at, reader
from tests.unit.matching.test_crowd import CROWDS, crowd_of
from tests.unit.matching.test_plan import need
from tests.unit.matching.test_rules import NEEDS

FIELDS = ("musculoskeletal", "chest")
ASKINGS = [
    Asking(need(n, subspecialty=name), NOON, at(hours=3 + n)) for n, name in enumerate(FIELDS)
]


def crowd(capacities: list[int]) -> Scoring:
    each = [
        reader(f"dr-{n}", capacity=one, subspecialties=(FIELDS[n % 2],))
        for n, one in enumerate(capacities)
    ]
    return Scoring(Crowd.of(Columns(tuple(each)), NOON), ASKINGS[0])


def wishes(
    scoring: Scoring, may: list[list[bool]], urgency: list[float], room: list[int] | None = None
) -> Wishes:
    rows = len(may)
    return Wishes(
        np.arange(rows),
        np.array(may, bool).reshape(rows, -1),
        np.arange(rows) % 2,
        np.array([scoring.of_kind(one.need) for one in ASKINGS]),
        Cases.of([ASKINGS[n % 2] for n in range(rows)], scoring.columns),
        np.array(room or [1] * rows, np.intp),
        np.array(urgency, float),
    )


def cheapest(asked: Wishes, everybody: Scoring) -> float:
    """Give the least that one reader for each case can cost, by the dense solver."""
    places = [
        (n, place)
        for n, one in enumerate(everybody.columns.readers)
        for place in range(one.capacity)
    ]
    cases = len(asked.room)
    costs = np.full((cases, len(places) + cases), 1e9)
    for case in range(cases):
        costs[case, len(places) + case] = LEFT_OUT + BY_URGENCY * asked.urgency[case]
        for column, (n, place) in enumerate(places):
            if asked.may[case, n]:
                costs[case, column] = 2 - fit(asked, everybody, case, n, place)
    return float(costs[linear_sum_assignment(costs)].sum())


def fit(asked: Wishes, everybody: Scoring, case: int, n: int, load: int) -> float:
    candidate = Candidate(everybody.columns.readers[n], load)
    return score(ASKINGS[asked.kind[case]], candidate)


def cost(asked: Wishes, everybody: Scoring, given_: list[list[int]]) -> float:
    loads = [0] * len(everybody.columns.readers)
    total = 0.0
    for case, readers in enumerate(given_):
        if not readers:
            total += LEFT_OUT + BY_URGENCY * asked.urgency[case]
        for n in readers:
            total += 2 - fit(asked, everybody, case, n, loads[n])
            loads[n] += 1
    return total


WORLDS = st.integers(1, 5).flatmap(
    lambda readers: st.tuples(
        st.lists(st.integers(0, 3), min_size=readers, max_size=readers),
        st.lists(
            st.tuples(
                st.lists(st.booleans(), min_size=readers, max_size=readers),
                st.floats(0, 2),
                st.integers(1, 3),
            ),
            min_size=1,
            max_size=8,
        ),
    )
)


@settings(max_examples=200, deadline=None)
@given(WORLDS)
def test_no_other_matching_is_cheaper(
    world: tuple[list[int], list[tuple[list[bool], float, int]]],
) -> None:
    everybody = crowd(world[0])
    asked = wishes(everybody, [one[0] for one in world[1]], [one[1] for one in world[1]])

    found = Spread(everybody).over(asked)

    # Who reads two of them reads the more urgent first, whichever place the solver gave it.
    assert cost(asked, everybody, found) == pytest.approx(cheapest(asked, everybody), abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_matching_of_a_larger_world_is_cheaper(seed: int) -> None:
    chance = np.random.default_rng(seed)
    everybody = crowd([1] * 30)
    may = chance.random((90, 30)) < 0.2
    asked = wishes(everybody, may.tolist(), np.sort(chance.random(90) * 2)[::-1].tolist())

    found = Spread(everybody).over(asked)

    assert cost(asked, everybody, found) == pytest.approx(cheapest(asked, everybody))


@pytest.mark.parametrize("pairs", [4_000_000, 6, 1])
@settings(max_examples=100, deadline=None)
@given(world=WORLDS)
def test_nobody_gets_too_much_and_nobody_who_could_read_a_case_is_left_idle(
    pairs: int, world: tuple[list[int], list[tuple[list[bool], float, int]]]
) -> None:
    everybody = crowd(world[0])
    asked = wishes(everybody, [one[0] for one in world[1]], [one[1] for one in world[1]])
    asked = replace(asked, room=np.array([one[2] for one in world[1]]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spread, "PAIRS", pairs)
        found = Spread(everybody).over(asked)

    held = np.bincount([n for some in found for n in some], minlength=len(world[0]))
    assert (held <= world[0]).all()
    for case, readers in enumerate(found):
        assert len(readers) == len(set(readers)) <= asked.room[case]
        assert asked.may[case, readers].all()
        if len(readers) < asked.room[case]:
            could = asked.may[case] & (held < world[0])
            assert set(np.flatnonzero(could)) <= set(readers)


def over(capacities: list[int], may: list[list[bool]], urgency: list[float]) -> list[list[int]]:
    everybody = crowd(capacities)
    return Spread(everybody).over(wishes(everybody, may, urgency))


def test_the_more_urgent_case_gets_the_only_reader() -> None:
    assert over([1], [[True], [True]], [0.5, 0.6]) == [[], [0]]


def test_a_case_is_read_by_the_second_best_where_another_can_be_read_by_nobody_else() -> None:
    # The first case fits reader 0 best; but the second one has nobody else.
    assert over([1, 1], [[True, True], [True, False]], [1.0, 0.1]) == [[1], [0]]


def test_nothing_to_spread() -> None:
    assert over([], [[], []], [1, 1]) == [[], []]
    assert over([2], [[False]], [1]) == [[]]


def test_every_term_has_its_form_over_arrays() -> None:
    scopes = {scope: [one for one in TERMS if one.scope == scope] for scope in ("kind", "case")}

    assert BY_KIND.keys() == {one.value.__name__ for one in scopes["kind"]}
    assert BY_CASE.keys() == {one.value.__name__ for one in scopes["case"]}


WANTED = st.builds(
    lambda need_, hours, seen: Asking(need_, NOON, at(hours=hours), frozenset(seen)),
    NEEDS,
    st.floats(-5, 100),
    st.lists(st.sampled_from(("dr-a", "dr-b", "dr-gone")), max_size=2),
)
BUSY_TRACKS = st.lists(
    st.builds(
        Track,
        read=st.dictionaries(st.sampled_from(("DX", "CT")), st.integers(0, 99)),
        reasons=st.dictionaries(st.sampled_from(("cancer", "pediatric")), st.integers(0, 99)),
        asked=st.integers(5, 9),
        accepted=st.integers(0, 5),
        reviewed=st.dictionaries(st.sampled_from(("1", "3b")), st.integers(0, 9)),
        speed=st.floats(0.1, 50),
        day_rvu=st.floats(0, 500),
        week=st.floats(0, 100),
    ),
    min_size=6,
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WANTED, min_size=1, max_size=4), CROWDS, BUSY_TRACKS, st.integers(0, 2))
def test_a_crowd_scores_as_each_reader_does(
    askings: list[Asking], candidates: list[Candidate], tracks: list[Track], more: int
) -> None:
    known = dict(zip((one.reader.id for one in candidates), tracks, strict=False))
    scoring = Scoring(crowd_of(candidates, NOON), askings[0], known)
    everybody = np.arange(len(candidates))
    loads = scoring.crowd.loads + more
    cases = Cases.of(askings, scoring.columns)
    kinds: dict[object, list[float]] = {}

    for row, one in enumerate(askings):
        kind = scoring.of_kind(one.need)
        own = scoring.of_pairs(cases, np.full(len(candidates), row), everybody, loads)
        found = kind + scoring.slack(everybody, loads) + own
        each = [replace(who, load=who.load + more) for who in candidates]
        asked = [replace(who, track=known[who.reader.id]) for who in each]
        assert found.tolist() == pytest.approx([score(one, who) for who in asked])
        assert kinds.setdefault(alike(one.need), kind.tolist()) == kind.tolist()

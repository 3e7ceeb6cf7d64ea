"""Which case is offered to whom: rounds over worlds small enough to see, and laws over others."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.decide import MATCHING
from services.matching.domain.eligibility import Candidate, Question, barred
from services.matching.domain.fit import TERMS, score
from services.matching.domain.inputs import Input, NobodyFits, OfferCase
from services.matching.domain.need import Need, need_of
from services.matching.domain.plan import Proposal, Round
from services.matching.domain.reader import Reader
from services.matching.domain.recall import Held, recalls
from services.matching.domain.recall import held as held_in
from services.matching.domain.state import Assignment
from services.matching.domain.waiting import Waiting, waiting
from shared.contracts.base import CaseId
from shared.contracts.intake import FirstRead
from shared.testing.spec import given as given_case
from tests.unit.matching.cases import (
    CASE,
    NOON,
    accepted,
    at,
    deidentified,
    last,
    reader,
    requested,
    yes,
)
from tests.unit.matching.cases import offer as case_offer


def need(number: int = 1, **changes: Any) -> Need:
    return need_of(accepted(CaseId(UUID(int=number)), **changes))


def waits(number: int = 1, hours: float = 24, **changes: Any) -> Waiting:
    fields: dict[str, Any] = {
        "need": need(number),
        "due_at": at(hours=hours),
        "room": 1,
        "refused": frozenset(),
        "asked": frozenset(),
        "told": None,
        "offered": False,
    }
    return Waiting(**fields | changes)


def plan(
    cases: list[Waiting], readers: list[Reader], loads: dict[str, int] | None = None, **rest: Any
) -> list[Proposal]:
    return list(Round({one.id: one for one in readers}, loads or {}, NOON, **rest).plan(cases))


def pairs(proposals: list[Proposal]) -> list[tuple[int, str]]:
    return [(one.case_id.int, one.reader.id) for one in proposals if isinstance(one, OfferCase)]


def why(proposals: list[Proposal]) -> dict[str, int]:
    [nobody] = [one for one in proposals if isinstance(one, NobodyFits)]
    return {one.constraint: one.readers for one in nobody.why}


def test_the_earliest_deadline_is_served_first() -> None:
    cases = [waits(1, hours=30), waits(2, hours=3), waits(3, hours=20)]

    assert pairs(plan(cases, [reader(capacity=2)])) == [(2, "dr-osei"), (3, "dr-osei")]


def test_the_best_fit_is_asked() -> None:
    generalist = reader("dr-lund", subspecialties=("chest", "abdominal", "musculoskeletal"))

    assert pairs(plan([waits()], [generalist, reader()])) == [(1, "dr-osei")]


def test_work_is_spread_over_equals() -> None:
    cases = [waits(n) for n in range(1, 5)]

    found = Counter(name for _, name in pairs(plan(cases, [reader("dr-a"), reader("dr-b")])))

    assert found == {"dr-a": 2, "dr-b": 2}


def test_who_is_busy_already_is_asked_later() -> None:
    assert pairs(plan([waits()], [reader("dr-a"), reader("dr-b")], {"dr-b": 2})) == [(1, "dr-a")]


def test_a_reader_who_speaks_the_language_is_preferred() -> None:
    cases = [waits(need=need(language="pt"))]
    speaks = reader("dr-a", languages=("en", "pt"))

    assert pairs(plan(cases, [speaks, reader("dr-b")])) == [(1, "dr-a")]


def test_the_explanation_adds_up() -> None:
    off = reader("dr-off", shifts=())
    wrong = reader("dr-wrong", modalities=("US",))
    author = reader("dr-author", identifiers=("npi:1111",), groups=("valley",))

    [offer] = plan([waits()], [reader(), reader("dr-lund"), off, wrong, author])

    assert isinstance(offer, OfferCase)
    told = offer.explanation
    assert told.eligible == 2
    assert {one.constraint: one.readers for one in told.excluded} == {
        "modality": 1,
        "first_reader": 1,
        "on_shift": 1,
    }
    assert told.score == pytest.approx(sum(one.value * one.weight for one in told.terms), abs=1e-3)
    assert sum(one.weight for one in TERMS) == pytest.approx(1)


def test_nobody_fits_says_which_constraint_excluded_how_many() -> None:
    group = FirstRead(status="present", group="boston")
    cases = [waits(need=need(first_read=group), refused=frozenset({"dr-no"}))]
    readers = [
        reader("dr-no", groups=()),
        reader("dr-colleague"),
        reader("dr-full", groups=(), capacity=1),
        reader("dr-off", groups=(), shifts=()),
        reader("dr-elsewhere", licences=()),
    ]

    assert why(plan(cases, readers, {"dr-full": 1})) == {
        "licence": 1,
        "first_group": 1,
        "asked_before": 1,
        "on_shift": 1,
        "capacity": 1,
    }


def test_an_empty_roster_is_nobody_and_no_reason() -> None:
    [nobody] = plan([waits()], [])

    assert isinstance(nobody, NobodyFits)
    assert (nobody.case_id, nobody.why) == (CaseId(UUID(int=1)), ())


def test_what_was_told_is_told_again_only_when_the_reasons_change() -> None:
    off = [reader(shifts=())]
    told = [waits(told=frozenset({"on_shift"}))]
    other = [waits(told=frozenset({"licence"}))]

    assert plan(told, off) == []
    assert why(plan(other, off)) == {"on_shift": 1}
    assert plan(other, off, thorough=False) == []
    assert why(plan([waits()], off, thorough=False)) == {"on_shift": 1}


def test_several_are_asked_where_there_is_room_for_several() -> None:
    readers = [reader("dr-a"), reader("dr-b"), reader("dr-c")]

    more = waits(room=2, asked=frozenset({"dr-a"}), offered=True)

    assert sorted(pairs(plan([waits(room=2)], readers))) == [(1, "dr-b"), (1, "dr-c")]
    assert sorted(pairs(plan([more], readers))) == [(1, "dr-b"), (1, "dr-c")]
    assert plan([more], [reader("dr-a")]) == []  # somebody thinks about it: no reason to complain


def test_everybody_who_is_asked_is_shown_with_their_score_and_the_best_besides() -> None:
    readers = [reader(f"dr-{n:02}") for n in range(14)]

    for room in (1, 3, 12):
        offers = plan([waits(room=room)], readers)
        asked = {one.reader.id for one in offers if isinstance(one, OfferCase)}
        assert len(asked) == room
        for one in offers:
            assert isinstance(one, OfferCase)
            assert one.considered is not None
            shown = one.considered.written().candidates
            assert asked <= {each.reader for each in shown}
            assert len(shown) == max(10, room)
            assert {each.reader for each in shown if each.given} == asked


def test_after_a_round_its_own_offers_count() -> None:
    readers = {one.id: one for one in (reader("dr-a", capacity=2), reader("dr-b", capacity=1))}
    this = Round(readers, {"dr-a": 1, "dr-gone": 4}, NOON)
    assert this.free == {"dr-a", "dr-b"}

    assert len(list(this.plan([waits(1)]))) == 1
    assert sum(this.loads.values()) == 2
    assert len(list(this.plan([]))) == 0

    [one] = this.free
    assert this.loads.get(one, 0) < readers[one].capacity


def held(who: str = "dr-osei", *, accepted_: bool = False) -> Held:
    return Held(need(), who, accepted_)


@pytest.mark.parametrize(
    ("changes", "offer", "case"),
    [
        ({}, None, None),
        ({"active": False}, "on_roster", "on_roster"),
        ({"licences": ()}, "licence", "licence"),
        ({"shifts": ()}, "on_shift", None),
        ({"modalities": ("US",)}, "modality", "modality"),
        ({"groups": ("valley",)}, "first_group", "first_group"),
        ({"capacity": 0}, None, None),
    ],
    ids=str,
)
def test_a_changed_roster_takes_back_offers_and_what_may_not_be_read(
    changes: dict[str, Any], offer: str | None, case: str | None
) -> None:
    roster = {"dr-osei": reader(**changes)}

    offers = [one.reason for one in recalls([held()], roster, NOON)]
    cases = [one.reason for one in recalls([held(accepted_=True)], roster, NOON)]

    assert offers == ([offer] if offer else [])
    assert cases == ([case] if case else [])


def test_who_is_on_no_roster_holds_nothing() -> None:
    assert [one.reason for one in recalls([held(accepted_=True)], {}, NOON)] == ["on_roster"]


def after(*inputs: Input) -> Assignment:
    """Give where an accepted and clean case stands after these inputs."""
    case = given_case(MATCHING).then(accepted()).then(deidentified())
    for one in inputs:
        case = case.then(one)
    return case.state.assignment


def test_a_case_waits_while_there_is_room_for_another_reader() -> None:
    [opened] = waiting(after(), at(hours=96))
    [unfillable] = waiting(after(NobodyFits(case_id=CASE, why=())), at(hours=96))

    assert (opened.room, opened.told, opened.offered) == (1, None, False)
    assert unfillable.told == frozenset()
    assert waiting(after(case_offer()), at(hours=96)) == ()
    assert waiting(after(requested()), at(hours=96)) == ()


def test_who_holds_a_case_is_known_in_every_state() -> None:
    def holders(*inputs: Input) -> list[tuple[str, bool]]:
        return [(one.reader, one.accepted) for one in held_in(after(*inputs))]

    opened = given_case(MATCHING).then(accepted()).then(deidentified())
    accepting = yes(last(opened.then(case_offer()).state))

    assert holders() == []
    assert holders(case_offer()) == [("dr-osei", False)]
    assert holders(case_offer(), accepting) == [("dr-osei", True)]
    assert holders(case_offer(), accepting, requested()) == [("dr-osei", True)]


FIELDS = ("musculoskeletal", "chest", "pediatric")
SOME_READERS = st.lists(
    st.builds(
        lambda n, fields, modalities, groups, capacity, on: reader(
            f"dr-{n}",
            subspecialties=tuple(fields),
            modalities=tuple(modalities),
            groups=tuple(groups),
            capacity=capacity,
            **({} if on else {"shifts": ()}),
        ),
        st.integers(0, 9),
        st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3, unique=True),
        st.lists(st.sampled_from(("DX", "CT")), min_size=1, max_size=2, unique=True),
        st.lists(st.sampled_from(("valley", "boston")), max_size=1),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)
SOME_CASES = st.lists(
    st.builds(
        lambda n, field, modality, age, hours, refused, room: waits(
            n,
            hours,
            need=need(n, subspecialty=field, modalities=(modality,), age_band=age),
            refused=frozenset(refused),
            room=room,
        ),
        st.integers(1, 99),
        st.sampled_from(FIELDS),
        st.sampled_from(("DX", "CT")),
        st.sampled_from(("6-11", "40-49")),
        st.floats(-5, 96),
        st.lists(st.sampled_from([f"dr-{n}" for n in range(10)]), max_size=2),
        st.integers(1, 3),
    ),
    max_size=12,
    unique_by=lambda one: one.need.case_id,
)
LOADS = st.dictionaries(st.sampled_from([f"dr-{n}" for n in range(10)]), st.integers(0, 3))


@settings(max_examples=100, deadline=None)
@given(SOME_CASES, SOME_READERS, LOADS)
def test_laws_of_a_round(
    cases: list[Waiting], readers: list[Reader], loads: dict[str, int]
) -> None:
    by_id = {one.need.case_id: one for one in cases}

    proposals = plan(cases, readers, dict(loads))

    held_now = Counter(loads)
    for one in proposals:
        case = by_id[one.case_id]
        if isinstance(one, OfferCase):
            question = Question(case.need, case.refused, NOON)
            load = held_now[one.reader.id]
            assert one.load == load
            assert barred(question, Candidate(one.reader, load)) is None
            held_now[one.reader.id] += 1
    offered = Counter(one.case_id for one in proposals if isinstance(one, OfferCase))
    nobody = {one.case_id for one in proposals if isinstance(one, NobodyFits)}
    assert offered.keys() | nobody == by_id.keys()
    assert not offered.keys() & nobody
    assert all(n <= by_id[case].room for case, n in offered.items())
    for case_id in nobody:  # nobody else could have been asked, even after the round
        question = Question(by_id[case_id].need, by_id[case_id].refused, NOON)
        for who in readers:
            assert barred(question, Candidate(who, held_now[who.id])) is not None


@settings(max_examples=50, deadline=None)
@given(SOME_CASES, SOME_READERS, LOADS)
def test_the_same_world_gives_the_same_plan_in_any_order(
    cases: list[Waiting], readers: list[Reader], loads: dict[str, int]
) -> None:
    assert plan(cases, readers, dict(loads)) == plan(cases[::-1], readers[::-1], dict(loads))


@settings(max_examples=50, deadline=None)
@given(SOME_CASES, SOME_READERS, st.integers(0, 5))
def test_a_score_lies_between_nothing_and_one(
    cases: list[Waiting], readers: list[Reader], load: int
) -> None:
    for case in cases:
        for one in readers:
            assert 0 <= score(case.asking(NOON), Candidate(one, load)) <= 1


def test_a_round_over_thousands_of_waiting_cases_ends_soon() -> None:
    cases = [waits(n, hours=n / 60, told=frozenset({"capacity"})) for n in range(1, 4001)]
    readers = [reader(f"dr-{n}", capacity=1) for n in range(150)]
    loads = {f"dr-{n}": 1 for n in range(1, 150)}

    found = plan(cases, readers, loads, thorough=False)

    assert pairs(found) == [(1, "dr-0")]

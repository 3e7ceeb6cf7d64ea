"""Whom else a pushed case is offered to, rung by rung: data says it, and no hard rule gives way."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.contract import DEFAULT, Contract, Contracts, Rung
from services.matching.domain.decide import MATCHING
from services.matching.domain.duty import Period
from services.matching.domain.eligibility import Candidate, Earlier, Question, Work, barred
from services.matching.domain.inputs import Input, NobodyFits, OfferCase
from services.matching.domain.need import Need
from services.matching.domain.plan import Round
from services.matching.domain.reader import Reader
from services.matching.domain.recall import held, recalls
from services.matching.domain.replay import replay
from services.matching.domain.rivals import silent
from services.matching.domain.state import Assigned, Matching, brief_of
from services.matching.domain.waiting import Waiting, waiting
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.matching import AssignmentOffered, PoolBroadened, Widening
from shared.decider import Decider
from shared.testing.spec import Spec
from shared.testing.spec import given as given_case
from tests.unit.matching.cases import (
    CASE,
    NOON,
    accepted,
    at,
    deidentified,
    last,
    offer,
    reader,
    shift,
    yes,
)
from tests.unit.matching.test_plan import need, plan, waits
from tests.unit.matching.test_rules import EARLIER, MOMENTS, NEEDS, READERS, WORK
from tests.unit.matching.test_why import decision

Case = Spec[Matching, Input, Event]
CALL = Period(kind="on_call", begins_at=at(hours=-1), ends_at=at(hours=9))
HOME: dict[str, Any] = {"shifts": (), "calendar": (CALL,)}
RIGHT, CHEST = reader("dr-right"), reader("dr-chest", subspecialties=("chest",))
CALLED, CHEST_CALLED = reader("dr-called", **HOME), reader("dr-both", **CHEST.model_dump(
    include={"subspecialties"}), **HOME)  # fmt: skip
EVERYBODY = [RIGHT, CHEST, CALLED, CHEST_CALLED]
FULL = {"dr-right": 5}


def asked(cases: list[Waiting], readers: list[Reader], loads: dict[str, int]) -> list[Any]:
    found = [one for one in plan(cases, readers, loads) if isinstance(one, OfferCase)]
    return [(one.reader.id, one.broad, one.paged) for one in found]


@pytest.mark.parametrize(
    ("widened", "loads", "who"),
    [
        ({}, {}, [("dr-right", False, False)]),
        ({}, FULL, []),
        ({"broad": True}, {}, [("dr-right", False, False)]),  # as near as may be
        ({"broad": True}, FULL, [("dr-chest", True, False)]),
        ({"paged": True}, {}, [("dr-right", False, False)]),
        ({"paged": True}, FULL, [("dr-called", False, True)]),
        ({"broad": True, "paged": True}, FULL, [("dr-chest", True, False)]),  # nobody in vain
        ({"broad": True, "paged": True}, FULL | {"dr-chest": 5}, [("dr-called", False, True)]),
        (
            {"broad": True, "paged": True},
            FULL | {"dr-chest": 5, "dr-called": 5},
            [("dr-both", True, True)],
        ),
    ],
    ids=str,
)
def test_the_nearest_who_has_room_is_asked(
    widened: dict[str, bool], loads: dict[str, int], who: list[tuple[str, bool, bool]]
) -> None:
    assert asked([waits(**widened)], EVERYBODY, loads) == who


def test_where_more_are_wanted_than_are_near_others_are_asked_beside() -> None:
    both = asked([waits(room=2, paged=True)], EVERYBODY, {})

    assert sorted(both) == [("dr-called", False, True), ("dr-right", False, False)]


def test_cases_alike_of_which_one_was_broadened_are_told_apart() -> None:
    cases = [waits(1), waits(2, broad=True), waits(3, paged=True)]

    found = {one.case_id.int: one for one in plan(cases, [CHEST, CALLED], {})}

    assert isinstance(found[1], NobodyFits)
    assert isinstance(found[2], OfferCase)
    assert isinstance(found[3], OfferCase)
    assert (found[2].reader.id, found[3].reader.id) == ("dr-chest", "dr-called")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"licences": ()}, "licence"),
        ({"modalities": ("US",)}, "modality"),
        ({"groups": ("valley",)}, "first_group"),
        ({"active": False}, "on_roster"),
        ({"conflicts": ("st-elsewhere",)}, "conflict"),
        ({"calendar": ()}, "on_shift"),
    ],
    ids=str,
)
def test_no_rung_lets_anybody_read_who_may_not(changes: dict[str, Any], rule: str) -> None:
    one = CHEST_CALLED.model_copy(update=changes)

    [nobody] = plan([waits(broad=True, paged=True)], [one])

    assert isinstance(nobody, NobodyFits)
    assert [each.constraint for each in nobody.why] == [rule]


def test_a_childs_case_stays_with_paediatric_radiologists() -> None:
    child = waits(need=need(age_band="6-11"), broad=True, paged=True)

    assert asked([child], EVERYBODY, {}) == []


@settings(max_examples=200, deadline=None)
@given(
    st.lists(READERS, max_size=3, unique_by=lambda one: one.id),
    NEEDS,
    MOMENTS,
    EARLIER,
    WORK,
    st.booleans(),
    st.booleans(),
)
def test_every_offer_is_one_that_the_decider_would_make_and_replays(  # noqa: PLR0917
    readers: list[Reader],
    case: Need,
    now: datetime,
    earlier: tuple[Earlier, ...],
    work: Work,
    broad: bool,
    paged: bool,
) -> None:
    known = {
        one.id: one.model_copy(update={"calendar": (CALL,)} if n else {})
        for n, one in enumerate(readers)
    }
    wanted = waits(need=case, earlier=earlier, room=5, broad=broad, paged=paged)
    question = Question(case, frozenset(), now, earlier, broad, paged)

    found = list(Round(known, {}, now, work=dict.fromkeys(known, work)).plan([wanted]))

    able = {name for name, one in known.items() if not barred(question, Candidate(one, 0, work))}
    assert {one.reader.id for one in found if isinstance(one, OfferCase)} == able
    for one in found:
        assert replay(decision(one), known).differs == ()
        if isinstance(one, OfferCase):
            asks = Question(case, frozenset(), now, earlier, one.broad, one.paged)
            assert barred(asks, Candidate(one.reader, 0, work)) is None


def rung(number: int, fraction: float, *widen: Widening) -> Rung:
    rest: dict[str, Any] = {"role": "lead", "channels": ("board",), "stage": "match"}
    given_ = {"widen": widen} if widen else {}
    return Rung.model_validate({"rung": number, "fraction": fraction, **rest, **given_})


def climbing(*rungs: Rung) -> Case:
    terms = DEFAULT["urgent"].model_copy(update={"rungs": rungs})
    contract = Contract(partner="st-elsewhere", levels={"urgent": terms})
    initial = Matching(contracts=Contracts(by_partner={"st-elsewhere": contract}))
    decider = Decider(initial, MATCHING.decide, MATCHING.evolve, MATCHING.deadlines)
    return given_case(decider).then(accepted(service_level="urgent")).then(deidentified())


def climb(case: Case, number: int, when: datetime) -> Case:
    return case.then(DeadlineReached(case_id=CASE, kind=f"rung:{number}", due_at=when), when)


@pytest.mark.parametrize(
    ("widen", "room", "window", "broad", "paged"),
    [
        ((), 2, timedelta(minutes=7.5), False, False),  # as it was before a rung could say
        (("offers",), 2, timedelta(minutes=7.5), False, False),
        (("field",), 1, timedelta(minutes=15), True, False),
        (("on_call",), 1, timedelta(minutes=15), False, True),
        (("offers", "field", "on_call"), 2, timedelta(minutes=7.5), True, True),
    ],
    ids=str,
)
def test_a_rung_widens_what_its_contract_says(
    widen: tuple[Widening, ...], room: int, window: timedelta, *, broad: bool, paged: bool
) -> None:
    case = climb(climbing(rung(1, 0.5, *widen)), 1, at(hours=1))

    [one] = waiting(case.state.assignment, at(hours=12))
    brief = brief_of(case.state.assignment)

    assert brief is not None
    assert (one.room, one.broad, one.paged) == (room, broad, paged)
    assert brief.window() == window
    asks = one.question(NOON)
    assert (asks.broad, asks.paged) == (broad, paged)


def test_the_event_says_what_was_widened_and_each_rung_is_climbed_once() -> None:
    case = climbing(rung(1, 0.5, "on_call"), rung(2, 0.8, "field"))
    tick = DeadlineReached(case_id=CASE, kind="rung:1", due_at=at(hours=1))

    step = case.when(tick, at(hours=1))
    both = climb(climb(case, 1, at(hours=1)), 2, at(minutes=96))

    said = [one for one in step.events if isinstance(one, PoolBroadened)]
    assert [(one.rung, one.widened) for one in said] == [(1, ("on_call",))]
    assert not any(isinstance(o, PoolBroadened) for o in both.when(tick, at(hours=2)).events)
    [one] = waiting(both.state.assignment, at(hours=12))
    assert (one.broad, one.paged) == (True, True)


def test_only_a_rung_that_asks_more_forgives_who_let_an_offer_expire() -> None:
    each: tuple[tuple[Widening, bool], ...] = (("offers", True), ("on_call", False))
    for widen, again in each:
        case = climbing(rung(1, 0.5, widen)).then(offer())
        case = climb(case, 1, at(hours=1))
        [one] = waiting(case.state.assignment, at(hours=12))
        assert ("dr-osei" not in one.refused) == again


def test_an_event_of_before_means_what_it_meant() -> None:
    old = PoolBroadened.model_validate({"case_id": str(CASE), "rung": 1})

    assert old.widened == ("offers",)


def test_who_was_paged_by_a_rung_takes_and_keeps_the_case() -> None:
    case = climb(climbing(rung(1, 0.5, "on_call")), 1, at(hours=1))
    [made] = plan(list(waiting(case.state.assignment, at(hours=12))), [CALLED])

    step = case.when(made, at(hours=1))
    case = case.then(made, at(hours=1))
    case = case.then(yes(last(case.state), CALLED), at(hours=1))

    [told] = [one for one in step.events if isinstance(one, AssignmentOffered)]
    assert (told.reader, told.paged) == ("dr-called", True)
    assert isinstance(case.state.assignment, Assigned)
    kept = list(held(case.state.assignment, at(hours=12), DEFAULT["urgent"]))
    assert list(recalls(kept, {CALLED.id: CALLED}, at(hours=2))) == []


def test_nobody_on_call_outdoes_who_thinks_about_it() -> None:
    case = climb(climbing(rung(1, 0.5, "on_call", "field")), 1, at(hours=1))
    case = case.then(offer(reader("dr-b", shifts=(shift(),))), at(hours=1))

    [one] = silent(case.state.assignment, at(hours=12))

    assert (one.case.broad, one.case.paged) == (False, False)

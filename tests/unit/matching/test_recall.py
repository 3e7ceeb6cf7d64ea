"""Who may hold an accepted case no longer: it became more urgent, or nothing is heard of them."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from services.matching.domain.author import UNKNOWN
from services.matching.domain.contract import DEFAULT, Contract, Terms
from services.matching.domain.decide import MATCHING
from services.matching.domain.duty import Period
from services.matching.domain.eligibility import CONSTRAINTS
from services.matching.domain.inputs import ChangeLevel, Input, ReaderWentOffline
from services.matching.domain.office import OfficeHours
from services.matching.domain.policy import DIRECTED
from services.matching.domain.reader import Reader
from services.matching.domain.recall import Held, desks, held, recalls
from services.matching.domain.state import Assigned, Matching, Offered, Running
from shared.contracts.base import Event, ServiceLevel
from shared.contracts.matching import AssignmentRevoked
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    accepted,
    asked,
    at,
    deidentified,
    hurried,
    last,
    offer,
    reader,
    reading,
    shift,
    yes,
)
from tests.unit.matching.test_beside import SOFTWARE, beside, opened
from tests.unit.matching.test_plan import need

Case = Spec[Matching, Input, Event]
DAY = shift("07:00", "17:00")  # in Boston, NOON is 07:00
CALL = Period(kind="on_call", begins_at=at(hours=-1), ends_at=at(hours=9))


def taken(who: Reader | None = None, **changes: Any) -> Case:
    case = given(MATCHING).then(accepted(**changes)).then(deidentified())
    case = case.then(offer(who, paged=who is not None and not who.shifts))
    return case.then(yes(last(case.state), who))


def holdings(case: Case) -> list[Held]:
    clock = case.state.clock
    assert isinstance(clock, Running)
    return list(held(case.state.assignment, clock.due_at, clock.terms))


def holds(level: ServiceLevel, owed: datetime, *, begun: bool = False) -> Held:
    """Give another case that dr-osei has."""
    other = need(service_level=level)
    return Held(other, "dr-osei", accepted=True, begun=begun, owed_at=owed)


def lost(
    case: Case,
    now: datetime,
    *besides: Held,
    who: Reader | None = None,
    away: timedelta | None = None,
    alive: bool = False,
) -> list[ReaderWentOffline]:
    mine, one = holdings(case), who or reader()
    known = frozenset({one.id} if alive else ())
    others = desks([*mine, *besides], DIRECTED, known, lambda _: UNKNOWN)
    gone = {} if away is None else {one.id: away}
    return list(recalls(mine, {one.id: one}, now, gone, others))


@pytest.mark.parametrize(
    ("besides", "now", "who", "away", "goes"),
    [
        ((), at(minutes=6), reader(), None, False),  # they begin it next
        ((), at(minutes=6), reader(), timedelta(seconds=5), True),
        ((), at(hours=11), reader(shifts=(DAY,)), None, True),
        ((holds("routine", at(hours=90), begun=True),), at(minutes=6), reader(), None, True),
        ((holds("routine", at(hours=90)),), at(minutes=6), reader(), None, False),
        ((holds("emergent", at(minutes=50)),), at(minutes=6), reader(), None, False),  # both fit
        ((holds("emergent", at(minutes=50)),), at(minutes=40), reader(), None, True),
    ],
    ids=["next", "away", "off-shift", "at-another", "before-others", "two-fit", "two-do-not"],
)
def test_what_becomes_more_urgent_stays_with_whom_can_still_make_it(
    besides: tuple[Held, ...], now: datetime, who: Reader, away: timedelta | None, goes: bool
) -> None:
    case = taken(who).then(hurried("emergent"), at(minutes=5))

    found = [one.reason for one in lost(case, now, *besides, who=who, away=away)]

    assert found == (["service_level_changed"] if goes else [])


def test_a_longer_level_leaves_time_for_what_comes_before() -> None:
    case = taken().then(hurried("expedited"), at(hours=1))

    assert lost(case, at(hours=2), holds("routine", at(hours=90), begun=True)) == []


@pytest.mark.parametrize("level", ["routine", "tumour_board"])
def test_a_case_that_became_no_more_urgent_goes_nowhere(level: ServiceLevel) -> None:
    case = taken(service_level="urgent")
    slower = case.then(ChangeLevel(case_id=CASE, by="op", service_level=level), at(minutes=5))
    busy = holds("emergent", at(minutes=50), begun=True)

    assert lost(case, at(minutes=6), busy) == lost(slower, at(minutes=6), busy) == []


def test_who_was_paged_keeps_what_became_more_urgent_while_they_are_on_call() -> None:
    called = reader(shifts=(), calendar=(CALL,))
    case = taken(called, service_level="urgent").then(hurried("emergent"), at(minutes=5))

    assert lost(case, at(minutes=6), who=called) == []
    assert lost(case, at(hours=10), who=called) != []


def test_the_loser_hears_why_and_may_be_asked_again() -> None:
    case = taken().then(hurried("emergent"), at(minutes=5))
    [back] = lost(case, at(minutes=6), away=timedelta(seconds=5))

    step = case.when(back, at(minutes=6))
    gone = case.then(back, at(minutes=6))
    late = gone.when(yes(asked(case.state)[0].assignment), at(minutes=7)).refused

    [revoked] = [one for one in step.events if isinstance(one, AssignmentRevoked)]
    assert (revoked.reader, revoked.reason) == ("dr-osei", "service_level_changed")
    assert late is not None
    assert (late.code, "more urgent" in late.detail) == ("assignment_revoked", True)
    assert isinstance(gone.then(offer(), at(minutes=8)).state.assignment, Offered)


def test_a_case_being_read_stays_though_the_word_comes_late() -> None:
    case = taken().then(hurried("emergent"), at(minutes=5))
    [back] = lost(case, at(minutes=6), away=timedelta(seconds=5))
    begun = case.then(reading(last(case.state)), at(minutes=6))

    assert lost(begun, at(minutes=7), away=timedelta(seconds=5)) == []
    assert begun.when(back, at(minutes=7)).events == ()
    assert isinstance(begun.state.assignment, Assigned)


@pytest.mark.parametrize("level", list(DEFAULT))
def test_every_level_takes_a_begun_case_back_from_who_falls_silent(level: ServiceLevel) -> None:
    terms = DEFAULT[level]
    case = taken(service_level=level)
    case = case.then(reading(last(case.state)), at(minutes=1))
    just, more = terms.silence, terms.silence + timedelta(seconds=1)

    assert timedelta(0) < terms.silence < terms.budgets.read
    assert lost(case, at(minutes=2), away=just) == []
    assert [one.reason for one in lost(case, at(minutes=2), away=more)] == ["silent"]


def test_a_slower_level_lets_its_reader_be_silent_for_longer() -> None:
    order: tuple[ServiceLevel, ...] = ("emergent", "urgent", "expedited", "tumour_board", "routine")
    leases = [DEFAULT[level].silence for level in order]

    assert leases == sorted(set(leases))


def test_a_contract_that_names_no_lease_has_a_part_of_its_read_budget() -> None:
    terms = Terms.model_validate(DEFAULT["routine"].model_dump() | {"lease": None})

    assert terms.silence == terms.budgets.read * 0.4


def test_in_business_time_a_night_is_no_silence() -> None:
    office = OfficeHours(time_zone="America/New_York", opens=time(8), closes=time(18))
    told = DEFAULT["routine"].model_dump() | {"time": "business", "lease": timedelta(hours=4)}
    terms = Contract(
        partner="p", office=office, levels={"routine": Terms.model_validate(told)}
    ).terms("routine")
    one = Held(need(), "dr-osei", accepted=True, lease=terms.silence, terms=terms)

    assert not one.over(timedelta(hours=16), at(hours=27))  # since 18 o'clock in Boston, it is 10
    assert one.over(timedelta(hours=21), at(hours=32))


@pytest.mark.parametrize(
    ("now", "alive", "reason"),
    [
        (at(hours=11), False, None),  # the shift has just ended
        (at(hours=10 + 55), False, None),  # on shift again
        (at(hours=4 * 24 + 10 + 50), False, None),  # not all that a reading may take
        (at(hours=4 * 24 + 10 + 57), False, "silent"),
        (at(hours=4 * 24 + 10 + 57), True, None),
    ],
)
def test_a_begun_case_whose_reader_has_no_app_and_does_not_come_back_goes_on(
    now: datetime, alive: bool, reason: str | None
) -> None:
    who = reader(shifts=(shift("07:00", "17:00", "mon", "tue", "wed", "thu", "fri"),))
    case = taken(who)
    case = case.then(reading(last(case.state)), at(minutes=1))

    found = [one.reason for one in lost(case, now, who=who, alive=alive)]

    assert found == ([reason] if reason else [])


@pytest.mark.parametrize(("silent", "goes"), [(23, False), (25, True)])
def test_software_that_falls_silent_loses_the_case_and_nobody_else_does(
    silent: int, goes: bool
) -> None:
    case = opened().then(beside()).then(offer())
    case = case.then(yes(asked(case.state)[0].assignment))
    roster = {one.id: one for one in (reader(), SOFTWARE)}

    found = list(recalls(holdings(case), roster, at(), {"ai-bone": timedelta(hours=silent)}))

    assert [(one.reader, one.reason) for one in found] == ([("ai-bone", "silent")] if goes else [])
    for one in found:
        step = case.when(one, at())
        assert AssignmentRevoked in [type(each) for each in step.events]
        assert isinstance(step.state.assignment, Assigned)


def test_no_rule_is_called_like_a_reason_of_ours() -> None:
    assert {one.name for one in CONSTRAINTS}.isdisjoint({"service_level_changed", "silent"})

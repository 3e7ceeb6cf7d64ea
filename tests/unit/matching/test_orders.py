"""What an operator orders: waiting, going on, another level, another reader. And the forecast."""

from datetime import datetime

import pytest

from services.matching.domain.decide import MATCHING
from services.matching.domain.events import AssignmentPaused, PauseAdded
from services.matching.domain.inputs import (
    ChangeLevel,
    ForecastMade,
    Input,
    PauseCase,
    ResumeCase,
    TakeBack,
)
from services.matching.domain.recall import Held, recalls
from services.matching.domain.state import Assigned, Matching, Standstill
from shared.contracts.base import Event
from shared.contracts.matching import (
    AssignmentOffered,
    AssignmentRevoked,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    OfferWithdrawn,
    SlaAtRisk,
)
from shared.decider import Step
from shared.testing.spec import Spec, given
from tests.unit.matching.cases import (
    CASE,
    accepted,
    at,
    deidentified,
    delivered,
    finalized,
    hurried,
    last,
    offer,
    provided,
    reader,
    requested,
    shift,
    yes,
)
from tests.unit.matching.test_plan import need

Case = Spec[Matching, Input, Event]
HOLD = PauseCase(case_id=CASE, by="op", reason="legal_hold", party="operator")
GO = ResumeCase(case_id=CASE, by="op", reason="legal_hold")


@pytest.fixture
def offered() -> Case:
    return given(MATCHING).then(accepted()).then(deidentified()).then(offer())


@pytest.fixture
def assigned(offered: Case) -> Case:
    return offered.then(yes(last(offered.state)))


def of(step: Step[Matching, Event], *kinds: type[Event]) -> list[str]:
    return [type(one).__name__ for one in step.events if isinstance(one, kinds)]


def test_an_operator_lets_a_case_wait_and_go_on(offered: Case) -> None:
    held = offered.when(HOLD, at(hours=1))
    case = offered.then(HOLD, at(hours=1))
    gone = case.when(GO, at(hours=3))

    assert of(held, OfferWithdrawn, AssignmentPaused, ClockPaused) == [
        "OfferWithdrawn",
        "AssignmentPaused",
        "ClockPaused",
    ]
    assert case.when(offer(reader("dr-lund")), at(hours=2)).refused is not None
    again = case.when(HOLD.model_copy(update={"party": "reader"}), at(hours=2))
    assert again.refused is not None
    assert again.refused.code == "no_change"
    [resumed] = [one for one in gone.events if isinstance(one, ClockResumed)]
    assert resumed.due_at == at(hours=98)
    assert gone.state.assignment.kind == "open"


def test_a_case_waits_until_the_last_reason_is_gone(assigned: Case) -> None:
    twice = assigned.then(requested(), at(hours=1)).then(HOLD, at(hours=2))
    other = assigned.then(HOLD, at(hours=1)).then(requested(), at(hours=2))

    sent = twice.when(provided(), at(hours=3))
    freed = other.when(GO, at(hours=3))
    after = twice.then(provided(), at(hours=3)).when(GO, at(hours=5))

    assert of(assigned.then(requested(), at(hours=1)).when(HOLD, at(hours=2)), PauseAdded)
    assert of(sent, ClockResumed) == of(freed, ClockResumed) == []
    assert isinstance(sent.state.clock, Standstill)
    assert (sent.state.clock.reason, sent.state.clock.party) == ("legal_hold", "operator")
    assert isinstance(freed.state.clock, Standstill)
    assert freed.state.clock.party == "partner"
    [resumed] = [one for one in after.events if isinstance(one, ClockResumed)]
    assert resumed.due_at == at(hours=100)
    assert isinstance(after.state.assignment, Assigned)


def test_what_does_not_wait_can_not_go_on(assigned: Case) -> None:
    unknown = given(MATCHING).when(HOLD)
    closed = assigned.then(finalized(at(hours=1)), at(hours=1)).when(HOLD, at(hours=2))
    other = assigned.then(requested()).when(GO)

    assert [one.refused.code for one in (unknown, closed) if one.refused] == [
        "not_found",
        "case_closed",
    ]
    assert assigned.when(GO).refused is not None
    assert other.refused is not None
    assert other.refused.code == "not_paused"


@pytest.mark.parametrize(
    "change", [hurried("emergent"), ChangeLevel(case_id=CASE, by="op", service_level="emergent")]
)
def test_a_faster_level_asks_anew_those_who_think_too_long(offered: Case, change: Input) -> None:
    step = offered.when(change, at(minutes=5))

    [started] = [one for one in step.events if isinstance(one, ClockStarted)]
    assert started.due_at == at(hours=1)
    [withdrawn] = [one for one in step.events if isinstance(one, OfferWithdrawn)]
    assert withdrawn.reason == "service_level_changed"
    again = offered.then(change, at(minutes=5)).when(offer(), at(minutes=5))
    [asked] = [one for one in again.events if isinstance(one, AssignmentOffered)]
    assert asked.expires_at <= at(minutes=8)


def test_an_order_that_changes_nothing_is_refused_and_not_recorded(offered: Case) -> None:
    same = ChangeLevel(case_id=CASE, by="op", service_level="emergent")
    signed = offered.then(yes(last(offered.state))).then(finalized(at(hours=1)), at(hours=1))
    closed = signed.then(delivered(at(hours=2)), at(hours=2))

    twice = offered.then(same).when(same)
    over = closed.when(same, at(hours=3))

    assert (twice.events, over.events) == ((), ())
    assert [one.refused.code for one in (twice, over) if one.refused] == [
        "no_change",
        "case_closed",
    ]


def test_a_slower_level_withdraws_nothing(offered: Case) -> None:
    fast = offered.then(hurried("urgent"), at(minutes=1)).then(offer(), at(minutes=2))

    assert of(fast.when(hurried("routine"), at(minutes=3)), OfferWithdrawn) == []


def take(to: object = None, load: int = 0) -> TakeBack:
    return TakeBack.model_validate(
        {"case_id": CASE, "by": "op", "reason": "reassigned", "to": to, "load": load}
    )


def test_a_case_is_given_to_another_reader_by_hand(assigned: Case, offered: Case) -> None:
    for case in (assigned, offered):
        step = case.when(take(reader("dr-lund")), at(hours=1))

        [asked] = [one for one in step.events if isinstance(one, AssignmentOffered)]
        assert asked.reader == "dr-lund"
        assert asked.explanation.policy == "by_hand"
        assert of(step, AssignmentRevoked, OfferWithdrawn)
        taken = case.then(take(reader("dr-lund")), at(hours=1))
        assert isinstance(
            taken.then(yes(last(taken.state), reader("dr-lund"))).state.assignment, Assigned
        )


def test_whom_it_was_taken_from_is_not_asked_again(assigned: Case, offered: Case) -> None:
    for case in (assigned, offered):
        after = case.then(take(), at(hours=1))

        assert after.state.assignment.kind == "open"
        assert after.when(offer(), at(hours=1)).refused is not None


def test_no_hand_gives_a_case_to_who_may_not_read_it(assigned: Case) -> None:
    for who in (reader("dr-x", licences=()), reader("dr-x", groups=("valley",))):
        step = assigned.when(take(who), at(hours=1))

        assert step.refused is not None
        assert (step.refused.code, step.refused.field) == ("not_eligible", "/reader")
        assert step.state == assigned.state
    assert assigned.when(take(reader("dr-x"), load=5)).refused is not None


def test_where_nobody_holds_a_case_there_is_nothing_to_take_back() -> None:
    opened = given(MATCHING).then(accepted()).then(deidentified())
    closed = opened.then(finalized(at(hours=1)), at(hours=1))

    assert [case.when(take()).refused is None for case in (opened, closed)] == [False, False]
    assert of(opened.when(take(reader())), AssignmentOffered) == ["AssignmentOffered"]
    paused = opened.then(requested()).when(take(reader()))
    assert paused.refused is not None


def test_a_forecast_says_at_risk_before_the_budgets_would(assigned: Case) -> None:
    def foretold(expected: datetime) -> ForecastMade:
        return ForecastMade(case_id=CASE, expected_at=expected)

    good = assigned.when(foretold(at(hours=96)), at(hours=2))
    bad = assigned.when(foretold(at(hours=97)), at(hours=2))
    again = assigned.then(foretold(at(hours=97)), at(hours=2)).when(
        foretold(at(hours=98)), at(hours=3)
    )

    assert (good.events, again.events) == ((), ())
    [risk] = [one for one in bad.events if isinstance(one, SlaAtRisk)]
    assert (risk.stage, risk.forecast_at) == ("read", at(hours=97))


DAY = shift("07:00", "17:00")  # in Boston, NOON is 07:00


@pytest.mark.parametrize(
    ("owed", "now", "reason"),
    [
        (at(hours=14), at(hours=9), None),
        (at(hours=14), at(hours=11), "off_shift"),
        (at(hours=25), at(hours=11), None),  # back in time
        (None, at(hours=11), None),  # begun
    ],
)
def test_what_was_not_begun_goes_on_when_its_reader_is_not_back_in_time(
    owed: datetime | None, now: datetime, reason: str | None
) -> None:
    held = Held(need(), "dr-osei", accepted=True, unopened_until=owed)

    found = [one.reason for one in recalls([held], {"dr-osei": reader(shifts=(DAY,))}, now)]

    assert found == ([reason] if reason else [])

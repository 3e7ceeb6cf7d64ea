"""Which laws hold whatever comes, in whatever order, however often?"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings, strategies

from services.notify.domain import events as own
from services.notify.domain.decide import NOTIFY
from services.notify.domain.inputs import Acknowledge, Input, RetryDelivery
from services.notify.domain.state import STATE
from shared.contracts.base import DeadlineReached, Event
from shared.contracts.notify import (
    Delivered,
    DeliveryAbandoned,
    DeliveryFailed,
    DeliveryPlanned,
    ResultAcknowledged,
)
from shared.testing.spec import NOON
from tests.unit.notify.cases import (
    ACCEPTED,
    ADDENDED,
    ADDENDUM_SHA,
    CASE,
    FINAL_SHA,
    FINALIZED,
    PARTNER,
    SUBMITTED,
    attempt,
    routes,
)

OUTCOMES = ("delivered", "failed", "impossible")
INPUTS: Sequence[Input] = (
    SUBMITTED,
    ACCEPTED,
    FINALIZED,
    ADDENDED,
    *(routes("webhook", "mail", sha256=sha) for sha in (FINAL_SHA, ADDENDUM_SHA)),
    *(
        attempt(number, outcome, channel=channel, sha256=sha)
        for number in (1, 2, 3)
        for outcome in OUTCOMES
        for channel in ("webhook", "mail")
        for sha in (FINAL_SHA, ADDENDUM_SHA)
    ),
    RetryDelivery(case_id=CASE, delivery=attempt(1).delivery, by="operator-1"),
    RetryDelivery(case_id=CASE, delivery="msg_unheard-of", by="operator-1"),
    Acknowledge(case_id=CASE, partner=PARTNER, by="dr-house"),
)


def run(inputs: Sequence[Input | None]) -> list[Event]:
    """Feed the inputs, one an hour; None lets the case's next deadline be reached."""
    state, events = NOTIFY.initial, list[Event]()
    for hour, given_input in enumerate(inputs):
        received = given_input
        if received is None:
            due = sorted(NOTIFY.deadlines(state), key=lambda one: one.due_at)[:1]
            if not due:
                continue
            received = DeadlineReached(case_id=CASE, kind=due[0].kind, due_at=due[0].due_at)
        step = NOTIFY.step(state, received, NOON + timedelta(hours=hour))
        again = NOTIFY.step(step.state, received, NOON + timedelta(hours=hour))
        effects = [e for e in again.events if not isinstance(e, own.Noted)]
        assert not effects, "twice is once"
        assert STATE.validate_json(STATE.dump_json(step.state)) == step.state
        state = step.state
        events += step.events
    return events


any_inputs = strategies.lists(strategies.sampled_from(INPUTS) | strategies.none(), max_size=40)


@given(any_inputs)
@settings(max_examples=300)
def test_a_report_is_delivered_once_per_channel_and_under_one_id(inputs: list[Input]) -> None:
    events = run([ACCEPTED, FINALIZED, routes("webhook", "mail"), *inputs])

    planned = Counter(
        (e.report_sha256, e.channel) for e in events if isinstance(e, DeliveryPlanned)
    )
    assert set(planned.values()) == {1}
    delivered = Counter(e.delivery for e in events if isinstance(e, Delivered))
    assert set(delivered.values()) <= {1}
    ended: set[str] = set()
    for one in events:
        if isinstance(one, Delivered):
            ended.add(one.delivery)
        if isinstance(one, own.AttemptDue | DeliveryFailed | DeliveryAbandoned):
            assert one.delivery not in ended, "nothing happens to it after it arrived"


@given(any_inputs)
@settings(max_examples=300)
def test_attempts_only_grow_and_an_addendum_never_overtakes(inputs: list[Input]) -> None:
    events = run([ACCEPTED, FINALIZED, routes("webhook", "mail"), *inputs])

    made: dict[str, int] = {}
    for one in events:
        if isinstance(one, DeliveryFailed):
            assert one.attempt == made.get(one.delivery, 0) + 1
            made[one.delivery] = one.attempt
        elif isinstance(one, Delivered | DeliveryAbandoned):
            assert one.attempts == made.get(one.delivery, 0) + 1
            made[one.delivery] = one.attempts
    first, later = attempt(1), attempt(1, sha256=ADDENDUM_SHA)
    order = [e.delivery for e in events if isinstance(e, own.AttemptDue)]
    if later.delivery in order:
        over = [
            n
            for n, e in enumerate(events)
            if isinstance(e, Delivered | DeliveryAbandoned) and e.delivery == first.delivery
        ]
        began = [
            n
            for n, e in enumerate(events)
            if isinstance(e, own.AttemptDue) and e.delivery == later.delivery
        ]
        assert over[0] < began[0]


@given(any_inputs)
@settings(max_examples=200)
def test_each_report_is_acknowledged_at_most_once(inputs: list[Input]) -> None:
    events = run(inputs)

    reports = sum(isinstance(e, own.ReportKept) for e in events)
    assert sum(isinstance(e, ResultAcknowledged) for e in events) <= reports

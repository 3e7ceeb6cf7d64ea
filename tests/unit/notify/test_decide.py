"""Does notify tell whoever must know, once, whatever order the events come in?"""

from datetime import timedelta
from itertools import permutations

import pytest

from services.notify.domain import events as own
from services.notify.domain.decide import NOTIFY
from services.notify.domain.inputs import Acknowledge, Input, RetryDelivery
from services.notify.domain.retries import IDENTITY_PATIENCE, SCHEDULE
from services.notify.domain.state import State, dossier_of
from shared.contracts.base import DeadlineReached, Event, SealedRef
from shared.contracts.deid import CaseDeidentified, CleanStudy
from shared.contracts.matching import AssignmentOffered, Explanation
from shared.contracts.notify import (
    Delivered,
    DeliveryAbandoned,
    DeliveryFailed,
    DeliveryPlanned,
    ResultAcknowledged,
)
from shared.contracts.topics import PUBLISHED
from shared.decider import Deadline, Refused
from shared.testing.spec import NOON, Spec, given
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
    reference,
    routes,
)

OFFERED = AssignmentOffered(
    case_id=CASE,
    assignment="a-1",
    reader="dr-osei",
    role="second_reader",
    expires_at=NOON,
    explanation=Explanation(score=1.0, terms=(), eligible=1, excluded=(), policy="v1"),
)
DEIDENTIFIED = CaseDeidentified(
    case_id=CASE, partner=PARTNER, pseudonym="p-1", studies=(), documents=(), instances_cleaned=3
)


def after(*inputs: Input) -> Spec[State, Input, Event]:
    spec = given(NOTIFY)
    for one in inputs:
        spec = spec.then(one)
    return spec


READY = (ACCEPTED, FINALIZED, routes("webhook", "mail"))


def kind(spec: Spec[State, Input, Event]) -> str:
    return str(spec.state.kind)


def decided(spec: Spec[State, Input, Event], received: Input) -> list[Event]:
    return [one for one in spec.when(received).events if not isinstance(one, own.Noted)]


@pytest.mark.parametrize("order", list(permutations((SUBMITTED, ACCEPTED, FINALIZED))))
def test_the_routes_are_asked_for_once_in_every_order(order: tuple[Input, ...]) -> None:
    asked: list[own.RoutesWanted] = []
    spec = after()
    for one in order:
        asked += [e for e in decided(spec, one) if isinstance(e, own.RoutesWanted)]
        spec = spec.then(one)

    assert [e.report_sha256 for e in asked] == [FINAL_SHA]
    dossier = dossier_of(spec.state)
    assert dossier is not None
    assert dossier.request is not None
    assert dossier.request.sealed_identity == "sealed-at-acceptance"


def test_a_route_wanted_is_a_job() -> None:
    [wanted] = [e for e in decided(after(ACCEPTED), FINALIZED) if isinstance(e, own.RoutesWanted)]

    [job] = NOTIFY.jobs(wanted)

    assert job.kind == "route"
    assert job.payload == {"report_sha256": FINAL_SHA}


def test_each_route_is_planned_and_begun() -> None:
    events = decided(after(ACCEPTED, FINALIZED), routes("webhook", "mail"))

    planned = [e for e in events if isinstance(e, DeliveryPlanned)]
    due = [e for e in events if isinstance(e, own.AttemptDue)]
    assert [(e.channel, e.audience) for e in planned] == [
        ("webhook", "partner_system"),
        ("mail", "clinician"),
    ]
    assert [e.delivery for e in due] == [e.delivery for e in planned]
    assert [NOTIFY.jobs(e)[0].payload["attempt"] for e in due] == [1, 1]


def test_routes_chosen_twice_plan_nothing_new() -> None:
    assert decided(after(*READY), routes("webhook", "mail")) == []


def test_a_delivery_is_told_with_its_attempts() -> None:
    spec = after(*READY, attempt(1))

    assert decided(spec, attempt(1)) == []
    [delivered] = decided(after(*READY), attempt(1))
    assert isinstance(delivered, Delivered)
    assert (delivered.channel, delivered.attempts, delivered.at) == ("webhook", 1, NOON)


def test_a_failure_is_tried_again_when_its_time_has_come() -> None:
    [failed] = decided(after(*READY), attempt(1, "failed"))
    assert isinstance(failed, DeliveryFailed)
    assert SCHEDULE[1] <= failed.retry_at - NOON <= SCHEDULE[1] * 1.1
    spec = after(*READY, attempt(1, "failed"))
    reached = DeadlineReached(case_id=CASE, kind=f"retry:{failed.delivery}", due_at=failed.retry_at)
    assert Deadline(reached.kind, failed.retry_at) in NOTIFY.deadlines(spec.state)

    [due] = decided(spec, reached)

    assert isinstance(due, own.AttemptDue)
    assert due.attempt == 2
    assert decided(spec.then(reached), reached) == []


def test_a_deadline_that_was_moved_does_nothing() -> None:
    [failed] = decided(after(*READY), attempt(1, "failed"))
    assert isinstance(failed, DeliveryFailed)
    stale = DeadlineReached(case_id=CASE, kind=f"retry:{failed.delivery}", due_at=NOON)

    assert decided(after(*READY, attempt(1, "failed")), stale) == []


def test_a_retry_after_is_honoured_up_to_a_day() -> None:
    for wish, wait in ((timedelta(hours=1), timedelta(hours=1)), (timedelta(days=9), SCHEDULE[-1])):
        [failed] = decided(after(*READY), attempt(1, "failed", retry_after=wish))
        assert isinstance(failed, DeliveryFailed)
        assert failed.retry_at - NOON == wait


def test_what_is_impossible_is_abandoned_at_once() -> None:
    spec = after(*READY, attempt(1, channel="mail"))

    [abandoned] = decided(spec, attempt(1, "impossible"))

    assert isinstance(abandoned, DeliveryAbandoned)
    assert kind(spec.then(attempt(1, "impossible"))) == "undeliverable"


def _failing_to_the_end() -> Spec[State, Input, Event]:
    spec = after(*READY, attempt(1, channel="mail"))
    for number in range(1, len(SCHEDULE) + 1):
        [event] = decided(spec, attempt(number, "failed"))
        spec = spec.then(attempt(number, "failed"))
        if isinstance(event, DeliveryFailed):
            due = DeadlineReached(
                case_id=CASE, kind=f"retry:{event.delivery}", due_at=event.retry_at
            )
            spec = spec.then(due, event.retry_at)
        else:
            assert isinstance(event, DeliveryAbandoned)
            assert event.attempts == len(SCHEDULE)
    return spec


def test_after_the_whole_schedule_a_person_has_to_act_and_can() -> None:
    spec = _failing_to_the_end()
    assert kind(spec) == "undeliverable"
    assert NOTIFY.deadlines(spec.state) == ()
    retry = RetryDelivery(case_id=CASE, delivery=attempt(1).delivery, by="operator-1")

    reopened, due = decided(spec, retry)

    assert isinstance(reopened, own.DeliveryReopened)
    assert isinstance(due, own.AttemptDue)
    assert due.attempt == len(SCHEDULE) + 1
    [failed] = decided(spec.then(retry), attempt(due.attempt, "failed"))
    assert isinstance(failed, DeliveryFailed)  # the schedule begins anew
    [delivered] = decided(spec.then(retry), attempt(due.attempt))
    assert isinstance(delivered, Delivered)
    assert delivered.delivery == attempt(1).delivery  # under the same webhook-id


def test_a_delivered_one_is_never_delivered_again() -> None:
    retry = RetryDelivery(case_id=CASE, delivery=attempt(1).delivery, by="operator-1")

    refused = after(*READY, attempt(1)).when(retry).refused

    assert isinstance(refused, Refused)
    assert refused.code == "already_delivered"


def test_a_retry_while_an_attempt_runs_changes_nothing() -> None:
    retry = RetryDelivery(case_id=CASE, delivery=attempt(1).delivery, by="operator-1")

    step = after(*READY).when(retry)

    assert (step.events, step.refused) == ((), None)


def test_an_addendum_waits_for_the_report_on_the_same_channel() -> None:
    spec = after(ACCEPTED, FINALIZED, routes("webhook"), attempt(1, "failed"), ADDENDED)
    [planned] = decided(spec, routes("webhook", sha256=ADDENDUM_SHA))
    assert isinstance(planned, DeliveryPlanned)
    spec = after(ACCEPTED, FINALIZED, routes("webhook"), ADDENDED)
    spec = spec.then(routes("webhook", sha256=ADDENDUM_SHA))

    delivered, due = decided(spec, attempt(1))

    assert isinstance(delivered, Delivered)
    assert isinstance(due, own.AttemptDue)
    assert due.delivery == attempt(1, sha256=ADDENDUM_SHA).delivery


def test_an_abandoned_report_does_not_hold_its_addendum() -> None:
    spec = after(ACCEPTED, FINALIZED, routes("webhook"), ADDENDED)
    spec = spec.then(routes("webhook", sha256=ADDENDUM_SHA))

    _, due = decided(spec, attempt(1, "impossible"))

    assert isinstance(due, own.AttemptDue)


def test_an_addendum_wants_an_acknowledgement_of_its_own() -> None:
    seen = Acknowledge(case_id=CASE, partner=PARTNER, by="dr-house")
    spec = after(ACCEPTED, FINALIZED, routes("webhook"), attempt(1), seen)
    assert kind(spec) == "delivered"

    spec = spec.then(ADDENDED).then(routes("webhook", sha256=ADDENDUM_SHA))
    assert kind(spec) == "delivering"
    spec = spec.then(attempt(1, sha256=ADDENDUM_SHA))

    assert kind(spec) == "awaiting_acknowledgement"
    assert kind(spec.then(seen)) == "delivered"


def test_a_report_without_an_identity_becomes_visible_and_goes_out_when_it_comes() -> None:
    spec = after(FINALIZED)
    assert kind(spec) == "preparing"
    [deadline] = NOTIFY.deadlines(spec.state)
    assert deadline == Deadline("identity", NOON + IDENTITY_PATIENCE)
    reached = DeadlineReached(case_id=CASE, kind="identity", due_at=deadline.due_at)

    [overdue] = decided(spec, reached)

    assert isinstance(overdue, own.IdentityOverdue)
    late = spec.then(reached)
    assert NOTIFY.deadlines(late.state) == ()
    assert any(isinstance(e, own.RoutesWanted) for e in decided(late, SUBMITTED))
    found = dossier_of(late.then(SUBMITTED).state)
    assert found is not None
    assert not found.identity_overdue


@pytest.mark.parametrize(
    ("before", "partner", "code"),
    [
        ((), PARTNER, "not_found"),
        ((ACCEPTED,), PARTNER, "no_result_yet"),
        ((ACCEPTED, FINALIZED), "another-hospital", "not_found"),
    ],
)
def test_who_may_not_acknowledge_is_refused(
    before: tuple[Input, ...], partner: str, code: str
) -> None:
    step = after(*before).when(Acknowledge(case_id=CASE, partner=partner, by="somebody"))

    assert step.refused is not None
    assert step.refused.code == code
    assert step.events == ()


def test_an_acknowledgement_is_recorded_once_even_while_mail_is_on_its_way() -> None:
    seen = Acknowledge(case_id=CASE, partner=PARTNER, by="dr-house")
    spec = after(*READY, attempt(1))

    [acknowledged] = decided(spec, seen)

    assert isinstance(acknowledged, ResultAcknowledged)
    assert (acknowledged.by, acknowledged.at) == ("dr-house", NOON)
    assert decided(spec.then(seen), seen) == []
    assert kind(spec.then(seen)) == "delivering"
    assert kind(spec.then(seen).then(attempt(1, channel="mail"))) == "delivered"


def test_the_timeline_has_every_event_once_its_partner_is_known() -> None:
    [early] = after().when(OFFERED).events
    assert isinstance(early, own.Noted)
    assert early.partner is None

    events = after(OFFERED).when(DEIDENTIFIED).events

    noted = [e for e in events if isinstance(e, own.Noted)]
    assert [e.what for e in noted] == [OFFERED.ce_type(), DEIDENTIFIED.ce_type()]
    assert {e.partner for e in noted} == {PARTNER}
    assert noted[1].facts == {"instances_cleaned": 3, "instances_rejected": 0, "supplement": 0}


def test_the_timeline_never_shows_a_seal_or_an_address() -> None:
    for one in (SUBMITTED, ACCEPTED, FINALIZED):
        for noted in after().when(one).events:
            if isinstance(noted, own.Noted):
                assert "sealed" not in str(noted.facts)
                assert "reports/" not in str(noted.facts)


def test_what_only_notify_remembers_is_never_published() -> None:
    private = {value for value in vars(own).values() if isinstance(value, type)}

    assert not private & PUBLISHED


def test_the_last_word_on_where_the_maps_lie_replaces_what_was_said() -> None:
    first, second = (
        SealedRef(address=f"sealed/{CASE}/{sha256}", sha256=sha256, size=3)
        for sha256 in (FINAL_SHA, ADDENDUM_SHA)
    )

    spec = after(ACCEPTED, mapped(first), mapped(first, second))

    dossier = dossier_of(spec.state)
    assert dossier is not None
    assert dossier.ways_back == (first, second)
    again = spec.when(mapped(first, second)).events
    assert not [one for one in again if isinstance(one, own.WaysBackKept)]


def mapped(*ways_back: SealedRef) -> CaseDeidentified:
    manifest = reference(FINAL_SHA)
    studies = tuple(
        CleanStudy(
            study=f"study-{n}",
            modality="CT",
            instance_count=1,
            manifest=manifest,
            certificate=manifest,
            way_back=one,
        )
        for n, one in enumerate(ways_back)
    )
    return DEIDENTIFIED.model_copy(update={"studies": studies})

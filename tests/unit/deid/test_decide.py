"""deid's decider: doubt holds, a person decides, and nothing is published twice or too early."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.deid.domain.decide import DEID, jobs
from services.deid.domain.events import WorkPlanned
from services.deid.domain.inputs import CleaningFailed, PlanAgain
from services.deid.domain.state import ScrubbedText, State, item_of
from shared.contracts.base import Frozen
from shared.contracts.deid import (
    CaseDeidentified,
    CaseQuarantined,
    DeidentificationFailed,
    DeidentificationPlanned,
    QuarantineReleased,
)
from shared.contracts.intake import CaseCancelled
from shared.contracts.topics import PUBLISHED
from shared.decider import Refused
from shared.testing.spec import NOON, Spec, given
from tests.unit.deid.cases import (
    CASE,
    PARTNER,
    accepted,
    clean,
    cleaned,
    decision,
    held,
    plans,
    ref,
    report,
    scrubbed,
    study,
    supplemented,
)

CT, HAND, PRIOR = study("ct"), study("hand", modality="DX"), study("prior")
REPORT = report()
STATES: TypeAdapter[State] = TypeAdapter(State)
Story = Spec[State, Frozen, object]


def after(*inputs: Frozen) -> "Story":
    story: Story = given(DEID)  # type: ignore[arg-type] # events of any kind
    for received in inputs:
        story = story.then(received)
    return story


def public(story: "Story", received: Frozen) -> list[object]:
    return [event for event in story.when(received).events if type(event) in PUBLISHED]


def test_an_accepted_case_is_planned_and_becomes_a_job() -> None:
    step = after().when(accepted(CT, HAND))

    told = [event for event in step.events if isinstance(event, DeidentificationPlanned)]
    (plan,) = plans(step.events)  # type: ignore[arg-type]
    (job,) = jobs(plan)
    assert [event.studies for event in told] == [("ct", "hand")]
    assert job.kind == "clean"
    assert WorkPlanned.model_validate(job.payload) == plan
    assert step.state.kind == "planned"


@pytest.mark.parametrize(
    ("text", "status"),
    [(scrubbed(REPORT), "released"), (scrubbed(REPORT, "possible_name"), "withheld")],
)
def test_a_case_without_doubt_is_deidentified_and_so_is_its_text(
    text: ScrubbedText, status: str
) -> None:
    story = after(accepted(CT, documents=(REPORT,)))

    (event,) = public(story, cleaned(1, clean(CT), texts=(text,)))

    assert isinstance(event, CaseDeidentified)
    assert (event.pseudonym, event.instances_cleaned, event.supplement) == ("OV-ABC", 1, 0)
    assert [(one.kind, one.status) for one in event.documents] == [("first_report", status)]


def test_a_plan_names_the_texts_that_nobody_has_cleared_and_all_studies() -> None:
    history = report("history", "history")
    story = after(accepted(CT, documents=(REPORT, history)))
    story = story.then(
        cleaned(1, clean(CT), texts=(scrubbed(REPORT), scrubbed(history, "identifier_unknown")))
    )

    (plan,) = plans(story.when(supplemented(PRIOR)).events)  # type: ignore[arg-type]

    assert [text.kind for text in plan.texts] == ["history"]  # the prior may know whom it names
    assert [study.study for study in plan.sources] == ["ct", "prior"]


def test_a_late_text_is_scrubbed_without_touching_the_images() -> None:
    story = after(accepted(CT), cleaned(1, clean(CT)))

    step = story.when(supplemented(documents=(REPORT,)))
    (plan,) = plans(step.events)  # type: ignore[arg-type]
    (event,) = public(
        story.then(supplemented(documents=(REPORT,))), cleaned(2, texts=(scrubbed(REPORT),))
    )

    assert (plan.studies, [text.kind for text in plan.texts]) == ((), ["first_report"])
    assert isinstance(event, CaseDeidentified)
    assert [one.status for one in event.documents] == ["released"]
    assert (event.instances_cleaned, event.supplement) == (1, 1)


def test_a_text_that_comes_while_a_person_looks_goes_with_the_next_round() -> None:
    story = after(accepted(HAND), cleaned(1, held=(held(HAND),)))
    story = story.then(supplemented(documents=(REPORT,)))
    assert story.state.kind == "quarantined"

    (plan,) = plans(story.when(decision(held(HAND))).events)  # type: ignore[arg-type]

    assert [text.kind for text in plan.texts] == ["first_report"]


def test_what_a_person_decided_about_a_text_outlives_the_round_under_way() -> None:
    story = after(accepted(CT, documents=(REPORT,)))
    story = story.then(decision(REPORT, content=ref("by hand", "clean")))

    (event,) = public(story, cleaned(1, clean(CT), texts=(scrubbed(REPORT),)))

    assert isinstance(event, CaseDeidentified)
    assert event.documents[0].content == ref("by hand", "clean")


def test_one_doubt_holds_the_case() -> None:
    story = after(accepted(CT, HAND))

    (event,) = public(story, cleaned(1, clean(CT), held=(held(HAND),)))

    assert isinstance(event, CaseQuarantined)
    assert [(one.item, one.code) for one in event.findings] == [
        (held(HAND).item, "burned_in_text_possible")
    ]


def test_the_last_decision_sends_the_held_study_to_work_and_then_out() -> None:
    story = after(accepted(CT, HAND), cleaned(1, clean(CT), held=(held(HAND),)))

    step = story.when(decision(held(HAND)))
    (plan,) = plans(step.events)  # type: ignore[arg-type]
    (done,) = public(story.then(decision(held(HAND))), cleaned(2, clean(HAND)))

    released = [event for event in step.events if isinstance(event, QuarantineReleased)]
    assert [(one.by, one.decision, one.reason) for one in released] == [
        ("dr-ops", "release", "no_identifiers_seen")
    ]
    assert step.state.kind == "released"
    assert [one.study for one in plan.studies] == ["hand"]
    assert [one.item for one in plan.decisions] == [held(HAND).item]
    assert isinstance(done, CaseDeidentified)
    assert [one.study for one in done.studies] == ["ct", "hand"]


def test_a_case_waits_until_every_instance_is_decided() -> None:
    two = (held(HAND, "one"), held(HAND, "two"))
    story = after(accepted(HAND), cleaned(1, held=two), decision(two[0]))

    assert story.state.kind == "quarantined"
    assert story.then(decision(two[1], decision="reject")).state.kind == "released"


def test_rejecting_everything_fails_the_case() -> None:
    story = after(accepted(HAND), cleaned(1, held=(held(HAND),)))
    story = story.then(decision(held(HAND), decision="reject"))

    (event,) = public(story, cleaned(2))
    again = story.then(cleaned(2)).when(PlanAgain(case_id=CASE, by="dr-ops"))

    assert isinstance(event, DeidentificationFailed)
    assert event.reason == "every_instance_rejected"
    assert again.refused is not None


def test_rejecting_one_of_two_lets_the_other_go() -> None:
    story = after(accepted(CT, HAND), cleaned(1, clean(CT), held=(held(HAND),)))
    story = story.then(decision(held(HAND), decision="reject"))

    (event,) = public(story, cleaned(2))

    assert isinstance(event, CaseDeidentified)
    assert [one.study for one in event.studies] == ["ct"]
    assert event.instances_rejected == 1


def test_what_can_not_be_seen_can_not_be_released() -> None:
    broken = held(HAND, code="unreadable")
    story = after(accepted(HAND), cleaned(1, held=(broken,)))

    assert story.when(decision(broken)).refused == Refused(
        "only_rejectable", "A look can't settle this item's findings.", "/items/0"
    )
    assert story.when(decision(broken, decision="reject")).refused is None


def test_a_released_text_is_told_of_at_once_and_only_once() -> None:
    story = after(accepted(CT, documents=(REPORT,)), cleaned(1, clean(CT)))
    release = decision(REPORT, content=ref("clean text", "clean"))

    told = public(story, release)
    again = story.then(release).when(release)

    assert [type(one) for one in told] == [QuarantineReleased, CaseDeidentified]
    event = told[1]
    assert isinstance(event, CaseDeidentified)
    assert event.documents[0].status == "released"
    assert event.supplement == 1
    assert again.events == ()
    assert again.refused is None


def test_a_text_released_while_images_are_held_goes_along_with_them() -> None:
    story = after(accepted(HAND, documents=(REPORT,)), cleaned(1, held=(held(HAND),)))
    story = story.then(decision(REPORT, content=ref("clean text", "clean")))
    assert story.state.kind == "quarantined"

    (event,) = public(story.then(decision(held(HAND))), cleaned(2, clean(HAND)))

    assert isinstance(event, CaseDeidentified)
    assert event.documents[0].status == "released"


def test_a_text_is_not_released_without_its_clean_content() -> None:
    story = after(accepted(CT, documents=(REPORT,)), cleaned(1, clean(CT)))

    refused = story.when(decision(REPORT)).refused

    assert refused is not None
    assert refused.code == "text_missing"


def test_a_released_text_can_not_be_withdrawn() -> None:
    story = after(accepted(CT, documents=(REPORT,)), cleaned(1, clean(CT)))
    story = story.then(decision(REPORT, content=ref("clean text", "clean")))

    refused = story.when(decision(REPORT, decision="reject")).refused

    assert refused is not None
    assert refused.code == "already_released"


@pytest.mark.parametrize("first", [(), (cleaned(1, clean(CT)),)])
def test_a_late_study_goes_the_same_way(first: tuple[Frozen, ...]) -> None:
    story = after(accepted(CT), *first)

    step = story.when(supplemented(PRIOR))
    (plan,) = plans(step.events)  # type: ignore[arg-type]

    assert plan.patient == CT
    assert plan.round == 2
    assert "prior" in {one.study for one in plan.studies}
    if first:
        assert [one.study for one in plan.studies] == ["prior"]
        assert plan.pseudonym == "OV-ABC"
        (event,) = public(story.then(supplemented(PRIOR)), cleaned(2, clean(PRIOR)))
        assert isinstance(event, CaseDeidentified)
        assert [one.study for one in event.studies] == ["ct", "prior"]
        assert event.supplement == 1


def test_more_instances_of_a_study_clean_the_whole_of_it_again() -> None:
    story = after(accepted(CT, PRIOR), cleaned(1, clean(CT), clean(PRIOR)))

    step = story.when(supplemented(study("ct", count=2)))

    (plan,) = plans(step.events)  # type: ignore[arg-type]
    assert [(one.study, one.instance_count) for one in plan.studies] == [("ct", 2)]


def test_a_supplement_that_repeats_what_is_known_changes_nothing() -> None:
    story = after(accepted(CT, documents=(REPORT,)), cleaned(1, clean(CT)))

    assert story.when(supplemented(CT, documents=(REPORT,))).events == ()
    assert story.when(accepted(CT, documents=(REPORT,))).events == ()


def test_the_result_of_an_older_round_is_superseded() -> None:
    story = after(accepted(CT), supplemented(PRIOR))

    assert story.when(cleaned(1, clean(CT))).events == ()
    assert public(story, cleaned(2, clean(CT), clean(PRIOR)))


def test_a_supplement_while_a_person_looks_holds_what_was_held() -> None:
    story = after(accepted(HAND), cleaned(1, held=(held(HAND),)), supplemented(PRIOR))

    assert story.state.kind == "planned"
    refused = story.when(decision(held(HAND))).refused
    assert refused is not None
    assert refused.code == "being_cleaned"
    later = story.then(cleaned(2, clean(PRIOR), held=(held(HAND),)))
    assert later.state.kind == "quarantined"


def test_an_item_held_again_after_its_release_is_looked_at_again() -> None:
    story = after(accepted(HAND), cleaned(1, held=(held(HAND),)), decision(held(HAND)))

    (event,) = public(story, cleaned(2, held=(held(HAND, code="unreadable"),)))
    step = story.then(cleaned(2, held=(held(HAND, code="unreadable"),))).when(
        PlanAgain(case_id=CASE, by="dr-ops")
    )

    assert isinstance(event, CaseQuarantined)
    assert [plan.decisions for plan in plans(step.events)] == [()]  # type: ignore[arg-type]
    assert step.state.kind == "planned"


def test_a_vault_that_lost_something_fails_the_case_until_somebody_mends_it() -> None:
    story = after(accepted(CT))
    failed = CleaningFailed(case_id=CASE, round=1, reason="raw_object_missing_or_corrupt")

    (event,) = public(story, failed)
    again = story.then(failed).when(PlanAgain(case_id=CASE, by="dr-ops"))

    assert isinstance(event, DeidentificationFailed)
    assert [plan.round for plan in plans(again.events)] == [2]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "before",
    [(), (accepted(CT),), (accepted(CT), cleaned(1, clean(CT)))],
)
def test_a_cancelled_case_stays_cancelled(before: tuple[Frozen, ...]) -> None:
    story = after(*before, CaseCancelled(case_id=CASE, partner=PARTNER, by="partner"))

    assert story.state.kind == "cancelled"
    for received in (accepted(CT), supplemented(PRIOR), cleaned(1, clean(CT))):
        assert story.when(received).events == ()
    refused = story.when(decision(held(CT))).refused
    assert refused is not None
    assert refused.code == "not_found"


def test_a_case_without_images_is_deidentified_too() -> None:
    story = after(accepted(documents=(REPORT,)))

    (event,) = public(story, cleaned(1))

    assert isinstance(event, CaseDeidentified)
    assert event.studies == ()


INPUTS = (
    accepted(CT, HAND, documents=(REPORT,)),
    supplemented(PRIOR),
    supplemented(study("ct", count=2), documents=(report("history", "history"),)),
    cleaned(1, clean(CT), held=(held(HAND),)),
    cleaned(1, clean(CT), clean(HAND), texts=(scrubbed(REPORT),)),
    cleaned(2, clean(CT), clean(HAND), texts=(scrubbed(REPORT, "possible_name"),)),
    cleaned(2, clean(PRIOR), held=(held(HAND), held(CT, "other", "unreadable"))),
    cleaned(3, clean(HAND), clean(PRIOR)),
    decision(held(HAND)),
    decision(held(HAND), decision="reject"),
    decision(held(CT, "other"), decision="reject"),
    decision(REPORT, content=ref("clean text", "clean")),
    CleaningFailed(case_id=CASE, round=1, reason="raw_object_missing_or_corrupt"),
    PlanAgain(case_id=CASE, by="dr-ops"),
    CaseCancelled(case_id=CASE, partner=PARTNER, by="partner"),
)


@for_all(st.lists(st.sampled_from(INPUTS), max_size=14))
def test_any_order_of_inputs_is_answered_and_nothing_undecided_leaves(
    inputs: list[Frozen],
) -> None:
    story = after()
    for received in inputs:
        step = story.when(received, NOON)
        for event in step.events:
            if isinstance(event, CaseDeidentified):
                dossier = step.state.dossier  # type: ignore[union-attr]
                assert not dossier.undecided()
                assert not dossier.pending
        story = Spec(story.decider, step.state)
        again = STATES.validate_json(STATES.dump_json(step.state))
        assert again == step.state


def test_an_item_is_named_alike_each_time() -> None:
    assert item_of(CASE, ref("image")) == held(HAND).item

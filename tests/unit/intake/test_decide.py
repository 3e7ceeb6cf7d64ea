"""intake decides, stated as given / when / then."""

from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.decide import INTAKE
from services.intake.domain.inputs import (
    AmendCase,
    CancelCase,
    ChangeServiceLevel,
    DocumentReceived,
    ExpectedStudy,
    Input,
    RejectCase,
)
from services.intake.domain.state import Accepted, AwaitingInformation, Collecting
from shared.contracts.base import DeadlineReached
from shared.contracts.intake import (
    CaseAccepted,
    CaseSupplemented,
    FirstRead,
    InformationOverdue,
    InformationRequested,
    MissingItem,
    StudyAttached,
)
from shared.decider import Deadline
from shared.testing.spec import NOON
from tests.unit.intake.story import (
    CASE,
    HAND,
    HISTORY,
    PARTNER,
    PRIOR,
    QUESTION,
    REPORT,
    attach,
    case,
    digest,
    document,
    names,
    study,
    submit,
)

COMPLETE = (submit(QUESTION, REPORT), study(), study(part="b"))
DAY = timedelta(hours=24)


def deadline(kind: str, **after: float) -> DeadlineReached:
    return DeadlineReached(case_id=CASE, kind=kind, due_at=NOON + timedelta(**after))


def test_a_submission_without_its_study_collects() -> None:
    step = case().when(submit(QUESTION, REPORT))

    assert names(step.events) == [
        "CaseDescribed",
        "CaseSubmitted",
        "DocumentAttached",
        "DocumentAttached",
    ]
    assert isinstance(step.state, Collecting)
    assert INTAKE.deadlines(step.state) == (Deadline("collection", NOON + DAY),)


def test_the_last_instance_makes_the_case_accepted() -> None:
    step = case(submit(QUESTION, REPORT), study()).when(study(part="b"))

    assert names(step.events) == ["StudyStored", "StudyAttached", "CaseAccepted"]
    attached, accepted = step.events[1:]
    assert isinstance(attached, StudyAttached)
    assert attached.instance_count == 2
    assert isinstance(accepted, CaseAccepted)
    assert accepted.subspecialty == "musculoskeletal"
    assert accepted.modalities == ("DX",)
    assert accepted.accepted_at == NOON
    assert [len(one.manifests) for one in accepted.studies] == [2]
    assert {one.kind for one in accepted.documents} == {"clinical_question", "first_report"}
    assert INTAKE.deadlines(step.state) == ()


def test_a_second_submission_changes_nothing() -> None:
    assert case(submit()).when(submit()).events == ()
    assert case(*COMPLETE).when(submit(HISTORY)).events == ()


@pytest.mark.parametrize("again", [study(), attach(REPORT)])
def test_the_same_again_changes_nothing(again: Input) -> None:
    step = case(submit(QUESTION, REPORT), study()).when(again)

    assert step.events == ()
    assert step.refused is None


def test_a_study_of_another_patient_is_kept_out_and_named() -> None:
    spec = case(submit(QUESTION, REPORT), study())

    step = spec.when(study(part="b", patient=digest("another")))

    assert names(step.events) == ["StudyMisfiled"]
    assert isinstance(step.state, Collecting)
    assert step.state.file.studies[0].instances == 1
    assert spec.then(study(part="b", patient=digest("another"))).when(study(part="c")).events


def test_an_unannounced_study_is_refused() -> None:
    step = case(submit()).when(study("knee"))

    assert step.refused is not None
    assert step.refused.code == "not_announced"


def test_late_instances_supplement_the_case() -> None:
    step = case(*COMPLETE).when(study(part="c"))

    assert names(step.events) == ["StudyStored", "StudyAttached", "CaseSupplemented"]
    supplement = step.events[-1]
    assert isinstance(supplement, CaseSupplemented)
    assert supplement.studies[0].instance_count == 3
    assert len(supplement.studies[0].manifests) == 3


def test_a_late_document_supplements_the_case() -> None:
    step = case(*COMPLETE).when(attach(HISTORY))

    assert names(step.events) == ["DocumentAttached", "CaseSupplemented"]


def test_a_prior_announced_after_acceptance_supplements_the_case() -> None:
    prior = ExpectedStudy(study=PRIOR, modality="DX", instances=1, prior=True)
    spec = case(*COMPLETE).then(AmendCase(case_id=CASE, partner=PARTNER, studies=(prior,)))

    step = spec.when(study("prior"))

    supplement = step.events[-1]
    assert isinstance(supplement, CaseSupplemented)
    assert supplement.studies[0].prior
    assert isinstance(step.state, Accepted)


def test_a_study_without_a_number_is_complete_when_it_has_been_quiet() -> None:
    unnumbered = (ExpectedStudy(study=HAND, modality="DX"),)
    spec = case(submit(QUESTION, REPORT, studies=unnumbered), study())
    assert Deadline("quiet", NOON + timedelta(seconds=10)) in INTAKE.deadlines(spec.state)

    assert spec.when(deadline("quiet", seconds=9)).events == ()
    step = spec.when(deadline("quiet", seconds=10))

    assert names(step.events) == ["StudyFellQuiet", "CaseAccepted"]


def test_another_instance_starts_the_quiet_anew() -> None:
    unnumbered = (ExpectedStudy(study=HAND, modality="DX"),)
    early = case(submit(QUESTION, REPORT, studies=unnumbered), study())
    later = early.decider.step(early.state, study(part="b"), NOON + timedelta(seconds=8)).state

    assert Deadline("quiet", NOON + timedelta(seconds=18)) in INTAKE.deadlines(later)
    assert INTAKE.step(later, deadline("quiet", seconds=10), NOON).events == ()


def test_when_the_time_is_over_the_partner_is_asked_and_asked_again() -> None:
    spec = case(submit(QUESTION, REPORT))

    asked = spec.when(deadline("collection", hours=24), NOON + DAY)
    request, _ = asked.events
    assert isinstance(request, InformationRequested)
    assert [item.code for item in request.items] == ["study"]
    assert INTAKE.deadlines(asked.state) == (Deadline("reminder", NOON + 2 * DAY),)

    state, due = asked.state, []
    for _ in range(5):
        (reminder,) = INTAKE.deadlines(state)
        again = INTAKE.step(
            state,
            DeadlineReached(case_id=CASE, kind="reminder", due_at=reminder.due_at),
            reminder.due_at,
        )
        overdue, state = again.events[0], again.state
        assert isinstance(overdue, InformationOverdue)
        due.append((overdue.reminder, reminder.due_at - NOON))
    assert due == [(1, 2 * DAY), (2, 4 * DAY), (3, 8 * DAY), (4, 16 * DAY), (5, 24 * DAY)]


def test_what_was_asked_for_comes_and_the_case_goes_on() -> None:
    spec = case(submit(QUESTION, REPORT)).then(deadline("collection", hours=24))
    half = spec.then(study())
    assert isinstance(half.state, AwaitingInformation)

    step = half.when(study(part="b"))

    assert names(step.events)[-2:] == ["InformationProvided", "CaseAccepted"]


@pytest.mark.parametrize("kind", ["collection", "quiet", "reminder", "unheard-of"])
@pytest.mark.parametrize("inputs", [(), COMPLETE, (submit(),)])
def test_a_deadline_that_nobody_wants_any_more_does_nothing(
    kind: str, inputs: tuple[Input, ...]
) -> None:
    assert case(*inputs).when(deadline(kind, hours=-1)).events == ()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason_for_review": "pediatric", "age_band": "40-49"}, "contradiction"),
        ({"reason_for_review": "pregnancy_fetal", "sex": "M"}, "contradiction"),
        ({"studies": (ExpectedStudy(study=HAND, modality="DX", prior=True),)}, "nothing_to_read"),
        ({"studies": ()}, "nothing_to_read"),
        ({"studies": (ExpectedStudy(study=HAND, modality="DX"),) * 2}, "study_twice"),
        (
            {
                "studies": (
                    ExpectedStudy(study=HAND, accession=digest("1"), modality="DX"),
                    ExpectedStudy(accession=digest("1"), modality="DX"),
                )
            },
            "study_twice",
        ),
    ],
)
def test_a_contradiction_is_refused_naming_the_field(fields: dict[str, Any], code: str) -> None:
    step = case().when(submit(**fields))

    assert step.refused is not None
    assert step.refused.code == code
    assert step.refused.field is not None
    assert step.events == ()


ACTS: list[Input] = [
    CancelCase(case_id=CASE, partner="other", by="x"),
    ChangeServiceLevel(case_id=CASE, partner="other", service_level="routine", by="x"),
    AmendCase(case_id=CASE, partner="other", reason_for_review="cancer"),
    DocumentReceived(case_id=CASE, partner="other", document=HISTORY),
]


@pytest.mark.parametrize("act", ACTS)
def test_another_partners_case_does_not_exist(act: Input) -> None:
    for spec in (case(), case(*COMPLETE)):
        step = spec.when(act)

        assert step.events == ()
        assert step.refused is not None
        assert step.refused.code == "not_found"


@pytest.mark.parametrize(
    "act",
    [
        ChangeServiceLevel(case_id=CASE, partner=PARTNER, service_level="routine", by="x"),
        AmendCase(case_id=CASE, partner=PARTNER, reason_for_review="cancer"),
        attach(HISTORY),
        RejectCase(case_id=CASE, reasons=()),
    ],
)
def test_a_cancelled_case_stays_cancelled(act: Input) -> None:
    spec = case(submit()).then(CancelCase(case_id=CASE, partner=PARTNER, by="x"))

    step = spec.when(act)

    assert step.events == ()
    assert step.refused is not None
    assert step.refused.code == "already_cancelled"
    assert INTAKE.deadlines(spec.state) == ()


def test_cancelling_or_rejecting_twice_is_once() -> None:
    cancel = CancelCase(case_id=CASE, partner=None, by="operator-1")
    reject = RejectCase(case_id=CASE, reasons=(MissingItem(code="unreadable", detail="Blurred."),))

    assert names(case(submit()).when(cancel).events) == ["CaseCancelled"]
    assert case(submit(), cancel).when(cancel) == case(submit(), cancel).when(study("hand"))
    assert names(case(submit()).when(reject).events) == ["CaseRejected"]
    assert case(submit(), reject).when(reject).events == ()
    assert case(submit(), reject).when(reject).refused is None


def test_an_accepted_case_is_cancelled_but_not_rejected() -> None:
    step = case(*COMPLETE).when(RejectCase(case_id=CASE, reasons=()))
    assert step.refused is not None
    assert step.refused.code == "already_accepted"

    cancel = CancelCase(case_id=CASE, partner=PARTNER, by="x")
    assert names(case(*COMPLETE).when(cancel).events) == ["CaseCancelled"]


def test_another_service_level_is_told_once() -> None:
    slower = ChangeServiceLevel(case_id=CASE, partner=PARTNER, service_level="routine", by="x")

    assert names(case(*COMPLETE).when(slower).events) == ["ServiceLevelChanged"]
    assert case(*COMPLETE, slower).when(slower).events == ()


def test_a_tumour_board_needs_its_date() -> None:
    board = ChangeServiceLevel(case_id=CASE, partner=PARTNER, service_level="tumour_board", by="x")

    refused = case(*COMPLETE).when(board).refused
    assert refused is not None
    assert refused.field == "/service_level"
    collecting = case(submit(QUESTION, REPORT), study(), board)
    assert isinstance(collecting.then(study(part="b")).state, Collecting)
    dated = AmendCase(case_id=CASE, partner=PARTNER, procedure_at=NOON + DAY)
    assert names(collecting.then(study(part="b")).when(dated).events)[-1] == "CaseAccepted"


@pytest.mark.parametrize(
    "late",
    [
        AmendCase(case_id=CASE, partner=PARTNER, reason_for_review="cancer"),
        AmendCase(case_id=CASE, partner=PARTNER, procedure_at=NOON),
        DocumentReceived(case_id=CASE, partner=PARTNER, first_read=FirstRead(status="missing")),
    ],
)
def test_the_question_is_fixed_once_the_case_is_accepted(late: Input) -> None:
    refused = case(*COMPLETE).when(late).refused

    assert refused is not None
    assert refused.code == "already_accepted"


def test_an_amendment_that_amends_nothing_changes_nothing() -> None:
    known = ExpectedStudy(study=HAND, modality="DX", instances=2)
    same = AmendCase(case_id=CASE, partner=PARTNER, studies=(known,))

    assert case(submit()).when(same) == case(submit()).when(submit())


def test_an_amendment_may_not_contradict() -> None:
    pediatric = AmendCase(case_id=CASE, partner=PARTNER, reason_for_review="pediatric")

    refused = case(submit()).when(pediatric).refused

    assert refused is not None
    assert refused.field == "/reason_for_review"


def test_a_promise_of_a_report_can_be_taken_back() -> None:
    spec = case(submit(QUESTION), study(), study(part="b"))
    assert isinstance(spec.state, Collecting)

    step = spec.when(
        DocumentReceived(case_id=CASE, partner=PARTNER, first_read=FirstRead(status="missing"))
    )

    accepted = step.events[-1]
    assert isinstance(accepted, CaseAccepted)
    assert accepted.first_read.status == "missing"


def test_a_report_that_comes_after_all_is_present() -> None:
    missing = submit(QUESTION, first_read=FirstRead(status="missing"))
    spec = case(missing, study()).then(
        attach(REPORT, first_read=FirstRead(status="present", reader="dr-9"))
    )

    accepted = spec.when(study(part="b")).events[-1]

    assert isinstance(accepted, CaseAccepted)
    assert accepted.first_read == FirstRead(status="present", reader="dr-9")


def test_a_study_known_by_accession_number_only_is_attached() -> None:
    number = digest("accession")
    spec = case(
        submit(
            QUESTION, REPORT, studies=(ExpectedStudy(accession=number, modality="DX", instances=2),)
        )
    )

    spec = spec.then(study("one", accession=number))
    step = spec.when(study("two", accession=number))

    accepted = step.events[-1]
    assert isinstance(accepted, CaseAccepted)
    assert {one.study for one in accepted.studies} == {digest("one"), digest("two")}


def test_a_second_report_is_kept_beside_the_first() -> None:
    spec = case(submit(QUESTION, REPORT), attach(document("first_report", "another")))

    accepted = spec.then(study()).when(study(part="b")).events[-1]

    assert isinstance(accepted, CaseAccepted)
    assert len(accepted.documents) == 3


def test_what_the_instances_say_wins_over_what_was_announced() -> None:
    spec = case(submit(QUESTION, REPORT), study(modality="CR", laterality="L"))

    accepted = spec.when(study(part="b", modality="SR", images=False, laterality="R")).events[-1]

    assert isinstance(accepted, CaseAccepted)
    assert accepted.modalities == ("CR",)
    assert accepted.studies[0].modality == "CR"
    assert accepted.studies[0].laterality == "B"

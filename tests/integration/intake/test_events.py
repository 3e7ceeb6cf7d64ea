"""A partner's events over HTTP."""

import asyncio
import json
from typing import Any

from shared.runtime.sealing import open_sealed
from tests.integration.intake.conftest import Intake
from tests.integration.intake.sending import about, hand, stow, submission


async def test_a_submission_is_answered_with_the_case_and_what_is_missing(intake: Intake) -> None:
    answer = await intake.post_event(submission())

    assert answer.status_code == 202
    told = answer.json()
    assert told["state"] == "collecting"
    assert told["missing"] == [
        {"code": "study", "detail": "Study 1 has not come."},
    ]
    seen = await intake.http.get(told["links"]["self"], headers=intake.partner())
    assert seen.json()["case_id"] == told["case_id"]
    assert seen.json()["studies"] == [
        {
            "position": 1,
            "modality": "DX",
            "prior": False,
            "instances": 0,
            "expected_instances": 1,
            "complete": False,
        }
    ]


async def test_the_identity_is_sealed_to_notify(intake: Intake) -> None:
    await intake.post_event(submission())

    (row,) = await intake.rows("SELECT payload FROM outbox WHERE type LIKE '%case-submitted%'")
    identity = open_sealed([intake.private_key], json.loads(row["payload"])["sealed_identity"])

    data = submission()["data"]
    assert identity["patient"] == {
        "family": "Vanterpool",
        "given": "Mariposa",
        **{k: v for k, v in data["patient"].items() if k != "name"},
    }
    assert identity["clinician"] == data["clinician"]
    assert identity["studies"] == [
        {
            "study_instance_uid": "2.999.40.1.20261030.1",
            "accession_number": "ACC7734219",
            "issuer": "STJUDE-NORTH-RIS",
            "modality": "DX",
            "prior": False,
        }
    ]


async def test_binary_mode_submits_too(intake: Intake) -> None:
    event = submission()
    headers = {f"ce-{name}": event[name] for name in ("specversion", "id", "source", "type")}

    answer = await intake.http.post(
        "/v1/events",
        content=json.dumps(event["data"]),
        headers={"content-type": "application/json", **headers, **intake.partner()},
    )

    assert answer.status_code == 202
    assert answer.json() == (await intake.post_event(event)).json()


async def test_the_same_event_again_gets_the_same_answer_and_has_one_effect(
    intake: Intake,
) -> None:
    first = await intake.post_event(submission())
    await stow(intake, hand())

    again = await intake.post_event(submission())

    assert (again.status_code, again.json()) == (202, first.json())
    assert (await intake.decided()).count("org.overread.intake.case-submitted.v1") == 1


async def test_twenty_at_once_are_one(intake: Intake) -> None:
    answers = await asyncio.gather(*(intake.post_event(submission()) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert (await intake.decided()).count("org.overread.intake.case-submitted.v1") == 1


async def test_the_same_key_for_another_body_is_a_conflict(intake: Intake) -> None:
    await intake.post_event(submission())

    other = await intake.post_event(submission(service_level="routine"))

    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["code"] == "key-reused"


async def test_the_header_wins_over_source_and_id(intake: Intake) -> None:
    one = await intake.post_event(submission(), **{"Idempotency-Key": "k-1"})
    same = await intake.post_event({**submission(), "id": "other"}, **{"Idempotency-Key": "k-1"})
    new = await intake.post_event(submission(), **{"Idempotency-Key": "k-2"})

    assert one.json() == same.json()
    assert new.json()["case_id"] != one.json()["case_id"]


async def test_two_partners_may_use_the_same_key(intake: Intake) -> None:
    event = submission(service_level="routine")

    one = await intake.post_event(event)
    other = await intake.post_event(event, "lakeside")

    assert one.json()["case_id"] != other.json()["case_id"]


async def test_a_refused_key_can_be_used_for_the_mended_event(intake: Intake) -> None:
    wrong = await intake.post_event(submission(reason_for_review="pediatric"))
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "#/data/reason_for_review"
    assert (await intake.post_event(submission(reason_for_review="pediatric"))).json()[
        "errors"
    ] == wrong.json()["errors"]

    right = await intake.post_event(submission())

    assert right.status_code == 202


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"service_level": "emergent"}, "#/data/service_level"),
    ({"patient": {"id": "1"}}, "#/data/patient/name"),
    ({"nickname": "x"}, "#/data/nickname"),
    ({"studies": []}, "#/data/studies"),
]


async def test_a_wrong_field_is_named(intake: Intake) -> None:
    for changed, pointer in WRONG:
        answer = await intake.post_event(submission(**changed))

        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert pointer in [one["pointer"] for one in answer.json()["errors"]]
    assert await intake.decided() == []


async def test_a_birth_date_in_the_future_is_named(intake: Intake) -> None:
    patient = submission()["data"]["patient"] | {"birth_date": "2999-01-01"}

    answer = await intake.post_event(submission(patient=patient))

    assert answer.json()["errors"][0]["pointer"] == "#/data/patient/birth_date"


async def test_an_unknown_tenant_is_told_so(intake: Intake) -> None:
    answer = await intake.post_event(submission(), "nobody")

    assert (answer.status_code, answer.json()["code"]) == (403, "unknown-partner")


async def test_without_a_token_or_the_scope_nothing_is_taken(intake: Intake) -> None:
    bare = await intake.http.post("/v1/events", json=submission())
    reader = await intake.http.post(
        "/v1/events", json=submission(), headers=intake.issuer.headers("dr-1", "reader")
    )

    assert (bare.status_code, reader.status_code) == (401, 403)


async def test_documents_complete_a_case(intake: Intake) -> None:
    bare = submission(first_report={"status": "present"}, clinical_question=None)
    del bare["data"]["clinical_question"]
    case_id = (await intake.post_event(bare)).json()["case_id"]
    await stow(intake, hand())

    question = about(
        "document.attach", case_id, "d1", kind="clinical_question", text="Is it broken?"
    )
    report = about("document.attach", case_id, "d2", kind="first_report", text="Normal hand.")
    half = await intake.post_event(question)
    whole = await intake.post_event(report)

    assert [one["code"] for one in half.json()["missing"]] == ["first_report"]
    assert (whole.json()["state"], whole.json()["missing"]) == ("accepted", [])
    assert (await intake.decided())[-1] == "org.overread.intake.case-accepted.v1"


async def test_a_case_is_amended_changed_and_cancelled(intake: Intake) -> None:
    case_id = (await intake.post_event(submission())).json()["case_id"]

    prior = {"accession_number": "ACC1", "modality": "DX", "prior": True}
    amended = await intake.post_event(about("case.amend", case_id, "a", studies=[prior]))
    slower = await intake.post_event(
        about("case.change-service-level", case_id, "b", service_level="routine")
    )
    cancelled = await intake.post_event(about("case.cancel", case_id, "c", reason="duplicate"))
    late = await intake.post_event(about("case.amend", case_id, "d", studies=[prior]))

    assert len(amended.json()["missing"]) == 2
    assert slower.status_code == 202
    assert cancelled.json()["state"] == "cancelled"
    assert (late.status_code, late.json()["code"]) == (409, "already-cancelled")


TOUCHES: list[tuple[str, dict[str, Any]]] = [
    ("document.attach", {"kind": "history", "text": "x"}),
    ("case.cancel", {}),
    ("case.amend", {"reason_for_review": "cancer"}),
    ("case.change-service-level", {"service_level": "routine"}),
]


async def test_another_tenants_case_cannot_be_touched(intake: Intake) -> None:
    case_id = (await intake.post_event(submission())).json()["case_id"]
    before = await intake.decided()
    objects = len(list(intake.folder.rglob("*")))

    for kind, data in TOUCHES:
        answer = await intake.post_event(about(kind, case_id, kind, **data), "lakeside")

        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert await intake.decided() == before
    assert len(list(intake.folder.rglob("*"))) == objects

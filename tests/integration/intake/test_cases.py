"""How partners and operators see and steer cases over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from tests.integration.intake.conftest import Intake
from tests.integration.intake.sending import hand, stow, submission

ACCEPTED = "org.overread.intake.case-accepted.v1"


async def submitted(intake: Intake, number: str = "1", tenant: str = "st-brigid") -> str:
    event = {**submission(service_level="routine"), "id": number}
    answer = await intake.post_event(event, tenant)
    case_id: str = answer.json()["case_id"]
    return case_id


async def events(
    intake: Intake, headers: dict[str, str], last: str | None = None
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Follow the stream: the id and the data of each event."""
    resume = {"Last-Event-ID": last} if last else {}
    async with intake.http.stream(
        "GET", "/v1/cases/stream", headers={**headers, **resume}
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        frame: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(":")
            frame[name] = value.strip()
            if not line and "data" in frame:
                yield frame["id"], json.loads(frame["data"])
            if not line:
                frame = {}


async def first(count: int, source: AsyncIterator[Any]) -> list[Any]:
    found = []
    async with asyncio.timeout(60):
        async for one in source:
            found.append(one)
            if len(found) == count:
                break
    return found


async def test_another_tenants_case_is_not_found(intake: Intake) -> None:
    case_id = await submitted(intake)

    theirs = await intake.http.get(f"/v1/cases/{case_id}", headers=intake.partner("lakeside"))
    nobodys = await intake.http.get(f"/v1/cases/{UUID(int=1)}", headers=intake.partner())

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["detail"] == nobodys.json()["detail"]


async def test_an_operator_sees_every_case_and_a_reader_none(intake: Intake) -> None:
    case_id = await submitted(intake)

    seen = await intake.http.get(f"/v1/cases/{case_id}", headers=intake.operator())
    reader = intake.issuer.headers("dr-1", "reader")
    unseen = await intake.http.get(f"/v1/cases/{case_id}", headers=reader)

    assert seen.json()["partner"] == "st-brigid"
    assert unseen.status_code == 403


async def test_an_operators_token_with_a_tenant_is_an_operators(intake: Intake) -> None:
    await submitted(intake)
    both = intake.issuer.headers("op", "operator partner", tenant="lakeside")

    answer = await intake.http.get("/v1/cases", headers=both)

    assert len(answer.json()["cases"]) == 1


async def test_pages_list_each_case_once_newest_first(intake: Intake) -> None:
    mine = [await submitted(intake, str(number)) for number in range(5)]
    await submitted(intake, "theirs", "lakeside")

    listed: list[str] = []
    address: str | None = ""
    while address is not None:
        answer = await intake.http.get(
            "/v1/cases",
            params={"limit": 2, **({"cursor": address} if address else {})},
            headers=intake.partner(),
        )
        listed += [case["case_id"] for case in answer.json()["cases"]]
        address = answer.json()["next"]

    assert listed == mine[::-1]


async def test_a_cursor_that_is_none_of_ours_is_a_problem(intake: Intake) -> None:
    for cursor in ("x", "%%%", "MjAyNi0xMS0wMg==", "bm8gdXVpZA==", "é"):
        answer = await intake.http.get(
            "/v1/cases", params={"cursor": cursor}, headers=intake.partner()
        )

        assert (cursor, answer.status_code) == (cursor, 422)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_stream_tells_a_partner_its_own_events_as_they_happen(intake: Intake) -> None:
    await submitted(intake, "theirs", "lakeside")
    following = asyncio.create_task(first(5, events(intake, intake.partner())))
    case_id = await submitted(intake)
    await stow(intake, hand())

    seen = [event for _, event in await following]

    assert [event["type"].rpartition("intake.")[2] for event in seen] == [
        "case-submitted.v1",
        "document-attached.v1",
        "document-attached.v1",
        "document-attached.v1",
        "study-attached.v1",
    ]
    assert {event["subject"] for event in seen} == {case_id}
    assert seen[-1]["data"] == {"modality": "DX", "instance_count": 1}


async def test_the_stream_goes_on_where_it_was_left(intake: Intake) -> None:
    await submitted(intake)
    await stow(intake, hand())
    whole = await first(6, events(intake, intake.partner()))

    rest = await first(3, events(intake, intake.partner(), last=whole[2][0]))

    assert rest == whole[3:]
    assert rest[-1][1]["type"] == ACCEPTED


async def test_a_place_that_is_none_of_ours_is_a_problem(intake: Intake) -> None:
    for last in ("abc", "-1", "9" * 30):
        headers = {**intake.partner(), "Last-Event-ID": last}

        answer = await intake.http.get("/v1/cases/stream", headers=headers)

        assert (last, answer.status_code) == (last, 422)


async def test_a_case_is_cancelled_once(intake: Intake) -> None:
    case_id = await submitted(intake)
    headers = {**intake.partner(), "Idempotency-Key": "cancel-1"}

    answers = [await intake.http.delete(f"/v1/cases/{case_id}", headers=headers) for _ in "12"]
    other_key = await intake.http.delete(
        f"/v1/cases/{case_id}", headers=headers | {"Idempotency-Key": "cancel-2"}
    )

    assert [answer.json()["state"] for answer in [*answers, other_key]] == ["cancelled"] * 3
    assert (await intake.decided()).count("org.overread.intake.case-cancelled.v1") == 1


async def test_a_cancellation_needs_a_key_and_the_owner(intake: Intake) -> None:
    case_id = await submitted(intake)
    path = f"/v1/cases/{case_id}"
    key = {"Idempotency-Key": "k"}

    keyless = await intake.http.delete(path, headers=intake.partner())
    theirs = await intake.http.delete(path, headers=intake.partner("lakeside") | key)
    operators = await intake.http.delete(path, headers=intake.operator() | key)

    assert (keyless.status_code, keyless.json()["code"]) == (400, "missing-idempotency-key")
    assert theirs.status_code == 404
    assert operators.json()["state"] == "cancelled"


async def test_an_operator_rejects_a_case_with_reasons(intake: Intake) -> None:
    case_id = await submitted(intake)
    reasons = [{"code": "unreadable_images", "detail": "The images are blurred by motion."}]
    path = f"/v1/admin/cases/{case_id}/reject"
    key = {"Idempotency-Key": "r"}

    forbidden = await intake.http.post(
        path, json={"reasons": reasons}, headers=intake.partner() | key
    )
    empty = await intake.http.post(path, json={"reasons": []}, headers=intake.operator() | key)
    answer = await intake.http.post(
        path, json={"reasons": reasons}, headers=intake.operator() | key
    )

    assert forbidden.status_code == 403
    assert empty.json()["errors"][0]["pointer"] == "#/reasons"
    assert answer.json()["state"] == "rejected"
    seen = await intake.http.get(f"/v1/cases/{case_id}", headers=intake.partner())
    assert seen.json()["reasons"] == reasons


async def test_an_operator_sets_a_partner_up(intake: Intake) -> None:
    path = "/v1/admin/partners/new-hospital"
    terms = {"name": "New", "patient_issuer": "NEW", "service_levels": ["routine"]}

    before = await intake.http.get(path, headers=intake.operator())
    wrong = await intake.http.put(
        path, json={**terms, "service_levels": ["now"]}, headers=intake.operator()
    )
    forbidden = await intake.http.put(path, json=terms, headers=intake.partner())
    put = await intake.http.put(path, json=terms, headers=intake.operator())
    await submitted(intake, "1", "new-hospital")

    assert [a.status_code for a in (before, wrong, forbidden, put)] == [404, 422, 403, 200]
    assert wrong.json()["errors"][0]["pointer"] == "#/service_levels/0"
    seen = await intake.http.get("/v1/cases", headers=intake.partner("new-hospital"))
    assert len(seen.json()["cases"]) == 1


async def test_an_operator_sees_what_came_without_a_case(intake: Intake) -> None:
    await stow(intake, hand())

    waiting = (await intake.http.get("/v1/admin/unannounced", headers=intake.operator())).json()
    await submitted(intake)
    after = await intake.http.get("/v1/admin/unannounced", headers=intake.operator())

    assert [(one["partner"], one["transmissions"]) for one in waiting] == [("st-brigid", 1)]
    assert after.json() == []

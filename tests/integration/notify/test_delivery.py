"""Does the signed report arrive, with the patient's name on it, whatever the receiver does?"""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from shared.contracts.base import CaseId
from shared.runtime import failpoints
from shared.runtime.sealing import new_key_pair
from tests.integration.notify.post_room import CANARIES, OPERATOR, PostRoom, a_case
from tests.unit.notify.cases import PARTNER
from tests.unit.notify.test_fhir import REPORT

CASE = a_case("delivery")


async def until(room: PostRoom, case_id: CaseId, *kinds: str) -> None:
    """Wait for the case to stand so; the timeline's notification is the signal."""
    async with asyncio.timeout(60):
        while await room.standing(case_id) not in kinds:
            await room.live.core.wakeups.wait("notify_timeline", 0.2)


def patient_of(bundle: dict[str, Any]) -> dict[str, Any]:
    found = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient"]
    return dict(found[0])


async def test_the_report_arrives_by_webhook_and_the_clinician_hears_by_mail(
    room: PostRoom,
) -> None:
    await room.configure()
    await room.accept(CASE)
    await room.sign(CASE)

    arrived = await room.receiver.result_of(str(CASE))
    mail = await room.mailbox.mail_about(str(CASE))

    assert patient_of(arrived.bundle)["name"][0] == {
        "use": "official",
        "family": "Doe",
        "given": ["Jane", "Q"],
    }
    assert arrived.bundle["entry"][0]["resource"]["status"] == "final"
    assert not [one for one in CANARIES if one in mail.get_content() + str(mail["Subject"])]
    assert room.mailbox.recipients == ["alice@hospital.example"]
    await until(room, CASE, "awaiting_acknowledgement")
    answer = await room.ask(
        "POST", f"/v1/cases/{CASE}/acknowledge", **{"Idempotency-Key": "seen-1"}
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "delivered")


async def test_an_addendum_follows_under_its_own_webhook_id(room: PostRoom) -> None:
    await room.configure(mail=False)
    await room.accept(CASE)
    finalized = await room.sign(CASE)
    await room.add(finalized)

    await room.receiver.wait_for(lambda: len(room.receiver.arrived) == 2)

    first, second = room.receiver.arrived.values()
    assert first.bundle["entry"][0]["resource"]["status"] == "final"
    assert second.bundle["entry"][0]["resource"]["status"] == "appended"
    assert room.mailbox.mails == []


async def test_a_receiver_that_was_down_gets_it_when_it_is_up_again(room: PostRoom) -> None:
    await room.configure()
    down = [Response(status_code=503)]

    def answer(_request: Request, _body: bytes) -> Response:
        room.receiver.answer = None
        return down.pop()

    room.receiver.answer = answer
    await room.accept(CASE)
    await room.sign(CASE)

    await room.receiver.result_of(str(CASE))  # five seconds later, by the schedule

    first, second = room.receiver.calls
    assert first[0] == second[0], "the webhook-id is the same in every attempt"
    assert down == []
    await until(room, CASE, "awaiting_acknowledgement")


async def test_a_410_disables_the_address_until_an_operator_mends_it(room: PostRoom) -> None:
    await room.configure(mail=False)
    room.receiver.answer = lambda _request, _body: Response(status_code=410)
    await room.accept(CASE)
    await room.sign(CASE)
    await until(room, CASE, "undeliverable")
    other = a_case("another")
    await room.accept(other)
    await room.sign(other)
    [gone] = await room.deliveries("abandoned")
    assert (gone["case_id"], gone["cause"]) == (str(CASE), "gone")
    partner = (await room.operate("GET", f"/v1/admin/partners/{PARTNER}")).json()
    assert partner["disabled_at"] is not None
    async with asyncio.timeout(60):
        while not [
            d for d in await room.deliveries("waiting") if d["cause"] == "endpoint-disabled"
        ]:
            await room.live.core.wakeups.wait("notify_timeline", 0.2)
    assert len(room.receiver.calls) == 1, "nothing is sent to a disabled address"

    room.receiver.answer = None
    await room.configure(mail=False)
    answer = await room.operate(
        "POST", f"/v1/deliveries/{gone['delivery']}/retry", headers={"Idempotency-Key": "mended"}
    )

    assert answer.status_code == 200
    arrived = await room.receiver.result_of(str(CASE))
    assert arrived.id == gone["delivery"]
    await room.receiver.result_of(str(other))


async def test_a_crash_after_the_webhook_repeats_it_under_the_same_id(room: PostRoom) -> None:
    await room.configure(mail=False)
    await room.accept(CASE)
    failpoints.arm("job.performed=raise#2")  # the first job chooses the routes
    await room.sign(CASE)

    await until(room, CASE, "awaiting_acknowledgement")

    assert len(room.receiver.calls) == 2
    assert len(room.receiver.arrived) == 1
    [delivered] = await room.deliveries("delivered")
    assert delivered["attempts"] == 1


async def test_a_partner_nobody_configured_is_seen_and_mended(room: PostRoom) -> None:
    await room.accept(CASE)
    await room.sign(CASE)
    await room.mailbox.mail_about(str(CASE))
    async with asyncio.timeout(60):
        while not (failed := await room.deliveries("failed")):
            await room.live.core.wakeups.wait("notify_timeline", 0.2)
    assert failed[0]["cause"] == "no-endpoint"

    await room.configure()

    await room.receiver.result_of(str(CASE))


async def test_an_identity_that_no_key_opens_is_a_failure_without_words(room: PostRoom) -> None:
    await room.configure()
    room.public_key = new_key_pair()[1]
    await room.accept(CASE)
    await room.sign(CASE)

    async with asyncio.timeout(60):
        while len(failed := await room.deliveries("waiting")) < 2:
            await room.live.core.wakeups.wait("notify_timeline", 0.2)

    assert {one["cause"] for one in failed} == {"identity-unreadable"}
    answer = await room.ask("GET", f"/v1/cases/{CASE}/result")
    assert answer.status_code == 503


async def test_a_report_that_was_changed_in_the_store_is_never_sent(room: PostRoom) -> None:
    await room.configure(mail=False)
    await room.accept(CASE)

    def forge(path: Path) -> None:
        path.unlink()
        path.write_bytes(REPORT.model_dump_json().replace("fracture", "nothing!").encode())

    await room.sign(CASE, before_it_is_told=forge)

    async with asyncio.timeout(60):
        while not (failed := await room.deliveries("waiting")):
            await room.live.core.wakeups.wait("notify_timeline", 0.2)
    assert [one["cause"] for one in failed] == ["report-corrupt"]
    assert room.receiver.calls == []


async def test_each_opening_is_on_the_trail_and_the_trail_can_not_be_changed(
    room: PostRoom,
) -> None:
    await room.configure(mail=False)
    await room.accept(CASE)
    await room.sign(CASE)
    arrived = await room.receiver.result_of(str(CASE))
    assert (await room.ask("GET", f"/v1/cases/{CASE}/result")).status_code == 200

    trail = (await room.operate("GET", f"/v1/admin/cases/{CASE}/openings")).json()

    assert [(one["who"], one["why"]) for one in trail] == [
        ("notify", f"delivery:{arrived.id}"),
        (f"{PARTNER}-client", "result"),
    ]
    for change in ("UPDATE openings SET who = 'x'", "DELETE FROM openings", "TRUNCATE openings"):
        with pytest.raises(Exception, match="append-only"):
            await room.live.core.pool.execute(change)


async def test_operators_are_refused_what_can_not_be(room: PostRoom) -> None:
    await room.configure(mail=False)
    await room.accept(CASE)
    await room.sign(CASE)
    arrived = await room.receiver.result_of(str(CASE))
    await until(room, CASE, "awaiting_acknowledgement")
    key = {"Idempotency-Key": "k"}

    again = await room.operate("POST", f"/v1/deliveries/{arrived.id}/retry", headers=key)
    unknown = await room.operate("POST", "/v1/deliveries/msg_0/retry", headers=key)
    wrong = [
        await room.operate("PUT", f"/v1/admin/partners/{PARTNER}", json=body)
        for body in (
            {"webhook": "ftp://x"},
            {"webhook": "https://user:word@x/"},
            {"webhook": "https://"},
            {"webhok": "https://x/"},
            {"mail": "perhaps"},
        )
    ]

    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (
        409,
        "already-delivered",
    )
    assert unknown.status_code == 404
    assert [one.status_code for one in wrong] == [422] * 5
    assert all("pointer" in one.text for one in wrong)
    assert (await room.operate("GET", "/v1/admin/partners/nobody")).status_code == 404
    missing = await room.operate("POST", "/v1/admin/partners/nobody/rotate-secret")
    assert missing.status_code == 404
    bad = await room.operate("GET", "/v1/deliveries", params={"cursor": "nonsense"})
    assert bad.status_code == 400
    assert OPERATOR not in bad.text

"""A reader's own system hears of their assignments: signed, in order, and again until it does."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from cli.receiver import WebhookReceiver, listening
from services.matching.api.webhooks import Entry
from services.matching.performers import Teller
from services.matching.store import webhooks
from shared.runtime import clock
from shared.runtime.webhooks import sending
from shared.runtime.webhooks.secrets import Safe
from shared.testing.fixtures import Database
from tests.integration.matching.test_edges import following
from tests.integration.matching.ward import Ward, until, ward
from tests.unit.matching.cases import reader

KEY = b"k" * 32
HERE = (ip_network("127.0.0.0/8"),)
SETTINGS: dict[str, Any] = {
    "store_key": SecretStr(b64encode(KEY).decode()),
    "allow_private": HERE,
}


@pytest.fixture
async def telling(postgres: Database, kafka: str, topics: str) -> AsyncIterator[Ward]:
    async with ward(postgres, kafka, topics, **SETTINGS) as opened:
        await opened.roster(reader())
        yield opened


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with listening(WebhookReceiver()) as opened:
        yield opened


async def put(at_work: Ward, url: str) -> dict[str, Any]:
    headers = at_work.reader("dr-osei")
    answer = await at_work.http.put("/v1/webhook", json={"url": url}, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def subscribed(at_work: Ward, receiver: WebhookReceiver) -> None:
    receiver.secrets.append((await put(at_work, receiver.url))["secret"])


async def standing(at_work: Ward) -> dict[str, Any]:
    answer = await at_work.http.get("/v1/webhook", headers=at_work.reader("dr-osei"))
    return dict(answer.json())


def kinds(receiver: WebhookReceiver) -> list[str]:
    return [one.bundle["type"].split(".")[3] for one in receiver.arrived.values()]


def refusing(*codes: int) -> Any:
    """Answer with these codes in turn, then take everything."""
    left = list(codes)

    def answer(_request: Request, _body: bytes) -> Response | None:
        return Response(status_code=left.pop(0)) if left else None

    return answer


async def test_a_readers_system_hears_of_everything_in_order(
    telling: Ward, receiver: WebhookReceiver
) -> None:
    await subscribed(telling, receiver)

    case_id = await telling.case("a")
    assignment = await telling.offer("dr-osei", case_id)
    await telling.post("dr-osei", f"/v1/offers/{assignment}/accept")
    await receiver.wait_for(lambda: len(receiver.arrived) == 2)

    assert kinds(receiver) == ["assignment-offered", "assignment-accepted"]
    [first, _] = receiver.arrived.values()
    assert first.bundle["data"]["case_id"] == str(case_id)
    for one in receiver.arrived.values():  # as OpenAPI describes it
        assert Entry.model_validate(one.bundle).type == one.bundle["type"]
    recorded_at = datetime.fromisoformat(first.bundle["timestamp"])
    assert clock.now() - recorded_at < timedelta(minutes=1)


async def test_what_failed_comes_again_under_its_id_and_nothing_overtakes_it(
    telling: Ward, receiver: WebhookReceiver
) -> None:
    receiver.answer = refusing(500)
    await subscribed(telling, receiver)
    case_id = await telling.case("a")
    assignment = await telling.offer("dr-osei", case_id)
    await receiver.wait_for(lambda: len(receiver.calls) == 1)
    await telling.post("dr-osei", f"/v1/offers/{assignment}/accept")

    async def noted() -> bool:
        return bool((await standing(telling))["cause"] == "http-500")

    assert await until(noted)
    [failing] = (
        await telling.http.get("/v1/operations/webhooks", headers=telling.operator())
    ).json()
    await soon(telling)
    await receiver.wait_for(lambda: len(receiver.arrived) == 2)

    assert (failing["reader"], failing["failed_attempts"]) == ("dr-osei", 1)
    assert kinds(receiver) == ["assignment-offered", "assignment-accepted"]
    assert receiver.calls[0][0] == receiver.calls[1][0]


async def soon(at_work: Ward) -> None:
    """Let the pause before the next attempt be over."""
    await at_work.fetch("UPDATE webhooks SET next_at = now()")


async def test_a_teller_that_dies_before_it_notes_the_answer_loses_nothing(
    postgres: Database, kafka: str, topics: str, receiver: WebhookReceiver
) -> None:
    async with ward(postgres, kafka, topics, **SETTINGS) as first:
        await first.roster(reader())
        receiver.open.clear()
        await subscribed(first, receiver)
        case_id = await first.case("a")
        await first.offer("dr-osei", case_id)
        await receiver.wait_for(lambda: len(receiver.calls) == 1)
        await first.fetch("UPDATE webhooks SET leased_until = now()")  # dead for long
    receiver.open.set()

    async with ward(postgres, kafka, topics, **SETTINGS) as second:
        await receiver.wait_for(lambda: len(receiver.calls) >= 2 and bool(receiver.arrived))
        assignment = await second.offer("dr-osei", case_id)
        await second.post("dr-osei", f"/v1/offers/{assignment}/accept")
        await receiver.wait_for(lambda: len(receiver.arrived) == 2)

    assert kinds(receiver) == ["assignment-offered", "assignment-accepted"]
    assert len({name for name, _ in receiver.calls}) == 2


async def test_a_slow_system_holds_up_nobody_elses(
    telling: Ward, receiver: WebhookReceiver
) -> None:
    receiver.open.clear()
    await subscribed(telling, receiver)
    await telling.offer("dr-osei", await telling.case("a"))
    await receiver.wait_for(lambda: len(receiver.calls) == 1)
    await telling.roster(reader("dr-lund", modalities=("CT",)))
    async with listening(WebhookReceiver()) as other:
        theirs = await telling.http.put(
            "/v1/webhook", json={"url": other.url}, headers=telling.reader("dr-lund")
        )
        other.secrets.append(theirs.json()["secret"])
        await telling.case("b", modalities=("CT",))
        await other.wait_for(lambda: bool(other.arrived))

        assert not receiver.arrived
    receiver.open.set()
    await receiver.wait_for(lambda: bool(receiver.arrived))


async def test_who_lost_the_lease_moves_nothing(telling: Ward, receiver: WebhookReceiver) -> None:
    await subscribed(telling, receiver)
    async with telling.live.core.pool.acquire() as db:
        hook = await webhooks.find(db, "dr-osei")
        assert hook is not None

        told = await webhooks.told(db, hook, 10**6, clock.now())

        after = await webhooks.find(db, "dr-osei")
    assert not told
    assert after == hook


async def test_a_system_that_is_gone_is_left_alone_until_its_address_is_set_again(
    telling: Ward, receiver: WebhookReceiver
) -> None:
    receiver.answer = refusing(410)
    await subscribed(telling, receiver)
    await telling.offer("dr-osei", await telling.case("a"))

    async def stopped() -> bool:
        return bool((await standing(telling))["stopped"] == "gone")

    assert await until(stopped)
    again = await put(telling, receiver.url)
    await receiver.wait_for(lambda: bool(receiver.arrived))

    assert again["secret"] is None  # it was shown once
    assert again["stopped"] is None
    assert receiver.calls[0][0] == receiver.calls[1][0]


async def test_after_the_last_attempt_it_stops_and_the_stream_goes_on_from_there(
    telling: Ward, receiver: WebhookReceiver
) -> None:
    receiver.answer = refusing(*[503] * 3)
    async with listening(WebhookReceiver()) as other:
        await put(telling, other.url)  # the running teller speaks to this one
        case_id = await telling.case("a")
        await telling.offer("dr-osei", case_id)
        await telling.fetch("UPDATE webhooks SET url = $1, next_at = 'infinity'", receiver.url)
    async with sending.client() as http:
        teller = Teller(telling.live.core, http, Safe(KEY), HERE, pauses=(timedelta(0),))
        for _ in range(2):
            await soon(telling)
            async with telling.live.core.pool.acquire() as db:
                hooks = await webhooks.claim(db, clock.now(), 1)
            await asyncio.gather(*(teller.tell(one) for one in hooks))

    async def exhausted() -> bool:
        return bool((await standing(telling))["stopped"] == "exhausted")

    assert await until(exhausted)
    last = (await standing(telling))["last_event_id"]
    async with following(telling, "dr-osei", last) as events:
        _, kind, data = await anext(events)
    assert (kind, data["case_id"]) == ("assignment-offered", str(case_id))


async def test_a_rotated_secret_signs_beside_the_old_one_and_the_webhook_can_be_dropped(
    telling: Ward, receiver: WebhookReceiver
) -> None:
    headers = telling.reader("dr-osei")
    await subscribed(telling, receiver)
    new = (await telling.http.post("/v1/webhook/rotate-secret", headers=headers)).json()["secret"]

    await telling.offer("dr-osei", await telling.case("a"))
    await receiver.wait_for(lambda: bool(receiver.arrived))
    dropped = await telling.http.delete("/v1/webhook", headers=headers)
    none = await telling.http.get("/v1/webhook", headers=headers)
    no_rotation = await telling.http.post("/v1/webhook/rotate-secret", headers=headers)

    assert new not in receiver.secrets  # the old one verified what came
    assert len(receiver.calls[0][1].split(" ")) == 2
    assert (dropped.status_code, none.status_code, no_rotation.status_code) == (204, 404, 404)


async def test_an_address_that_leads_inside_is_refused_by_name(telling: Ward) -> None:
    headers = telling.reader("dr-osei")
    refused = (
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "https://[::1]/",
        "http://93.184.216.34/",
        "ftp://example.org/",
        "https://user:word@example.org/",
    )

    for url in refused:
        answer = await telling.http.put("/v1/webhook", json={"url": url}, headers=headers)

        assert answer.status_code == 422, url
        assert answer.json()["errors"][0]["pointer"] == "#/url"


async def test_without_a_key_there_are_none_and_strangers_have_none(
    at_work: Ward,
) -> None:
    headers = at_work.reader("dr-osei")
    body = {"url": "https://no-such-name.invalid/"}

    answer = await at_work.http.put("/v1/webhook", json=body, headers=headers)
    seen = await at_work.http.get("/v1/operations/webhooks", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (409, "no-webhooks")
    assert seen.status_code == 403

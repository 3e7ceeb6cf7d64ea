"""Does every edge answer alike: with a problem that names the field, and without the patient?"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import structlog
from prometheus_client import REGISTRY

from shared.runtime.errors import PROBLEMS, Unavailable
from shared.runtime.http import bodies
from tests.integration.runtime_edges.conftest import CANARY, Sample, token


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:overread:problem:{code}"
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"]
    assert body["detail"].endswith(".")
    assert len(body["trace_id"]) == 32
    assert "CANARY" not in answer.text
    return body


async def test_a_good_request_is_answered_with_the_security_headers(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/v1/studies/7", json={"laterality": "L"})

    assert answer.status_code == 200
    assert answer.json() == {
        "number": 7,
        "limit": 5,
        "laterality": "L",
        "views": [],
        "name": "",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


async def test_each_wrong_field_is_named_with_its_mend(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/studies/seven?limit=x",
        json={"laterality": "X", "views": [1, "a/b"], "name": CANARY, "nmae": 1},
    )

    body = problem(answer, 422, "invalid-request")
    named = {one.get("pointer") or one["parameter"]: one["detail"] for one in body["errors"]}
    assert body["detail"] == "6 fields are wrong."
    assert named["#/laterality"] == "input should be 'L' or 'R'"
    assert named["#/views/1"].startswith("input should be a valid integer")
    assert named["#/name"] == "has a value that is not allowed here"
    assert named["#/nmae"] == "is not known here: remove it, or mend its name"
    assert named["number"].startswith("input should be a valid integer")
    assert named["limit"].startswith("input should be a valid integer")


@pytest.mark.parametrize(
    ("content", "pointer", "detail"),
    [
        ({}, "#/laterality", "is missing: add it"),
        ([], "#", "input should be"),
        ({"laterality": "L", "a/b~c": 1}, "#/a~1b~0c", "is not known here"),
        ({"laterality": "L", "views": [1, 2, 3, 4]}, "#/views", "list should have at most 3"),
    ],
)
async def test_the_pointer_leads_to_the_field(
    client: httpx.AsyncClient, content: object, pointer: str, detail: str
) -> None:
    body = problem(await client.post("/v1/studies/7", json=content), 422, "invalid-request")

    (error,) = body["errors"]
    assert error["pointer"] == pointer
    assert error["detail"].startswith(detail)


async def test_a_body_that_a_route_parses_itself_is_named_from_where_it_began(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/v1/parsed", json={"laterality": "L", "name": CANARY})

    (error,) = problem(answer, 422, "invalid-request")["errors"]
    assert error["pointer"] == "#/data/name"


async def test_a_flood_of_wrong_fields_is_cut(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/studies/7", json={f"field{n}": 1 for n in range(1000)})

    body = problem(answer, 422, "invalid-request")
    assert body["detail"] == "1001 fields are wrong; the first 50 are named."
    assert len(body["errors"]) == 50


@pytest.mark.parametrize("content", [b'{"name": "CANARY^JANE', b"CANARY^JANE", b"{", b"\xff\xfe{"])
async def test_a_body_that_is_no_json_is_malformed(
    client: httpx.AsyncClient, content: bytes
) -> None:
    json = {"content-type": "application/json"}

    problem(
        await client.post("/v1/studies/7", content=content, headers=json), 400, "malformed-body"
    )


async def test_unknown_addresses_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    problem(await client.get(f"/v1/{CANARY}"), 404, "not-found")
    wrong = await client.delete("/v1/keyed")
    problem(wrong, 405, "method-not-allowed")
    assert wrong.headers["allow"] == "POST"


async def test_a_bug_says_nothing_but_its_trace(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs:
        body = problem(await client.get("/v1/bug"), 500, "bug")

    told = next(line for line in logs if line["event"] == "request_met_bug")
    assert isinstance(told["exc_info"], KeyError)  # the redaction makes its type of it
    assert set(body) == {"type", "title", "status", "detail", "code", "mend", "trace_id"}


async def test_weather_is_503_with_a_time_to_come_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/weather")

    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("code", "field", "status", "told"),
    [
        ("not_found", None, 404, "not-found"),
        ("already_taken", None, 409, "already-taken"),
        ("wrong_laterality", "#/laterality", 422, "wrong-laterality"),
    ],
)
async def test_a_refusal_of_the_decider_is_a_problem(
    client: httpx.AsyncClient, code: str, field: str | None, status: int, told: str
) -> None:
    params = {"field": field} if field else {}

    body = problem(await client.get(f"/v1/refused/{code}", params=params), status, told)

    assert [one["pointer"] for one in body.get("errors", [])] == ([field] if field else [])


async def chunks(size: int, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield bytes(size)


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(("path", "limit"), [("/v1/parsed", bodies.SMALL), ("/v1/images", 5 << 20)])
async def test_a_body_over_its_route_s_limit_is_refused(
    client: httpx.AsyncClient, path: str, limit: int, *, declared: bool
) -> None:
    content = bytes(limit + 1) if declared else chunks(limit // 4 + 1, 4)

    answer = await client.post(path, content=content)

    assert problem(answer, 413, "body-too-large")["limit"] == limit


async def test_a_body_up_to_the_limit_streams_through(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/images", content=chunks(5 << 10, 1 << 10))

    assert answer.json() == 5 << 20


async def test_a_body_that_stops_coming_is_given_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.05)

    async def stuck() -> AsyncIterator[bytes]:
        yield b"half"
        await asyncio.Event().wait()

    problem(await client.post("/v1/images", content=stuck()), 408, "body-too-slow")


@pytest.mark.parametrize("key", [None, "", "x" * 256, "ä", "a\tb"])
async def test_a_missing_or_unusable_idempotency_key_is_refused(
    client: httpx.AsyncClient, key: str | None
) -> None:
    headers = [] if key is None else [(b"Idempotency-Key", key.encode())]

    problem(await client.post("/v1/keyed", headers=headers), 400, "missing-idempotency-key")


async def test_an_idempotency_key_reaches_the_route(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/keyed", headers={"Idempotency-Key": "k-1"})

    assert answer.json() == "k-1"


async def test_who_may_is_asked_of_the_token_alone(client: httpx.AsyncClient) -> None:
    partner = token(scope="partner", tenant="partner-a")

    allowed = await client.get("/v1/cases", headers={**partner, "X-Tenant": "partner-b"})
    either = [
        (await client.get("/v1/either", headers=token(scope=scope))).status_code
        for scope in ("reader", "operator x")
    ]

    assert allowed.json() == "partner-a"
    assert either == [200, 200]


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}])
async def test_no_token_is_401_with_a_bare_challenge(
    client: httpx.AsyncClient, sent: dict[str, str]
) -> None:
    answer = await client.get("/v1/cases", headers=sent)

    problem(answer, 401, "invalid-token")
    assert answer.headers["www-authenticate"] == 'Bearer realm="overread"'


async def test_a_token_with_another_scope_is_403_and_names_what_is_needed(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/v1/cases", headers=token(scope="reader"))

    problem(answer, 403, "insufficient-scope")
    assert 'scope="partner"' in answer.headers["www-authenticate"]


async def test_a_partner_without_tenant_is_401(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/cases", headers=token(scope="partner"))

    assert "tenant" in problem(answer, 401, "invalid-token")["detail"]


async def test_alive_is_not_ready(client: httpx.AsyncClient, sample: Sample) -> None:
    ready = await client.get("/readyz")
    sample.ready["kafka"] = False
    away = await client.get("/readyz")
    sample.ready_error = Unavailable(CANARY)
    unknown = await client.get("/readyz")
    alive = await client.get("/livez")

    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    assert away.status_code == 503
    assert away.json() == {
        "status": "unavailable",
        "checks": {"postgres": "ok", "kafka": "away"},
    }
    assert unknown.status_code == 503
    assert "CANARY" not in unknown.text
    assert alive.status_code == 200


async def test_figures_count_by_template_and_never_by_address(client: httpx.AsyncClient) -> None:
    number = "471147114711"  # no moment among the figures has all of these digits
    await client.post(f"/v1/studies/{number}", json={"laterality": "L"})
    await client.request("CANARY", f"/v1/{CANARY}")

    text = (await client.get("/metrics")).text
    labels = {"method": "POST", "route": "/v1/studies/{number}", "status": "200"}
    assert (REGISTRY.get_sample_value("overread_http_requests_total", labels) or 0) >= 1
    assert 'method="OTHER",route="unmatched",status="404"' in text
    assert number not in text
    assert "CANARY" not in text


async def test_a_request_is_one_log_line_without_address_or_query(
    client: httpx.AsyncClient,
) -> None:
    with structlog.testing.capture_logs() as logs:
        await client.get(f"/v1/cases?name={CANARY}", headers=token(scope="partner", tenant="p-1"))
        await client.get("/livez")

    (line,) = logs
    assert line.pop("seconds") >= 0
    assert line == {
        "module": "shared.runtime.http.edge",
        "event": "http_request",
        "log_level": "info",
        "method": "GET",
        "route": "/v1/cases",
        "status": 200,
        "partner": "p-1",
    }


async def test_the_caller_s_trace_goes_on(client: httpx.AsyncClient) -> None:
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    goes_on = (await client.get("/v1/trace", headers={"traceparent": given})).json()
    begins = (await client.get("/v1/trace")).json()

    assert goes_on["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert begins["trace_id"] != goes_on["trace_id"]
    assert begins["traceparent"].split("-")[1] == begins["trace_id"]


async def test_a_stream_gives_events_and_resumes_after_the_last(client: httpx.AsyncClient) -> None:
    whole = await client.get("/v1/stream")
    rest = await client.get("/v1/stream", headers={"Last-Event-ID": "2"})

    assert whole.headers["content-type"].startswith("text/event-stream")
    assert [line for line in whole.text.splitlines() if line.startswith("id:")] == [
        "id: 1",
        "id: 2",
        "id: 3",
    ]
    assert rest.text == (
        'retry: 3000\n\nevent: case.accepted\ndata: {"number":3,"text":"a\\nb"}\nid: 3\n\n'
    )


async def test_the_api_describes_itself_with_its_security(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()

    assert described["openapi"].startswith("3.1")
    assert described["paths"]["/v1/cases"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "/livez" not in described["paths"]


def test_every_problem_of_the_edge_is_in_the_table() -> None:
    assert {"body-too-slow", "malformed-body", "bug", "not-found"} <= set(PROBLEMS)

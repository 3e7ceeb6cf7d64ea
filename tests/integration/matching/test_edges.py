"""Matching's edges on real Postgres and over HTTP: streams, roster, contracts, board, start."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from shared.runtime import clock
from shared.testing.fixtures import Database
from tests.integration.matching.ward import Ward, later, until, ward
from tests.unit.matching.cases import quarantined, reader, requested

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "matching.yaml"


@asynccontextmanager
async def following(
    at_work: Ward, name: str, last: str | None = None
) -> AsyncIterator[AsyncIterator[tuple[str, str, dict[str, Any]]]]:
    """Follow a reader's stream: (id, name without prefix, data) each."""
    headers = at_work.reader(name) | ({"Last-Event-ID": last} if last else {})
    path = "/v1/worklist/stream"
    async with at_work.http.stream("GET", path, headers=headers, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
    block: dict[str, str] = {}
    async for line in answer.aiter_lines():
        field, _, value = line.partition(": ")
        if line:
            block[field] = value
        elif "data" in block:
            yield block["id"], block["event"].split(".")[3], json.loads(block.pop("data"))


async def test_the_stream_tells_of_offers_and_resumes_where_it_was(at_work: Ward) -> None:
    await at_work.roster(reader())
    async with following(at_work, "dr-osei") as events:
        case_id = await at_work.case("a")
        first, kind, data = await anext(events)
    assert (kind, data["case_id"]) == ("assignment-offered", str(case_id))

    await at_work.post("dr-osei", f"/v1/offers/{data['assignment']}/accept")
    async with following(at_work, "dr-osei", first) as events:
        last, kind, data = await anext(events)

    assert kind == "assignment-accepted"
    assert data["reader"] == "dr-osei"
    assert (await at_work.worklist("dr-osei"))["last_event_id"] == last


async def test_the_stream_tells_the_holder_how_the_clock_stands(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)
    await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")
    seen = (await at_work.worklist("dr-osei"))["last_event_id"]

    async with following(at_work, "dr-osei", seen) as events:
        await at_work.tell(requested().model_copy(update={"case_id": case_id}))
        _, kind, data = await anext(events)

    assert (kind, data["party"]) == ("clock-paused", "partner")


async def test_another_readers_stream_is_silent(at_work: Ward) -> None:
    await at_work.roster(reader(), reader("dr-lund", subspecialties=("chest",)))
    mine = await at_work.case("mine")
    await at_work.offer("dr-osei", mine)
    theirs = await at_work.case("theirs", subspecialty="chest")

    async with following(at_work, "dr-lund") as events:
        _, _, data = await anext(events)

    assert data["case_id"] == str(theirs)


async def test_a_last_event_id_that_is_none_of_ours_is_refused(at_work: Ward) -> None:
    headers = at_work.reader("dr-osei") | {"Last-Event-ID": "yesterday"}

    answer = await at_work.http.get("/v1/worklist/stream", headers=headers)

    assert answer.status_code == 400


async def test_stat_stands_first(at_work: Ward) -> None:
    await at_work.roster(reader())
    for name, level in (("a", "routine"), ("b", "urgent"), ("c", "emergent"), ("d", "urgent")):
        await at_work.offer("dr-osei", await at_work.case(name, service_level=level))

    offers = (await at_work.worklist("dr-osei"))["offers"]

    assert [one["service_level"] for one in offers] == ["emergent", "urgent", "urgent", "routine"]


FOREIGN = (
    ("GET", "/v1/worklist", "operator"),
    ("GET", "/v1/worklist/stream", "partner"),
    ("POST", "/v1/offers/a/accept", "operator"),
    ("GET", "/v1/board", "reader"),
    ("GET", "/v1/admin/readers/dr-osei", "reader"),
    ("PUT", "/v1/admin/readers/dr-osei", "reader"),
    ("PUT", "/v1/admin/contracts/st-elsewhere", "partner"),
)


async def test_each_edge_is_for_its_own_people(at_work: Ward) -> None:
    for method, path, scope in FOREIGN:
        headers = at_work.issuer.headers("somebody", scope, tenant="st-elsewhere")

        nobody = await at_work.http.request(method, path)
        stranger = await at_work.http.request(method, path, headers=headers)

        assert (path, nobody.status_code, stranger.status_code) == (path, 401, 403)


async def test_a_reader_is_written_read_and_kept_with_who_changed_it(at_work: Ward) -> None:
    await at_work.roster(reader())
    path = "/v1/admin/readers/dr-osei"

    found = await at_work.http.get(path, headers=at_work.operator())
    missing = await at_work.http.get("/v1/admin/readers/dr-no", headers=at_work.operator())
    [change] = await at_work.fetch("SELECT subject, what FROM changes")

    assert found.json() == reader().model_dump(mode="json")
    assert missing.status_code == 404
    assert tuple(change) == ("operator", "reader:dr-osei")


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"id": "dr-lund"}, "#/id"),
    ({"time_zone": "Boston"}, "#/time_zone"),
    ({"capacity": -1}, "#/capacity"),
    ({"capactiy": 3}, "#/capactiy"),
    ({"shifts": [{"start": "25:00", "end": "06:00"}]}, "#/shifts/0/start"),
    ({"licences": [{"jurisdiction": "US-MA"}]}, "#/licences/0/expires_on"),
    ({"modalities": []}, "#/modalities"),
)


async def test_a_wrong_field_of_a_reader_is_named(at_work: Ward) -> None:
    for changes, pointer in WRONG:
        body = reader().model_dump(mode="json") | changes
        path = "/v1/admin/readers/dr-osei"

        answer = await at_work.http.put(path, json=body, headers=at_work.operator())

        assert answer.status_code == 422
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert await at_work.fetch("SELECT id FROM readers") == []


async def test_a_contract_whose_budgets_do_not_fit_is_refused(at_work: Ward) -> None:
    budgets = {"deid": "PT1H", "match": "PT1H", "read": "PT1H", "deliver": "PT1H"}
    terms = {"target": "PT2H", "budgets": budgets, "offer_window": "PT5M"}
    body = {"partner": "st-elsewhere", "levels": {"urgent": terms}}
    path = "/v1/admin/contracts/st-elsewhere"

    refused = await at_work.http.put(path, json=body, headers=at_work.operator())
    terms["target"] = "PT5H"
    taken = await at_work.http.put(path, json=body, headers=at_work.operator())
    found = await at_work.http.get(path, headers=at_work.operator())

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/levels/urgent"
    assert taken.status_code == 200
    assert found.json()["levels"]["urgent"]["target"] == "PT5H"


async def test_the_board_shows_every_clock_page_by_page(at_work: Ward) -> None:
    held = await at_work.case("held", service_level="urgent")
    await at_work.tell(requested().model_copy(update={"case_id": held}))
    for n in range(4):
        await at_work.case(f"open {n}")
    await at_work.tell(quarantined("x").model_copy(update={"case_id": held}))

    async def page(**query: Any) -> dict[str, Any]:
        answer = await at_work.http.get("/v1/board", params=query, headers=at_work.operator())
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    first = await page(limit=3)
    second = await page(limit=3, cursor=first["next"])
    paused = await page(clock="paused")
    nobody = await page(partner="nobody")

    ids = [one["case_id"] for one in first["cases"] + second["cases"]]
    assert len(ids) == len(set(ids)) == 5
    assert ids[0] == str(held)
    assert second["next"] is None
    assert [one["case_id"] for one in paused["cases"]] == [str(held)]
    assert nobody["cases"] == []
    counts = {(one["stage"], one["clock"]): one["cases"] for one in first["summary"]}
    assert counts["match", "paused"] == 1
    assert counts["match", "in_time"] == 4
    assert sum(counts.values()) == 5
    wrong = await at_work.http.get("/v1/board?cursor=x", headers=at_work.operator())
    assert wrong.status_code == 422


async def test_a_clock_that_ran_out_while_the_service_was_down_breaches_at_the_start(
    postgres: Database, kafka: str, topics: str
) -> None:
    async with ward(postgres, kafka, topics) as at_work:
        started = clock.now() - timedelta(minutes=58)
        case_id = await at_work.case("a", service_level="emergent", accepted_at=started)

    async def breached() -> bool:
        headers = at_work.operator()
        board = await at_work.http.get("/v1/board?clock=breached", headers=headers)
        return [one["case_id"] for one in board.json()["cases"]] == [str(case_id)]

    with later(timedelta(minutes=3)):
        async with ward(postgres, kafka, topics) as at_work:
            assert await until(breached)


async def test_the_seed_is_planted_at_the_start_and_yields_to_operators(
    postgres: Database, kafka: str, topics: str
) -> None:
    async with ward(postgres, kafka, topics, seed=EXAMPLE) as at_work:
        path = "/v1/admin/readers/dr-iyer"
        found = (await at_work.http.get(path, headers=at_work.operator())).json()
        body = found | {"capacity": 1}
        await at_work.http.put(path, json=body, headers=at_work.operator())

    async with ward(postgres, kafka, topics, seed=EXAMPLE) as at_work:
        after = (await at_work.http.get(path, headers=at_work.operator())).json()
        other = "/v1/admin/readers/dr-osei"
        assert (await at_work.http.get(other, headers=at_work.operator())).status_code == 200

    assert found["capacity"] == 8
    assert after["capacity"] == 1


def test_a_broken_seed_stops_the_start_and_says_where(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(EXAMPLE.read_text().replace("time_zone: Australia/Sydney", "time_zone: Mars"))
    environment = {
        "MATCHING_POSTGRES": "postgresql://x:y@127.0.0.1:1/z",
        "MATCHING_PORT": "8103",
        "MATCHING_SEED": str(seed),
        "OVERREAD_KAFKA": "127.0.0.1:1",
        "OVERREAD_OBJECTS": str(tmp_path),
        "OVERREAD_ISSUER": "http://127.0.0.1:1",
        "PATH": "",
    }

    ended = subprocess.run(
        [sys.executable, "-m", "services.matching"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 78
    assert "seed.yaml, line 121, readers.8.time_zone: an IANA time zone is wanted" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_the_figures_of_the_clocks_are_published(at_work: Ward) -> None:
    await at_work.case("a")

    async def measured() -> bool:
        text = (await at_work.http.get("/metrics")).text
        return 'overread_case_clocks{stage="match",standing="in_time"} 1.0' in text

    assert await until(measured)

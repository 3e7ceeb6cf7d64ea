"""What does a partner see over HTTP? Its own cases, all of them, and nobody else's."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.notify.domain.events import Noted
from services.notify.domain.state import Dossier, Preparing, State
from services.notify.store import cases, timeline
from services.notify.store.timeline import Position
from shared.contracts.base import CaseId
from shared.contracts.deid import CaseQuarantined
from shared.contracts.envelope import Recorded, derived_id
from shared.contracts.matching import AssignmentReleased
from shared.runtime.handle import Change
from shared.runtime.postgres import Pool, open_pool
from shared.testing.fixtures import Database
from shared.testing.spec import NOON
from tests.integration.notify.post_room import CANARIES, PostRoom, a_case, post_room
from tests.unit.notify.cases import PARTNER

CASE = a_case("edges")
OTHER = "another-hospital"
SEEN = {"Idempotency-Key": "seen-1"}


async def delivered(room: PostRoom, case_id: CaseId = CASE) -> None:
    await room.configure()
    await room.accept(case_id)
    await room.sign(case_id)
    await room.receiver.result_of(str(case_id))


async def test_the_result_can_be_fetched_again_and_again(room: PostRoom) -> None:
    await delivered(room)

    answers = [await room.ask("GET", f"/v1/cases/{CASE}/result") for _ in range(2)]

    assert answers[0].headers["content-type"] == "application/fhir+json"
    assert answers[0].headers["cache-control"] == "no-store"
    assert answers[0].content == answers[1].content
    [pushed] = room.receiver.arrived.values()
    assert answers[0].json() == pushed.bundle


async def test_anothers_case_is_as_unknown_as_one_that_never_was(room: PostRoom) -> None:
    await delivered(room)
    never = a_case("never")

    paths = (("GET", ""), ("GET", "/result"), ("GET", "/timeline"), ("POST", "/acknowledge"))
    for method, path in paths:
        theirs = await room.ask(method, f"/v1/cases/{CASE}{path}", OTHER, **SEEN)
        nobodys = await room.ask(method, f"/v1/cases/{never}{path}", **SEEN)
        assert (theirs.status_code, nobodys.status_code) == (404, 404)
        assert {**theirs.json(), "instance": 0, "trace": 0, "trace_id": 0} == {
            **nobodys.json(), "instance": 0, "trace": 0, "trace_id": 0,
        }  # fmt: skip
        assert "Doe" not in theirs.text
    trail = (await room.operate("GET", f"/v1/admin/cases/{CASE}/openings")).json()
    assert {one["who"] for one in trail} == {"notify"}


async def test_who_has_no_token_or_the_wrong_scope_gets_nothing(room: PostRoom) -> None:
    await delivered(room)
    paths = [("GET", f"/v1/cases/{CASE}/{what}") for what in ("result", "timeline")]
    paths += [("POST", f"/v1/cases/{CASE}/acknowledge"), ("GET", "/v1/timeline/stream")]
    operators = [("GET", "/v1/deliveries"), ("GET", "/v1/admin/held")]
    operators += [("GET", f"/v1/admin/partners/{PARTNER}"), ("PUT", "/v1/admin/partners/x")]
    operators += [("POST", f"/v1/admin/partners/{PARTNER}/rotate-secret")]

    for method, path in paths + operators:
        assert (await room.http.request(method, path)).status_code == 401
    reader = room.issuer.headers("dr-osei", "reader")
    for method, path in paths + operators:
        assert (await room.http.request(method, path, headers=reader)).status_code == 403
    for method, path in operators:
        assert (await room.ask(method, path, **SEEN)).status_code == 403


async def test_an_acknowledgement_needs_a_key_and_counts_once(room: PostRoom) -> None:
    path = f"/v1/cases/{CASE}/acknowledge"
    await room.configure()
    await room.accept(CASE)
    early = await room.ask("POST", path, **SEEN)
    await room.sign(CASE)
    await room.receiver.result_of(str(CASE))

    assert early.status_code == 409
    assert (await room.ask("POST", path)).status_code == 400
    for key in ("seen-2", "seen-2", "seen-3"):
        assert (await room.ask("POST", path, **{"Idempotency-Key": key})).status_code == 200
    entries = (await room.ask("GET", f"/v1/cases/{CASE}/timeline")).json()["entries"]
    types = [one["type"] for one in entries]
    assert types.count("org.overread.notify.result-acknowledged.v1") == 1


async def test_the_timeline_tells_the_whole_story_without_a_name(room: PostRoom) -> None:
    await room.tell(
        AssignmentReleased(case_id=CASE, assignment="a-0", reader="dr-early", reason="ill")
    )
    await delivered(room)
    await room.tell(CaseQuarantined(case_id=CASE, partner=PARTNER, findings=()))

    answer = await room.ask("GET", f"/v1/cases/{CASE}/timeline")

    names = [one["type"].removeprefix("org.overread.") for one in answer.json()["entries"]]
    assert names[:3] == [
        "matching.assignment-released.v1",
        "intake.case-accepted.v1",
        "reporting.report-finalized.v1",
    ]
    assert "deid.case-quarantined.v1" in names
    assert "notify.delivery-planned.v1" in names
    assert not [one for one in (*CANARIES, "dr-early", "reports/") if one in answer.text]


@asynccontextmanager
async def stream(room: PostRoom, last: str | None = None) -> AsyncIterator[AsyncIterator[Any]]:
    """Follow the partner's stream: (event id, type, data) of each line."""
    headers = room.issuer.headers("client", "partner", tenant=PARTNER)
    headers |= {"Last-Event-ID": last} if last else {}
    async with (
        httpx.AsyncClient(base_url=room.live.url, timeout=60) as client,
        client.stream("GET", "/v1/timeline/stream", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        yield _events(answer)


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
    found: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if line:
            found[name] = value
        elif "data" in found:
            yield found["id"], found["event"], json.loads(found["data"])
            found = {}


async def test_the_stream_is_live_and_resumes_after_the_last_event(room: PostRoom) -> None:
    await room.accept(a_case("theirs"), OTHER)
    async with asyncio.timeout(60), stream(room) as live:
        await room.accept(CASE)
        first = await anext(live)
        await room.tell(CaseQuarantined(case_id=CASE, partner=PARTNER, findings=()))
        second = await anext(live)
    await room.accept(a_case("one more"))

    async with asyncio.timeout(60), stream(room, first[0]) as resumed:
        again = await anext(resumed)
        third = await anext(resumed)

    assert first[1] == "org.overread.intake.case-accepted.v1"
    assert first[2]["case_id"] == str(CASE)
    assert again == second
    assert third[2]["case_id"] == str(a_case("one more"))


async def test_an_event_id_of_another_stream_is_refused(room: PostRoom) -> None:
    for nonsense in ("abc", "1-", "-", "1-x"):
        answer = await room.ask("GET", "/v1/timeline/stream", **{"Last-Event-ID": nonsense})
        assert answer.status_code == 400


def changes(case_ids: Iterable[UUID], n: int) -> list[Change[State]]:
    noted = [Noted(case_id=CaseId(c), partner=PARTNER, what="x.v1", facts={}) for c in case_ids]
    state = Preparing(dossier=Dossier(partner=PARTNER))
    return [
        Change(one.case_id, state, (Recorded(one, derived_id(one.case_id, n), NOON),))
        for one in noted
    ]


async def test_no_line_slips_past_a_reader_while_many_write(
    postgres: Database, kafka: str, topics: str, tmp_path: Path
) -> None:
    """Transactions that began early may end late: a reader must wait for them, or miss lines."""
    writers, each = 6, 15
    async with (
        post_room(postgres, kafka, topics, tmp_path) as room,
        open_pool(postgres.dsn("notify"), "notify", size=writers + 1) as pool,
    ):
        reading = asyncio.create_task(_read_all(room.live.core.pool, writers * each))
        await asyncio.gather(*(_write(pool, writer, each) for writer in range(writers)))
        seen = await asyncio.wait_for(reading, 60)

    assert len(seen) == len(set(seen)) == writers * each


async def _write(pool: Pool, writer: int, each: int) -> None:
    for n in range(each):
        async with pool.acquire() as db, db.transaction():
            await cases.save(db, changes([UUID(int=writer + 1)], n))
            await asyncio.sleep(0.001 * ((writer * 7 + n * 3) % 11))


async def _read_all(pool: Pool, wanted: int) -> list[UUID]:
    position, seen = Position(), list[UUID]()
    while len(seen) < wanted:
        async with pool.acquire() as db:
            lines = await timeline.timeline_after(db, PARTNER, position, most=7)
        seen += [line.id for line in lines]
        position = lines[-1].position if lines else position
        await asyncio.sleep(0)
    return seen


async def test_a_report_whose_identity_does_not_come_is_shown_to_operators(
    room: PostRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.domain.decide.IDENTITY_PATIENCE", NOON - NOON)
    await room.configure()
    finalized = await room.sign(CASE)
    async with asyncio.timeout(60):
        while not (held := (await room.operate("GET", "/v1/admin/held")).json()):
            await room.live.core.wakeups.wait(timeline.CHANNEL, 0.2)
    assert [one["case_id"] for one in held] == [str(CASE)]
    assert (await room.ask("GET", f"/v1/cases/{CASE}/result")).status_code == 404

    await room.accept(CASE)

    await room.receiver.result_of(str(CASE))
    assert (await room.operate("GET", "/v1/admin/held")).json() == []
    assert finalized.partner == PARTNER


async def test_the_seed_is_planted_once_and_an_operators_word_stays(
    postgres: Database, kafka: str, topics: str, tmp_path: Path
) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("partners:\n  - {partner: st-elsewhere, mail: true}\n")
    path = f"/v1/admin/partners/{PARTNER}"
    for mail in (True, False):
        async with post_room(postgres, kafka, topics, tmp_path, seed=seed) as room:
            assert (await room.operate("GET", path)).json()["mail"] is mail
            await room.operate("PUT", path, json={"mail": False})


async def test_the_identity_is_in_no_table_no_trace_and_no_log(
    postgres: Database, kafka: str, topics: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with post_room(postgres, kafka, topics, tmp_path, telemetry=tmp_path) as room:
        await delivered(room)
        await room.mailbox.mail_about(str(CASE))
        room.mailbox.refuse = "550 <alice@hospital.example>: no such user Alice Asks"
        finalized = await room.sign(a_case("refused"))
        await room.accept(finalized.case_id)
        await room.receiver.result_of(str(finalized.case_id))
        await room.ask("GET", f"/v1/cases/{CASE}/result?name=Doe")
        async with asyncio.timeout(60):
            while not await room.deliveries("abandoned"):
                await room.live.core.wakeups.wait(timeline.CHANNEL, 0.2)
        tables = await _tables(room.live.core.pool)

    out, err = capfd.readouterr()
    everything = [tables, out, err, *_files(tmp_path)]
    assert "smtp-550" in tables
    for canary in CANARIES:
        assert not [text for text in everything if canary in text], canary


def _files(folder: Path) -> list[str]:
    """Read all but the reports, which name nobody and are not notify's."""
    found = (path for path in folder.rglob("*") if path.is_file() and "reports" not in path.parts)
    return [path.read_text(errors="replace") for path in found]


async def _tables(pool: Pool) -> str:
    names = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'notify'")
    rows = [await pool.fetch(f'SELECT t::text FROM "{name[0]}" t') for name in names]  # noqa: S608
    assert len(names) > 8
    return "\n".join(str(row[0]) for table in rows for row in table)

"""Operations on real Postgres and over HTTP: orders, the live board, forecasts, reconciliation."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest

from services.matching.domain.state import Assigned
from services.matching.store import watch as accounts
from services.matching.watch import GRACE, LOOK_SECONDS
from shared.contracts.base import CaseId
from shared.contracts.intake import CaseRejected, CaseSubmitted
from shared.runtime import clock
from tests.integration.matching.ward import ORIGIN, Ward, until
from tests.unit.matching.cases import (
    cancelled,
    deidentified,
    delivered,
    finalized,
    reader,
    requested,
)


async def order(at_work: Ward, case_id: Any, what: str, body: Any) -> httpx.Response:
    path = f"/v1/cases/{case_id}/{what}"
    return await at_work.http.post(path, json=body, headers=at_work.operator())


async def get(at_work: Ward, path: str) -> Any:
    answer = await at_work.http.get(path, headers=at_work.operator())
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_operator_pauses_and_resumes_and_it_is_on_record(at_work: Ward) -> None:
    case_id = await at_work.case("a")

    hold = {"reason": "legal_hold", "party": "operator"}
    paused = await order(at_work, case_id, "pause", hold)
    again = await order(at_work, case_id, "pause", hold)
    resumed = await order(at_work, case_id, "resume", {"reason": "legal_hold"})
    nothing = await order(at_work, case_id, "resume", {"reason": "legal_hold"})
    kept = await get(at_work, f"/v1/cases/{case_id}/orders")

    assert (paused.json()["clock"], resumed.json()["clock"]) == ("paused", "in_time")
    assert (again.status_code, again.json()["code"]) == (409, "no-change")
    assert resumed.json()["due_at"] > paused.json()["due_at"]
    assert (nothing.status_code, nothing.json()["code"]) == (409, "not-paused")
    assert [(one["what"], one["subject"]) for one in kept] == [
        ("pause", "operator"),
        ("resume", "operator"),
    ]
    assert kept[0]["terms"] == hold


async def test_an_operator_changes_the_level(at_work: Ward) -> None:
    case_id = await at_work.case("a")

    answer = await order(at_work, case_id, "service-level", {"service_level": "emergent"})

    board = await get(at_work, "/v1/board")
    assert answer.status_code == 200
    assert board["cases"][0]["service_level"] == "emergent"


async def test_an_operator_gives_a_case_to_another_reader(at_work: Ward) -> None:
    await at_work.roster(reader(), reader("dr-lund", subspecialties=("chest", "musculoskeletal")))
    await at_work.roster(reader("dr-x", licences=()))
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)
    await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")

    body = {"reason": "reassigned", "reader": "dr-lund"}
    unable = await order(at_work, case_id, "reassign", body | {"reader": "dr-x"})
    unknown = await order(at_work, case_id, "reassign", body | {"reader": "dr-nobody"})
    moved = await order(at_work, case_id, "reassign", body)
    theirs = await at_work.offer("dr-lund", case_id)
    taken = await at_work.post("dr-lund", f"/v1/offers/{theirs}/accept")

    assert (unable.status_code, unknown.status_code) == (422, 422)
    assert "licence" in unable.json()["detail"]
    assert moved.json()["assignment"] == "offered"
    assert taken.status_code == 200
    state = await at_work.state(case_id)
    assert isinstance(state.assignment, Assigned)
    assert state.assignment.reader == "dr-lund"


WRONG: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("pause", {"reason": "because", "party": "operator"}, "#/reason"),
    ("pause", {"reason": "other", "party": "patient"}, "#/party"),
    ("service-level", {"service_level": "stat"}, "#/service_level"),
    ("reassign", {"reason": "other", "reader": "a b"}, "#/reader"),
    ("reassign", {"reason": "other", "why": "x"}, "#/why"),
)


@pytest.mark.parametrize(("what", "body", "pointer"), WRONG)
async def test_a_wrong_order_names_its_field(
    at_work: Ward, what: str, body: dict[str, Any], pointer: str
) -> None:
    case_id = await at_work.case("a")

    answer = await order(at_work, case_id, what, body)

    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_orders_are_for_operators_and_known_cases(at_work: Ward) -> None:
    case_id = await at_work.case("a")
    body = {"reason": "other", "party": "operator"}

    stranger = await at_work.post("dr-osei", f"/v1/cases/{case_id}/pause", body)
    unknown = await order(at_work, UUID(int=1), "pause", body)

    assert (stranger.status_code, unknown.status_code) == (403, 404)


async def test_the_live_board_counts_by_partner_level_and_stage(at_work: Ward) -> None:
    oldest = await at_work.case("a", accepted_at=clock.now() - timedelta(hours=1))
    await at_work.case("b")
    held = await at_work.case("c", service_level="urgent", partner="valley")
    await at_work.tell(requested().model_copy(update={"case_id": held}))

    board = await get(at_work, "/v1/board/live")

    lanes = {(one["partner"], one["service_level"], one["stage"]): one for one in board["lanes"]}
    assert set(lanes) == {("st-elsewhere", "routine", "match"), ("valley", "urgent", "match")}
    routine = lanes["st-elsewhere", "routine", "match"]
    assert (routine["in_time"], routine["paused"], routine["oldest"]) == (2, 0, str(oldest))
    assert lanes["valley", "urgent", "match"]["paused"] == 1


async def test_the_live_board_is_followed(at_work: Ward) -> None:
    headers = at_work.operator()
    async with at_work.http.stream("GET", "/v1/board/stream", headers=headers) as answer:
        events = _named(answer)
        first = await anext(events)
        await at_work.case("a")
        second = await anext(events)

    assert first["lanes"] == []
    assert [one["in_time"] for one in second["lanes"]] == [1]


async def _named(answer: httpx.Response) -> Any:
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@pytest.mark.usefixtures("restless")
async def test_a_queue_too_long_is_at_risk_long_before_its_budgets_say_so(at_work: Ward) -> None:
    case_id = await at_work.case("a")  # nobody reads this field at all

    async def at_risk() -> bool:
        board = await get(at_work, "/v1/board?clock=at_risk")
        return [one["case_id"] for one in board["cases"]] == [str(case_id)]

    assert await until(at_risk)
    board = await get(at_work, "/v1/board/live")
    assert board["lanes"][0]["expected_late"] == 1


def submitted(case_id: CaseId) -> CaseSubmitted:
    return CaseSubmitted(
        case_id=case_id,
        partner="st-elsewhere",
        service_level="routine",
        reason_for_review="cancer",
        submitted_at=clock.now(),
        expected_studies=1,
        sealed_identity="sealed",
    )


def case(name: str) -> CaseId:
    return CaseId(uuid5(ORIGIN, name))


async def test_every_submitted_case_is_in_one_account(at_work: Ward) -> None:
    await at_work.tell(submitted(case("collecting")))
    await at_work.tell(submitted(case("owed")))
    await at_work.tell(requested().model_copy(update={"case_id": case("owed")}))
    await at_work.tell(submitted(case("withdrawn")))
    await at_work.tell(cancelled().model_copy(update={"case_id": case("withdrawn")}))
    await at_work.tell(submitted(case("rejected")))
    await at_work.tell(CaseRejected(case_id=case("rejected"), partner="st-elsewhere", reasons=()))
    running = await at_work.case("running")
    done = await at_work.case("done")
    await at_work.tell(finalized(clock.now()).model_copy(update={"case_id": done}))
    await at_work.tell(delivered(clock.now()).model_copy(update={"case_id": done}))
    paused = await at_work.case("paused")
    await at_work.tell(requested().model_copy(update={"case_id": paused}))

    async with at_work.live.core.pool.acquire() as db:
        later = clock.now() + timedelta(minutes=1)
        sums, ended = await accounts.sums(db, later), await accounts.ended(db)

    assert sums == {"running": 1, "waiting": 3, "ended": 2}
    assert ended == 1
    owners = await at_work.fetch("SELECT case_id, owner FROM cases WHERE owner IS NOT NULL")
    found = {row["case_id"]: row["owner"] for row in owners}
    # an operator's, once a round has found that the roster is empty
    assert found.pop(running) in {"platform", "operator"}
    assert found == {
        case("collecting"): "platform",
        case("owed"): "partner",
        paused: "partner",
    }


@pytest.mark.usefixtures("restless")
async def test_a_case_out_of_sight_alarms(at_work: Ward) -> None:
    orphan = case("nobody submitted it")
    await at_work.tell(deidentified(orphan))
    silent = await at_work.case("its deadline was lost")

    async def foretold() -> Any:
        return await at_work.fetch("SELECT FROM cases WHERE case_id = $1 AND at_risk", silent)

    assert await until(foretold)  # since nobody reads it; nothing more is said of it after that
    await at_work.fetch("DELETE FROM timers WHERE case_id = $1", silent)
    await at_work.fetch("UPDATE cases SET seen_at = seen_at - interval '1 minute'")

    async def alarmed() -> bool:
        text = (await at_work.http.get("/metrics")).text
        return 'overread_unaccounted_cases{fault="never_accepted"} 1.0' in text

    assert await until(alarmed, 60)  # within the minute
    told = await get(at_work, "/v1/operations/reconciliation")
    assert told["unaccounted"] == 2
    assert {one["case_id"]: one["fault"] for one in told["astray"]} == {
        str(orphan): "never_accepted",
        str(silent): "clock_without_deadline",
    }


async def test_the_watch_looks_often_enough_for_the_minute() -> None:
    assert 2 * LOOK_SECONDS + GRACE.total_seconds() < 60

"""A reader reads over HTTP: on a real Postgres, a real object folder and with real tokens."""

import asyncio
import hashlib
import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.reporting.domain.canonical import canonical
from services.reporting.domain.state import State
from services.reporting.store import STATES
from shared.contracts.base import CaseId
from shared.contracts.matching import AssignmentReleased
from shared.contracts.report import AddendumDocument, ReportDocument
from tests.integration.reporting.listening import heard, publish
from tests.integration.reporting.office import FIRST_TEXT, QUESTION, Desk, Office, image
from tests.unit.reporting.cases import (
    OTHER,
    READER,
    accepted,
    assigned,
    claim,
    no_fracture,
    opinion,
)

OPINION = opinion().model_dump(mode="json")
COMPARISON = {
    "first_claims": [no_fracture().model_dump(mode="json")],
    "pairs": [{"first": "f-1", "second": "s-1", "clinically_important": True}],
}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["code"] == code
    return found


def fields(answer: httpx.Response) -> list[str]:
    return [one.get("pointer") or one["parameter"] for one in answer.json()["errors"]]


def ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def locked(desk: Desk) -> None:
    ok(await desk.post("/start"))
    ok(await desk.put("/draft", OPINION, 0))
    ok(await desk.post("/lock"))


async def signed(desk: Desk) -> dict[str, Any]:
    await locked(desk)
    ok(await desk.post("/reveal"))
    ok(await desk.put("/comparison", COMPARISON, 1))
    return ok(await desk.post("/finalize"))


async def test_a_case_is_read_compared_and_signed(at_work: Office) -> None:
    case = await at_work.case("whole")
    desk = at_work.desk(case)

    seen = ok(await desk.get())
    assert (seen["state"], seen["revision"], seen["first_report"]) == ("assigned", 0, None)
    assert seen["clinical_question"] == {"status": "released", "text": QUESTION}
    assert seen["history"] == {"status": "withheld", "text": None}
    assert [i["n"] for i in seen["studies"][0]["instances"]] == [1, 2]

    started = ok(await desk.post("/start"))
    assert (started["studies"][0]["instance_count"], started["studies"][0]["instances"]) == (
        2,
        None,
    )
    saved = await desk.put("/draft", {"impression": "Fracture."}, 0)
    assert saved.headers["etag"] == '"1"'
    assert "#/technique" in [found["field"] for found in saved.json()["lint"]]
    assert ok(await desk.put("/draft", OPINION, 1))["lint"] == []
    assert len(ok(await desk.post("/lock"))["opinion_sha256"]) == 64

    opened = ok(await desk.post("/reveal"))["first_report"]
    assert (opened["available"], opened["text"]) == (True, FIRST_TEXT)
    compared = ok(await desk.put("/comparison", COMPARISON, 2))
    assert (compared["verdict"], compared["discrepancy"]["radpeer"]) == ("refuted", "2b")

    final = ok(await desk.post("/finalize"))
    assert final["state"] == "final"
    report = await desk.get("/report")
    digest = hashlib.sha256(report.content).hexdigest()
    assert digest == final["report"]["document"]["sha256"]
    assert report.headers["etag"] == f'"{digest}"'
    document = ReportDocument.model_validate_json(report.content)
    assert canonical(document) == report.content
    assert (document.signer, document.verdict, document.blind) == (READER, "refuted", True)
    assert hashlib.sha256(canonical(document.opinion)).hexdigest() == document.opinion_sha256


async def test_an_instance_is_streamed_whole_and_a_broken_one_never_is(at_work: Office) -> None:
    case = await at_work.case("images")
    desk = at_work.desk(case)
    shown = ok(await desk.get())["studies"][0]["instances"]

    whole = await at_work.http.get(shown[1]["href"], headers=desk.headers)
    assert whole.content == image(1)
    assert whole.headers["content-type"] == "application/dicom"
    assert whole.headers["etag"] == f'"{shown[1]["sha256"]}"'
    problem(await desk.get("/instances/3"), 404, "not-found")
    problem(await desk.get("/instances/0"), 422, "invalid-request")

    [lies] = (at_work.folder / "clean" / str(case)).glob(shown[0]["sha256"])
    rotten = bytearray(image(0))
    rotten[5] ^= 1
    lies.write_bytes(rotten)
    with pytest.raises(httpx.RemoteProtocolError):
        await desk.get("/instances/1")


async def test_the_first_report_is_nowhere_before_the_lock(at_work: Office) -> None:
    case = await at_work.case("blind")
    desk = at_work.desk(case)

    answers = [await desk.get(), await desk.post("/start"), await desk.put("/draft", OPINION, 0)]
    for answer in answers:
        ok(answer)
        assert FIRST_TEXT not in answer.text
        assert answer.json()["first_report"] is None
    problem(await desk.post("/reveal"), 409, "not-locked")
    problem(await desk.put("/comparison", COMPARISON, 1), 409, "not-revealed")
    after = await desk.post("/lock")
    assert FIRST_TEXT not in after.text


async def test_a_stale_draft_is_412_and_overwrites_nothing(at_work: Office) -> None:
    desk = at_work.desk(await at_work.case("stale"))
    ok(await desk.post("/start"))
    ok(await desk.put("/draft", OPINION, 0))
    newer = {**OPINION, "impression": "Fracture, left fifth metacarpal."}

    assert fields(await desk.put("/draft", newer, 0)) == ["If-Match"]
    problem(await desk.put("/draft", newer, 0), 412, "stale-revision")
    problem(await desk.put("/draft", newer, None), 428, "if-match-missing")
    problem(await desk.put("/draft", newer, "one"), 400, "bad-if-match")
    assert ok(await desk.get())["opinion"] == OPINION
    ok(await desk.put("/draft", OPINION, 0))  # the answer got lost, the client repeats
    assert ok(await desk.get())["revision"] == 1

    ok(await desk.put("/draft", newer, 1))
    problem(await desk.put("/draft", OPINION, 0), 412, "stale-revision")
    assert ok(await desk.get())["opinion"] == newer
    problem(await desk.post("/lock", **{"If-Match": '"1"'}), 412, "stale-revision")


async def test_every_wrong_field_is_named(at_work: Office) -> None:
    desk = at_work.desk(await at_work.case("fields"))
    ok(await desk.post("/start"))
    bad = {
        "impresion": "x",
        "claims": [
            {"id": "s-1", "certainty": "sure"},
            {"id": "s 2", "measurement": {"value": "wide", "unit": "mm"}, "critical": True},
        ],
        "technique": "\x00",
    }

    answer = await desk.put("/draft", bad, 0)

    problem(answer, 422, "invalid-request")
    assert sorted(fields(answer)) == [
        "#/claims/0/certainty",
        "#/claims/1/critical",
        "#/claims/1/id",
        "#/claims/1/measurement/value",
        "#/impresion",
        "#/technique",
    ]
    problem(await desk.put("/draft", {"claims": [{"id": str(n)} for n in range(201)]}, 0), 422,
            "invalid-request")  # fmt: skip
    ok(await desk.put("/draft", {**OPINION, "comparison": " "}, 0))
    unsound = await desk.post("/lock")
    problem(unsound, 422, "draft-not-sound")
    assert fields(unsound) == ["#/comparison"]


async def test_every_claim_must_be_paired(at_work: Office) -> None:
    desk = at_work.desk(await at_work.case("pairs"))
    await locked(desk)
    ok(await desk.post("/reveal"))

    nothing = await desk.put("/comparison", {**COMPARISON, "pairs": []}, 1)
    assert "f-1, s-1" in problem(nothing, 422, "claims-not-paired")["detail"]
    assert fields(nothing) == ["#/pairs"]
    unsaid = {**COMPARISON, "pairs": [{"first": "f-1", "second": "s-1"}]}
    answer = await desk.put("/comparison", unsaid, 1)
    assert fields(answer) == ["#/pairs/0/clinically_important"]
    problem(await desk.post("/finalize"), 409, "not-compared")


async def test_twice_is_once(at_work: Office) -> None:
    case = await at_work.case("twice")
    desk = at_work.desk(case)
    await locked(desk)
    for key in ("a", "a", "b"):
        ok(await desk.post("/reveal", key=key))
    ok(await desk.put("/comparison", COMPARISON, 1))

    first = ok(await desk.post("/finalize", key="sign"))
    again = ok(await desk.post("/finalize", key="sign"))
    other = ok(await desk.post("/finalize", key="sign again"))

    assert first["report"] == again["report"] == other["report"]
    assert await heard(at_work, case, until="ReportFinalized") == [
        "ReadingStarted",
        "OpinionLocked",
        "FirstReportRevealed",
        "ClaimsCompared",
        "ReportFinalized",
    ]


async def test_what_the_neighbours_publish_makes_a_case_readable(at_work: Office) -> None:
    case = CaseId(UUID(int=9))
    other_way_round = [
        assigned().model_copy(update={"case_id": case}),
        await at_work.cleaned(case),
        accepted(case_id=case),
    ]
    await publish(at_work, other_way_round)
    desk = at_work.desk(case)

    async with asyncio.timeout(60):
        while (started := await desk.post("/start", key="s")).status_code != 200:  # noqa: ASYNC110 - HTTP tells nobody
            await asyncio.sleep(0.1)

    assert started.json()["state"] == "reading"
    assert (await heard(at_work, case, until="ReadingStarted")) == ["ReadingStarted"]


async def test_a_refusal_does_not_use_up_the_key(at_work: Office) -> None:
    case = CaseId(UUID(int=7))
    await at_work.tell(assigned().model_copy(update={"case_id": case}))
    desk = at_work.desk(case)

    problem(await desk.post("/start", key="only"), 409, "case-not-ready")
    await at_work.tell(accepted(case_id=case))
    await at_work.tell(await at_work.cleaned(case))

    assert ok(await desk.post("/start", key="only"))["state"] == "reading"


async def test_addenda_hang_on_the_report(at_work: Office) -> None:
    case = await at_work.case("addenda")
    desk = at_work.desk(case)
    report = (await signed(desk))["report"]["document"]["sha256"]
    before = (await desk.get("/report")).content
    wish = {"text": "Seen on the oblique view, too."}

    problem(await desk.post("/addenda", {"text": " "}), 422, "empty-section")
    problem(await desk.post("/addenda", {"words": "x"}), 422, "invalid-request")
    one = ok(await desk.post("/addenda", wish, key="k"), 201)
    assert ok(await desk.post("/addenda", wish, key="k"), 201)["addenda"] == one["addenda"]
    problem(await desk.post("/addenda", {"text": "Else."}, key="k"), 409, "key-reused")
    more = {"text": "More.", "claims": [claim("a-1").model_dump(mode="json")]}
    two = ok(await desk.post("/addenda", more), 201)

    assert [a["href"] for a in two["addenda"]] == [f"/v1/cases/{case}/addenda/{n}" for n in (1, 2)]
    last = AddendumDocument.model_validate_json((await desk.get("/addenda/2")).content)
    assert (last.parent_sha256, last.previous_sha256) == (
        report,
        one["addenda"][0]["document"]["sha256"],
    )
    assert (await desk.get("/report")).content == before
    problem(await desk.get("/addenda/3"), 404, "not-found")


async def test_without_a_first_report_nothing_is_judged(at_work: Office) -> None:
    desk = at_work.desk(await at_work.case("missing", documents=()))
    await locked(desk)

    opened = ok(await desk.post("/reveal"))
    final = ok(await desk.post("/finalize"))

    assert (opened["first_report"]["available"], opened["first_report"]["text"]) == (False, None)
    assert (final["verdict"], final["discrepancy"]) == ("not_compared", None)
    assert [p["verdict"] for p in final["pairs"]] == ["added"]


async def test_who_may_not_see_a_case_finds_none(at_work: Office) -> None:
    case = await at_work.case("others")
    mine, other = at_work.desk(case), at_work.desk(case, OTHER)
    operator = at_work.desk(case, "ops-1", "operator")
    for answer in (
        await other.get(),
        await other.get("/instances/1"),
        await other.post("/start"),
        await other.put("/draft", OPINION, 0),
        await other.post("/lock"),
        await other.post("/reveal"),
        await other.put("/comparison", COMPARISON, 0),
        await other.post("/finalize"),
        await other.post("/addenda", {"text": "x"}),
        await mine.get("/report"),
        await operator.get("/report"),
    ):
        problem(answer, 404, "not-found")
    problem(await operator.get(), 403, "insufficient-scope")
    problem(await Desk(at_work.http, str(case), {}).get(), 401, "invalid-token")
    problem(await at_work.desk(case, "not a reader").get(), 403, "not-a-reader")
    problem(await Desk(at_work.http, "7", mine.headers).get(), 422, "invalid-request")

    await signed(mine)
    assert (await operator.get("/report")).status_code == 200
    problem(await other.get("/report"), 404, "not-found")


async def test_a_released_reader_is_told_so(at_work: Office) -> None:
    case = await at_work.case("released")
    desk = at_work.desk(case)
    await locked(desk)
    released = AssignmentReleased(case_id=case, assignment="a-1", reader=READER, reason="ill")
    await at_work.tell(released)

    problem(await desk.get(), 409, "assignment-ended")
    problem(await desk.post("/reveal"), 409, "assignment-ended")
    kept = (await stored(at_work, case)).material.set_aside
    assert [k.sealed and k.sealed.opinion for k in kept] == [opinion()]


async def stored(at_work: Office, case: CaseId) -> State:
    async with at_work.live.core.pool.acquire() as db:
        row = await db.fetchrow("SELECT partner, state FROM cases WHERE case_id = $1", case)
    assert row is not None
    assert json.loads(row["state"])["kind"]
    return STATES.read(row["state"])


async def test_a_reader_lets_a_third_one_decide(at_work: Office) -> None:
    case = await at_work.case("adjudicated")
    desk, wish = at_work.desk(case), {"why": "major_discrepancy"}
    await locked(desk)
    problem(await desk.post("/adjudication", wish), 409, "not-revealed")
    ok(await desk.post("/reveal"))
    ok(await desk.put("/comparison", COMPARISON, 1))
    wrong = await desk.post("/adjudication", {"why": "because"})

    first = ok(await desk.post("/adjudication", wish, key="once"), 202)
    again = ok(await desk.post("/adjudication", wish, key="once"), 202)

    assert first == again == {"case_id": str(case), "why": "major_discrepancy"}
    assert fields(wrong) == ["#/why"]
    problem(await desk.post("/finalize"), 409, "assignment-ended")
    third = assigned().model_copy(
        update={
            "case_id": case,
            "assignment": "a-2",
            "reader": "dr-lund",
            "role": "adjudicator",
        }
    )
    await at_work.tell(third)
    report = await signed(at_work.desk(case, "dr-lund"))
    assert report["state"] == "final"

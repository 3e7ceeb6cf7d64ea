"""Software gives its opinion over HTTP, as Kafka assigned it; the reader sees it in its time."""

import asyncio
from uuid import uuid5

import httpx

from services.reporting.domain.canonical import canonical, sha256
from shared.contracts.base import CaseId
from shared.contracts.report import Opinion, ReportDocument
from tests.integration.reporting.listening import heard, publish
from tests.integration.reporting.office import FIRST_TEXT, ORIGIN, QUESTION, Desk, Office, image
from tests.integration.reporting.test_reading import COMPARISON, OPINION, fields, ok, problem
from tests.unit.reporting.cases import READER, accepted, assigned
from tests.unit.reporting.test_software import AI_ASSIGNED, HERS, SAID, WORDS

BODY = {
    "opinion": SAID.model_dump(mode="json"),
    "software": "bone-net",
    "software_version": "2.4.1",
}


async def read_by_both(at_work: Office, name: str) -> tuple[CaseId, Desk, Desk]:
    """Let a case arrive over Kafka that software reads beside a radiologist."""
    case = CaseId(uuid5(ORIGIN, name))
    parts = (assigned(), AI_ASSIGNED)
    said = [one.model_copy(update={"case_id": case}) for one in parts]
    await publish(at_work, [accepted(case_id=case), await at_work.cleaned(case), *said])
    software = at_work.desk(case, HERS)
    async with asyncio.timeout(20):
        while (await software.get("/ai")).status_code != httpx.codes.OK:  # noqa: ASYNC110 - HTTP tells nobody
            await asyncio.sleep(0.1)
    return case, at_work.desk(case, READER), software


async def gives(software: Desk, body: object = None) -> httpx.Response:
    return await software.put("/ai/opinion", BODY if body is None else body, None)


async def test_it_sees_the_images_and_gives_an_opinion_that_waits_for_its_time(
    at_work: Office,
) -> None:
    case, desk, software = await read_by_both(at_work, "beside")

    seen = ok(await software.get("/ai"))
    assert seen["clinical_question"]["text"] == QUESTION
    first = seen["studies"][0]["instances"][0]
    assert (await at_work.http.get(first["href"], headers=software.headers)).content == image(0)
    assert FIRST_TEXT not in (await software.get("/ai")).text
    given = ok(await gives(software))
    assert given["opinion_sha256"] == sha256(Opinion.model_validate(BODY["opinion"]))
    assert ok(await gives(software))["received_at"] == given["received_at"]

    ok(await desk.post("/start"))
    ok(await desk.put("/draft", OPINION, 0))
    before = await desk.post("/lock")
    assert WORDS not in before.text
    opened = ok(await desk.post("/reveal"))
    [shown] = opened["software"]
    assert (shown["reader"], shown["opinion"]["claims"][0]["finding"]) == (HERS, WORDS)
    ok(await desk.put("/comparison", COMPARISON, 1))
    ok(await desk.post("/finalize"))

    report = await desk.get("/report")
    document = ReportDocument.model_validate_json(report.content)
    assert canonical(document) == report.content
    assert [one.opinion_sha256 for one in document.software] == [given["opinion_sha256"]]
    assert WORDS not in report.text
    said = await heard(at_work, case, until="ReportFinalized")
    assert said.count("AiOpinionRecorded") == 1


async def test_what_is_wrong_with_it_is_named_and_nobody_else_gives_one(at_work: Office) -> None:
    _, desk, software = await read_by_both(at_work, "wrong")
    twice = SAID.model_copy(update={"claims": SAID.claims * 2}).model_dump(mode="json")

    assert fields(await gives(software, BODY | {"opinion": twice})) == ["#/opinion/claims/1/id"]
    assert fields(await gives(software, BODY | {"verdict": "confirmed"})) == ["#/verdict"]
    problem(await gives(desk), 404, "not-found")
    problem(await software.get(), 404, "not-found")
    problem(await software.post("/start"), 404, "not-found")
    ok(await gives(software))
    other = BODY | {"opinion": OPINION}
    problem(await gives(software, other), 409, "already-given")


async def test_of_many_at_once_one_stands(at_work: Office) -> None:
    _, _, software = await read_by_both(at_work, "at once")
    bodies = [
        BODY | {"opinion": {**SAID.model_dump(mode="json"), "narrative": f"{n}"}} for n in range(6)
    ]

    answers = await asyncio.gather(*(gives(software, one) for one in bodies))

    codes = sorted(one.status_code for one in answers)
    assert codes == [200, *[409] * 5]

"""Two readers read one case over HTTP, as Kafka told: one report, signed by the last."""

import asyncio
from typing import Any
from uuid import uuid5

import httpx

from services.reporting.domain.canonical import canonical
from shared.contracts.base import CaseId
from shared.contracts.report import ReportDocument
from tests.integration.reporting.listening import heard, publish
from tests.integration.reporting.office import ORIGIN, Desk, Office
from tests.integration.reporting.test_reading import ok, problem
from tests.unit.reporting.cases import OTHER, READER, accepted, opinion
from tests.unit.reporting.test_regional import LUNG, SPLIT, comparison, region

HAND = opinion().model_dump(mode="json")
CHEST = LUNG.model_dump(mode="json")


async def shared_case(at_work: Office, name: str) -> CaseId:
    """Let a case arrive over Kafka that two readers read."""
    case = CaseId(uuid5(ORIGIN, name))
    said = [SPLIT, region(READER, "a-1", "HAND"), region(OTHER, "a-2", "CHEST")]
    await publish(
        at_work,
        [
            accepted(case_id=case),
            await at_work.cleaned(case),
            *(one.model_copy(update={"case_id": case}) for one in said),
        ],
    )
    return case


async def started(desk: Desk) -> None:
    async with asyncio.timeout(20):
        while (await desk.post("/start")).status_code != httpx.codes.OK:  # noqa: ASYNC110 - HTTP tells nobody
            await asyncio.sleep(0.1)


async def reads(desk: Desk, written: Any) -> dict[str, Any]:
    await started(desk)
    ok(await desk.put("/draft", written, 0))
    return ok(await desk.post("/lock"))


async def test_two_readers_one_report(at_work: Office) -> None:
    case = await shared_case(at_work, "shared")
    hand, chest = at_work.desk(case, READER), at_work.desk(case, OTHER)

    first = await reads(hand, HAND)
    assert (first["state"], first["regional"]) == ("locked", [])
    problem(await hand.post("/reveal"), 409, "not-the-last")
    last = await reads(chest, CHEST)
    assert [one["reader"] for one in last["regional"]] == [READER, OTHER]
    assert [one["id"] for one in last["opinion"]["claims"]] == ["1:s-1", "2:s-1"]
    ok(await chest.post("/reveal"))
    ok(await chest.put("/comparison", comparison().model_dump(mode="json"), 1))
    ok(await chest.post("/finalize"))

    report = await hand.get("/report")
    document = ReportDocument.model_validate_json(report.content)
    assert canonical(document) == report.content
    assert document.signer == OTHER
    assert [(one.reader, one.regions) for one in document.regional] == [
        (READER, ("HAND",)),
        (OTHER, ("CHEST",)),
    ]
    said = await heard(at_work, case, until="ReportFinalized")
    assert said.count("OpinionLocked") == 2
    assert said.count("ReportFinalized") == 1


async def test_of_two_who_lock_at_once_one_is_the_last(at_work: Office) -> None:
    case = await shared_case(at_work, "at once")
    desks = [at_work.desk(case, READER), at_work.desk(case, OTHER)]
    for desk, written in zip(desks, (HAND, CHEST), strict=True):
        await started(desk)
        ok(await desk.put("/draft", written, 0))

    await asyncio.gather(*(desk.post("/lock") for desk in desks))
    answers = await asyncio.gather(*(desk.post("/reveal") for desk in desks))

    assert sorted(one.status_code for one in answers) == [200, 409]
    assert [one.json()["code"] for one in answers if one.status_code == 409] == ["not-the-last"]

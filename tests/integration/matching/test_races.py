"""Two things happen at once: there is one truth, and who lost hears which. And cases move on."""

import asyncio
from datetime import date
from typing import Any

import httpx

from services.matching.domain.reader import Licence
from shared.contracts.base import CaseId
from shared.contracts.reporting import AdjudicationRequested
from shared.runtime import clock
from tests.integration.matching.ward import Ward, until
from tests.unit.matching.cases import cancelled, reader, supplemented

LIVE = "SELECT reader, standing FROM assignments WHERE standing IN ('offered', 'assigned')"
BOTH = ("CR", "CT", "DX", "MR")


async def taken(at_work: Ward, name: str, case_id: CaseId) -> str:
    assignment = await at_work.offer(name, case_id)
    answer = await at_work.post(name, f"/v1/offers/{assignment}/accept")
    assert answer.status_code == 200, answer.text
    return assignment


async def released(at_work: Ward, name: str, assignment: str) -> httpx.Response:
    path = f"/v1/assignments/{assignment}/release"
    return await at_work.post(name, path, {"reason": "other"})


def lost(answer: httpx.Response, *codes: str) -> bool:
    """Tell whether somebody lost, and heard so in the way that is documented."""
    if answer.status_code == 200:
        return False
    told = answer.json()
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["code"] in codes, told
    assert told["detail"].endswith(".")
    return True


async def test_late_images_take_a_case_to_who_reads_them_too(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await taken(at_work, "dr-osei", case_id)

    await at_work.roster(reader("dr-lund", modalities=BOTH))
    await at_work.tell(supplemented("CT").model_copy(update={"case_id": case_id}))

    assert await at_work.offer("dr-lund", case_id)
    assert lost(await released(at_work, "dr-osei", assignment), "assignment-revoked")


async def test_a_licence_that_ends_takes_a_case_to_who_has_one(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await taken(at_work, "dr-osei", case_id)

    ended = Licence(jurisdiction="US-MA", expires_on=date(2020, 1, 1))
    await at_work.roster(reader(licences=(ended,)), reader("dr-lund"))

    assert await at_work.offer("dr-lund", case_id)
    assert lost(await released(at_work, "dr-osei", assignment), "assignment-revoked")


async def test_a_yes_and_a_cancellation_at_once_leave_nobody_with_the_case(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)
    path = f"/v1/offers/{assignment}/accept"
    gone = cancelled().model_copy(update={"case_id": case_id})

    answer, _ = await asyncio.gather(at_work.post("dr-osei", path), at_work.tell(gone))
    late = await at_work.post("dr-osei", path)

    lost(answer, "offer-withdrawn")
    assert lost(late, "offer-withdrawn", "assignment-revoked")
    assert (await at_work.state(case_id)).assignment.kind == "closed"
    assert await at_work.fetch(LIVE) == []


async def test_a_yes_and_a_faster_level_at_once_leave_one_truth(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)
    path, level = f"/v1/cases/{case_id}/service-level", {"service_level": "emergent"}

    answer, changed = await asyncio.gather(
        at_work.post("dr-osei", f"/v1/offers/{assignment}/accept"),
        at_work.http.post(path, json=level, headers=at_work.operator()),
    )

    assert changed.status_code == 200
    if lost(answer, "offer-withdrawn"):
        assert await at_work.offer("dr-osei", case_id) != assignment  # asked anew, for less long
    [live] = await at_work.fetch(LIVE)
    assert live["reader"] == "dr-osei"


async def test_what_became_more_urgent_goes_from_who_is_away_to_who_is_there(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await taken(at_work, "dr-osei", case_id)
    await at_work.post("dr-osei", "/v1/availability", {"status": "away"})
    await at_work.roster(reader("dr-lund"))
    path, level = f"/v1/cases/{case_id}/service-level", {"service_level": "emergent"}

    changed = await at_work.http.post(path, json=level, headers=at_work.operator())

    assert changed.status_code == 200
    assert await at_work.offer("dr-lund", case_id)
    log = "SELECT event FROM worklist_log WHERE event_type LIKE '%assignment-revoked%'"
    [gone] = await at_work.fetch(log)
    assert '"service_level_changed"' in gone["event"]
    assert lost(await released(at_work, "dr-osei", assignment), "assignment-revoked")


async def test_a_yes_and_a_goodbye_at_once_leave_one_truth(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)

    answer, away = await asyncio.gather(
        at_work.post("dr-osei", f"/v1/offers/{assignment}/accept"),
        at_work.post("dr-osei", "/v1/availability", {"status": "away"}),
    )

    assert away.status_code == 200
    held = {tuple(one) for one in await at_work.fetch(LIVE)}
    if lost(answer, "offer-withdrawn", "not-eligible"):
        assert held == set()
    else:
        assert held == {("dr-osei", "assigned")}


async def test_of_a_yes_and_a_hand_that_gives_it_to_another_one_holds(at_work: Ward) -> None:
    await at_work.roster(reader(), reader("dr-lund", subspecialties=("chest", "musculoskeletal")))
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)
    order: dict[str, Any] = {"reason": "reassigned", "reader": "dr-lund"}

    answer, moved = await asyncio.gather(
        at_work.post("dr-osei", f"/v1/offers/{assignment}/accept"),
        at_work.http.post(f"/v1/cases/{case_id}/reassign", json=order, headers=at_work.operator()),
    )

    lost(answer, "offer-withdrawn", "assignment-revoked")
    assert moved.status_code == 200
    assert [tuple(one) for one in await at_work.fetch(LIVE)] == [("dr-lund", "offered")]


async def test_who_asks_for_a_third_reader_is_followed_by_one_of_another_group(
    at_work: Ward,
) -> None:
    await at_work.roster(reader(), reader("dr-colleague"))
    case_id = await at_work.case("a")
    first = await at_work.fetch(LIVE)
    while not first:
        first = await at_work.fetch(LIVE)
    name = first[0]["reader"]
    assignment = await taken(at_work, name, case_id)
    await at_work.tell(
        AdjudicationRequested(
            case_id=case_id,
            partner="st-elsewhere",
            assignment=assignment,
            reader=name,
            why="uncertain",
            at=clock.now(),
        )
    )

    async def nobody() -> bool:
        return (await at_work.state(case_id)).assignment.kind == "unfillable"

    assert await until(nobody)  # a colleague of theirs does not decide
    await at_work.roster(reader("dr-lund", groups=("uppsala",)))
    theirs = await taken(at_work, "dr-lund", case_id)
    [mine] = (await at_work.worklist("dr-lund"))["assignments"]

    assert (mine["assignment"], mine["role"]) == (theirs, "adjudicator")
    assert lost(await released(at_work, name, assignment), "assignment-released") is False

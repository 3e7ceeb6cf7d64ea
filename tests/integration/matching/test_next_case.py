"""A reader who asks gets a case at once; of many who ask each gets another one."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.matching.domain.state import Assigned, Open
from shared.testing.fixtures import Database
from tests.integration.matching.test_desk import why
from tests.integration.matching.ward import Ward, planted, ward
from tests.unit.matching.cases import reader

PATH = "/v1/readers/me/next-case"


async def test_who_asks_gets_the_case_and_asking_again_the_same(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")

    first = await at_work.post("dr-osei", PATH)
    again = await at_work.post("dr-osei", PATH)

    assert first.status_code == 200, first.text
    assert first.json()["case_id"] == str(case_id)
    assert again.json() == first.json()
    assert isinstance((await at_work.state(case_id)).assignment, Assigned)


async def test_many_who_ask_at_once_share_no_case(at_work: Ward) -> None:
    names = [f"dr-{n}" for n in range(6)]
    await planted(at_work, *(reader(name, groups=(name,)) for name in names))
    cases = {str(await at_work.case(f"c{n}")) for n in range(4)}

    answers = await asyncio.gather(*(at_work.post(name, PATH) for name in names))
    got = [one.json()["case_id"] for one in answers if one.status_code == 200]

    assert {one.status_code for one in answers} <= {200, 204}
    assert len(got) == len(set(got)) >= 1
    assert set(got) <= cases


async def test_who_may_not_read_what_waits_is_told_to_ask_again(at_work: Ward) -> None:
    await at_work.roster(reader(licences=()))
    await at_work.case("a")

    answer = await at_work.post("dr-osei", PATH)

    assert answer.status_code == 204
    assert int(answer.headers["Retry-After"]) > 0


async def test_only_a_reader_of_the_roster_may_ask(at_work: Ward) -> None:
    assert (await at_work.http.post(PATH)).status_code == 401
    assert (await at_work.http.post(PATH, headers=at_work.operator())).status_code == 403
    assert (await at_work.post("dr-nobody", PATH)).status_code == 404


@pytest.fixture
async def directed(postgres: Database, kafka: str, topics: str) -> AsyncIterator[Ward]:
    async with ward(postgres, kafka, topics, policy=None) as opened:
        yield opened


async def test_what_comes_goes_to_the_best_of_those_who_asked_in_vain(directed: Ward) -> None:
    await directed.roster(
        reader("dr-second", subspecialties=("chest", "musculoskeletal")),
        reader("dr-first"),
        reader("dr-away"),
        reader("dr-quiet"),
    )
    for name in ("dr-second", "dr-first", "dr-away"):
        assert (await directed.post(name, PATH)).status_code == 204
    await directed.post("dr-away", "/v1/availability", {"status": "away"})

    case_id = await directed.case("a")
    assignment = await directed.offer("dr-first", case_id)
    other = await directed.post("dr-second", PATH)  # it is kept for who was chosen
    lists = [(await directed.worklist(n))["offers"] for n in ("dr-second", "dr-away", "dr-quiet")]
    taken = await directed.post("dr-first", PATH)

    assert other.status_code == 204
    assert lists == [[], [], []]
    assert taken.json() == {"case_id": str(case_id), "assignment": assignment}
    assert isinstance((await directed.state(case_id)).assignment, Assigned)
    [told] = (await why(directed, case_id))["decisions"]
    assert told["replayed"] == {"same": True, "differs": []}


async def test_what_is_held_for_a_specialist_goes_to_nobody_who_waits(directed: Ward) -> None:
    await directed.roster(reader("dr-right"), reader("dr-chest", subspecialties=("chest",)))
    assert (await directed.post("dr-chest", PATH)).status_code == 204

    held = await directed.case("hand")
    chest = await directed.case("chest", subspecialty="chest")

    assert await directed.offer("dr-chest", chest)
    assert [one["case_id"] for one in (await directed.worklist("dr-chest"))["offers"]] == [
        str(chest)
    ]
    assert isinstance((await directed.state(held)).assignment, Open)


async def test_who_lets_it_pass_loses_it_to_the_next_who_waits(directed: Ward) -> None:
    await directed.roster(
        reader("dr-first"), reader("dr-second", subspecialties=("chest", "musculoskeletal"))
    )
    for name in ("dr-second", "dr-first"):
        assert (await directed.post(name, PATH)).status_code == 204
    case_id = await directed.case("a")
    assignment = await directed.offer("dr-first", case_id)

    no = await directed.post("dr-first", f"/v1/offers/{assignment}/decline", {"reason": "too_busy"})

    assert no.status_code == 200, no.text
    assert await directed.offer("dr-second", case_id)

"""A reader who asks gets a case at once; of many who ask each gets another one."""

import asyncio

from services.matching.domain.state import Assigned
from tests.integration.matching.ward import Ward, planted
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

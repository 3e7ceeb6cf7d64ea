"""The default policy: who is free asks; offers and pages come only where time is short."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.matching.domain.duty import Period
from services.matching.domain.state import Assigned
from shared.runtime import clock
from shared.testing.fixtures import Database
from tests.integration.matching.test_desk import why
from tests.integration.matching.ward import Ward, until, ward
from tests.unit.matching.cases import reader, reading

NEXT = "/v1/readers/me/next-case"
ELSEWHERE: dict[str, Any] = {"partner": "st-elsewhere"}


@pytest.fixture
async def directed(postgres: Database, kafka: str, topics: str) -> AsyncIterator[Ward]:
    async with ward(postgres, kafka, topics, policy=None) as opened:
        yield opened


async def test_a_case_waits_for_who_asks_and_why_says_what_was_held_back(directed: Ward) -> None:
    await directed.roster(reader(), reader("dr-chest", subspecialties=("chest",)))
    chest = await directed.case("chest", subspecialty="chest")
    wrist = await directed.case("wrist")

    mine = await directed.post("dr-osei", NEXT)
    offers = (await directed.worklist("dr-chest"))["offers"]

    assert mine.json()["case_id"] == str(wrist)
    assert offers == []
    [told] = (await why(directed, wrist))["decisions"]
    assert (told["outcome"], told["reader"], told["policy"]) == ("offered", "dr-osei", "directed_3")
    assert [one["case_id"] for one in told["chosen"]["cases"]] == [str(wrist)]
    [held] = told["chosen"]["held_back"]
    assert (held["case_id"], held["awaited"]) == (str(chest), "dr-chest")
    assert told["replayed"] == {"same": True, "differs": []}
    assert {one["reader"] for one in told["rejected"]} == {"dr-chest"}


async def test_the_most_urgent_comes_first(directed: Ward) -> None:
    await directed.roster(reader())
    await directed.case("routine")
    stat = await directed.case("stat", service_level="emergent")

    assert (await directed.post("dr-osei", NEXT)).json()["case_id"] == str(stat)


async def test_who_is_at_a_case_that_can_wait_is_asked_to_set_it_aside(directed: Ward) -> None:
    await directed.roster(reader())
    first = await directed.case("routine")
    held = (await directed.post("dr-osei", NEXT)).json()
    await directed.tell(reading(held["assignment"]).model_copy(update={"case_id": first}))

    stat = await directed.case("stat", service_level="emergent")
    assignment = await directed.offer("dr-osei", stat)
    accepted = await directed.post("dr-osei", f"/v1/offers/{assignment}/accept")

    assert accepted.status_code == 200, accepted.text
    assert isinstance((await directed.state(stat)).assignment, Assigned)
    [told] = (await why(directed, stat))["decisions"]
    assert told["replayed"] == {"same": True, "differs": []}


async def test_who_is_on_call_is_paged_where_nobody_is_on_shift(directed: Ward) -> None:
    now = clock.now()
    on_call = Period(
        kind="on_call", begins_at=now - timedelta(hours=1), ends_at=now + timedelta(days=9)
    )
    await directed.roster(reader("dr-home", shifts=(), calendar=(on_call,)))

    stat = await directed.case("stat", service_level="emergent")
    assignment = await directed.offer("dr-home", stat)
    accepted = await directed.post("dr-home", f"/v1/offers/{assignment}/accept")

    assert accepted.status_code == 200, accepted.text
    [told, *_] = (await why(directed, stat))["decisions"]
    assert told["reader"] == "dr-home"
    assert told["replayed"]["same"], told


async def test_a_case_that_nobody_will_come_for_says_so(directed: Ward) -> None:
    await directed.roster(reader(licences=()))
    case_id = await directed.case("a")

    async def told() -> Any:
        return (await why(directed, case_id))["decisions"]

    [nobody] = await until(told)
    assert (nobody["outcome"], nobody["advice"][0]["constraint"]) == ("nobody", "licence")


@pytest.mark.usefixtures("restless")
async def test_a_broken_policy_is_refused_while_the_old_one_stays_in_force(
    postgres: Database, kafka: str, topics: str, tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("name: mine_1\n")
    async with ward(postgres, kafka, topics, policy=path) as at_work:

        async def file() -> Any:
            answer = await at_work.http.get("/v1/operations/files", headers=at_work.operator())
            [found] = [one for one in answer.json() if one["name"] == "policy"]
            return found

        async def refused() -> Any:
            found = await file()
            return found if found["refused"] else None

        await at_work.roster(reader())
        path.write_text("name: mine_2\npush: [soon]\nurgent_within: -1\n")
        faults = "\n".join((await until(refused))["faults"])
        assert "push" in faults
        assert "urgent_within" in faults
        case_id = await at_work.case("a")
        assert (await at_work.worklist("dr-osei"))["offers"] == []

        path.write_text("name: mine_3\npush: [routine]\n")
        assert await at_work.offer("dr-osei", case_id)
        assert not (await file())["refused"]


async def test_who_asks_in_vain_hears_why_and_it_is_kept_once_while_it_stays(
    directed: Ward,
) -> None:
    await directed.roster(reader(), reader("dr-chest", subspecialties=("chest",)))
    first = await directed.post("dr-chest", NEXT)
    wrist = await directed.case("wrist")

    answers = [await directed.post("dr-chest", NEXT) for _ in range(3)]
    mine = (await directed.http.get(NEXT, headers=directed.reader("dr-chest"))).json()
    path = "/v1/admin/readers/dr-chest/held-back"
    rows = (await directed.http.get(path, headers=directed.operator())).json()

    assert first.headers["Overread-Reason"] == "nothing_waits"
    assert {one.status_code for one in answers} == {204}
    assert {one.headers["Overread-Reason"] for one in answers} == {"held_for_others"}
    assert (mine["reason"], mine["times"], mine["theirs"]) == ("held_for_others", 3, 1)
    assert [(one["reason"], one["times"]) for one in rows] == [
        ("held_for_others", 3),
        ("nothing_waits", 1),
    ]
    [held] = rows[0]["held_back"]
    assert (held["case_id"], held["awaited"]) == (str(wrist), "dr-osei")
    assert (await directed.http.get(path, headers=directed.reader("dr-chest"))).status_code == 403
    none = await directed.http.get(NEXT, headers=directed.reader("dr-osei"))
    assert none.status_code == 404


async def test_an_operators_choice_stands_in_the_reasons_with_who_made_it(directed: Ward) -> None:
    await directed.roster(reader(), reader("dr-b"))
    case_id = await directed.case("wrist")
    assert (await directed.post("dr-osei", NEXT)).json()["case_id"] == str(case_id)
    order = {"reason": "reader_unavailable", "reader": "dr-b"}

    path = f"/v1/cases/{case_id}/reassign"
    done = await directed.http.post(path, json=order, headers=directed.operator())

    assert done.status_code == 200, done.text
    given, taken, asked = (await why(directed, case_id))["decisions"]
    assert (given["outcome"], given["reader"]) == ("reassigned", "dr-b")
    assert given["because"]["reason"] == "reader_unavailable"
    assert given["because"]["by"]
    assert (taken["outcome"], taken["reader"]) == ("taken_back", "dr-osei")
    assert given["replayed"] is None
    assert asked["replayed"] == {"same": True, "differs": []}

"""A case over two regions on real Postgres: two readers, one clock, and nothing held at the end."""

import asyncio
from typing import Any

from services.matching.domain.state import Split, assigned_in
from shared.contracts.base import CaseId
from shared.contracts.reporting import OpinionLocked
from shared.runtime import clock
from shared.testing.fixtures import Database
from tests.integration.matching.test_races import LIVE, lost, taken
from tests.integration.matching.ward import Ward, until, ward
from tests.unit.matching.cases import SHA, finalized
from tests.unit.matching.test_parts import CHEST, HAND, OTHER, STUDIES

STAGE = "SELECT stage, assignment FROM cases"


async def over_two_regions(at_work: Ward) -> CaseId:
    return await at_work.case("a", studies=STUDIES, modalities=("CT", "DX"))


async def locks(at_work: Ward, case_id: CaseId, assignment: str, who: str) -> None:
    await at_work.tell(
        OpinionLocked(
            case_id=case_id,
            assignment=assignment,
            reader=who,
            at=clock.now(),
            claims=1,
            sha256=SHA,
        )
    )


async def mine(at_work: Ward, name: str) -> list[dict[str, Any]]:
    return list((await at_work.worklist(name))["assignments"])


async def test_two_readers_share_a_case_that_none_reads_alone(at_work: Ward) -> None:
    await at_work.roster(HAND, CHEST)
    case_id = await over_two_regions(at_work)

    hand = await taken(at_work, "dr-hand", case_id)
    assert [one["stage"] for one in await at_work.fetch(STAGE)] == ["match"]
    chest = await taken(at_work, "dr-chest", case_id)
    [theirs] = await mine(at_work, "dr-chest")
    assert [tuple(one) for one in await at_work.fetch(STAGE)] == [("read", "split")]
    assert (theirs["role"], theirs["body_regions"]) == ("region_reader", ["CHEST"])

    await locks(at_work, case_id, hand, "dr-hand")
    assert await mine(at_work, "dr-hand") == []
    await locks(at_work, case_id, chest, "dr-chest")
    assert len(await mine(at_work, "dr-chest")) == 1
    signed = finalized(clock.now(), chest).model_copy(update={"case_id": case_id})
    await at_work.tell(signed)

    rows = await at_work.fetch("SELECT reader, standing, rvu > 0 FROM assignments ORDER BY reader")
    assert [tuple(one) for one in rows] == [("dr-chest", "done", True), ("dr-hand", "done", True)]
    accounts = await at_work.fetch("SELECT account FROM accounts")
    assert "ended_but_held" not in [one["account"] for one in accounts]
    counted = await at_work.fetch("SELECT name, what FROM tallies WHERE what LIKE 'read:%'")
    assert {tuple(one) for one in counted} == {("dr-hand", "read:DX"), ("dr-chest", "read:CT")}
    why = await at_work.http.get(f"/v1/cases/{case_id}/why", headers=at_work.operator())
    *weighed, split = why.json()["decisions"]
    assert all(one["replayed"]["same"] for one in weighed)
    assert (split["outcome"], split["because"]["by"]) == ("split", "optimiser")
    assert split["because"]["parts"] == [["HAND"], ["CHEST"]]


async def test_of_two_who_take_the_same_part_at_once_one_has_it(at_work: Ward) -> None:
    await at_work.roster(HAND, CHEST)
    case_id = await over_two_regions(at_work)
    first = await at_work.offer("dr-chest", case_id)
    await at_work.roster(OTHER)
    order = {"reason": "reassigned", "reader": "dr-other", "region": "CHEST"}
    path = f"/v1/cases/{case_id}/reassign"

    answer, moved = await asyncio.gather(
        at_work.post("dr-chest", f"/v1/offers/{first}/accept"),
        at_work.http.post(path, json=order, headers=at_work.operator()),
    )

    lost(answer, "offer-withdrawn", "assignment-revoked")
    assert moved.status_code == 200, moved.text
    live = {tuple(one) for one in await at_work.fetch(LIVE)}
    assert {one for one in live if one[0] != "dr-hand"} == {("dr-other", "offered")}


async def test_who_asks_for_the_next_case_gets_their_part(
    postgres: Database, kafka: str, topics: str
) -> None:
    async with ward(postgres, kafka, topics, policy=None) as at_work:
        await at_work.roster(HAND, CHEST)
        case_id = await over_two_regions(at_work)

        async def split() -> bool:
            return isinstance((await at_work.state(case_id)).assignment, Split)

        await until(split)
        answers = [
            await at_work.post(who, "/v1/readers/me/next-case") for who in ("dr-hand", "dr-chest")
        ]
        state = await at_work.state(case_id)

    assert [one.status_code for one in answers] == [200, 200]
    assert len({one.json()["assignment"] for one in answers}) == 2
    assert [one.reader for one in assigned_in(state.assignment)] == ["dr-hand", "dr-chest"]

"""Somebody fits better while an offer waits: on real Postgres, in rounds, and in a race."""

import asyncio

from services.matching.domain.state import Assigned
from tests.integration.matching.test_edges import following
from tests.integration.matching.test_races import LIVE, lost
from tests.integration.matching.ward import Ward
from tests.unit.matching.cases import reader

SECOND = reader("dr-second", subspecialties=("chest", "musculoskeletal"))
ROWS = "SELECT reader, standing FROM assignments ORDER BY reader"


async def test_a_silent_offer_gives_way_to_who_fits_clearly_better(at_work: Ward) -> None:
    await at_work.roster(SECOND)
    case_id = await at_work.case("a")
    old = await at_work.offer("dr-second", case_id)

    await at_work.roster(reader("dr-best"))
    new = await at_work.offer("dr-best", case_id)
    late = await at_work.post("dr-second", f"/v1/offers/{old}/accept")
    taken = await at_work.post("dr-best", f"/v1/offers/{new}/accept")
    async with following(at_work, "dr-second") as events:
        told = [(await anext(events))[1:] for _ in range(2)]

    assert lost(late, "offer-withdrawn")
    assert taken.status_code == 200
    assert [kind for kind, _ in told] == ["assignment-offered", "offer-withdrawn"]
    assert told[1][1]["reason"] == "better_reader"
    rows = [tuple(one) for one in await at_work.fetch(ROWS)]
    assert rows == [("dr-best", "assigned"), ("dr-second", "outdone")]
    answer = await at_work.http.get(f"/v1/cases/{case_id}/why", headers=at_work.operator())
    assert all(one["replayed"]["same"] for one in answer.json()["decisions"])


async def test_a_yes_and_a_better_reader_at_once_leave_one_truth(at_work: Ward) -> None:
    await at_work.roster(SECOND)
    case_id = await at_work.case("a")
    old = await at_work.offer("dr-second", case_id)

    answer, _ = await asyncio.gather(
        at_work.post("dr-second", f"/v1/offers/{old}/accept"), at_work.roster(reader("dr-best"))
    )

    if lost(answer, "offer-withdrawn"):
        assert await at_work.offer("dr-best", case_id)
    else:
        assert isinstance((await at_work.state(case_id)).assignment, Assigned)
    assert len(await at_work.fetch(LIVE)) == 1

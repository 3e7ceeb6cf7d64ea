"""A pushed case that nobody on shift takes goes to who is on call, and beyond its field."""

from datetime import timedelta

import orjson

from services.matching.domain.contract import DEFAULT, Contract, Rung
from services.matching.domain.duty import Period
from shared.contracts.matching import Widening
from shared.runtime import clock
from tests.integration.matching.test_offers import agree
from tests.integration.matching.ward import Ward
from tests.unit.matching.cases import reader

OFFERED = "SELECT reader, event FROM worklist_log WHERE event_type LIKE '%assignment-offered%'"


def rung(number: int, seconds: float, *widen: Widening) -> Rung:
    fraction = seconds / DEFAULT["urgent"].budgets.match.total_seconds()
    return Rung(
        rung=number, fraction=fraction, stage="match", role="lead", channels=("board",), widen=widen
    )


async def test_its_rungs_page_who_is_on_call_and_then_ask_beyond_the_field(at_work: Ward) -> None:
    rungs = (rung(1, 0.5, "on_call"), rung(2, 0.6, "field", "offers"))
    terms = DEFAULT["urgent"].model_copy(update={"rungs": rungs})
    await agree(at_work, Contract(partner="st-elsewhere", levels={"urgent": terms}))
    now = clock.now()
    begins, ends = now - timedelta(hours=1), now + timedelta(days=9)
    call = Period(kind="on_call", begins_at=begins, ends_at=ends)
    await at_work.roster(
        reader("dr-home", shifts=(), calendar=(call,)),
        reader("dr-chest", subspecialties=("chest",)),
        reader("dr-elsewhere", subspecialties=("chest",), licences=()),
    )

    case_id = await at_work.case("a", service_level="urgent")
    paged = await at_work.offer("dr-home", case_id)
    await at_work.offer("dr-chest", case_id)
    taken = await at_work.post("dr-home", f"/v1/offers/{paged}/accept")

    assert taken.status_code == 200, taken.text
    told = {row["reader"]: orjson.loads(row["event"]) for row in await at_work.fetch(OFFERED)}
    ways = {name: (one["broad"], one["paged"]) for name, one in told.items()}
    assert ways == {"dr-home": (False, True), "dr-chest": (True, False)}

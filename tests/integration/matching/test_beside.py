"""Software hears of its case as a reader does, and the radiologist's work goes on beside it."""

from services.matching.domain.told import Rules
from shared.contracts.reporting import AiOpinionRecorded
from shared.runtime import clock
from tests.integration.matching.test_edges import following
from tests.integration.matching.test_offers import agree, contract
from tests.integration.matching.ward import Ward, until
from tests.unit.matching.cases import SHA, finalized, reader


async def test_software_reads_beside_who_signs(at_work: Ward) -> None:
    await agree(at_work, contract().model_copy(update={"rules": Rules(ai_readers=True)}))
    await at_work.roster(reader(), reader("ai-bone", kind="ai", groups=()))
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)
    taken = await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")

    async def its() -> list[dict[str, str]]:
        return list((await at_work.worklist("ai-bone"))["assignments"])

    [beside] = await until(its)
    async with following(at_work, "ai-bone") as events:
        kinds = [(await anext(events))[1] for _ in range(2)]
    said = AiOpinionRecorded(
        case_id=case_id,
        partner="st-elsewhere",
        assignment=beside["assignment"],
        reader="ai-bone",
        software="bone-net",
        software_version="2.4.1",
        at=clock.now(),
        claims=1,
        sha256=SHA,
    )
    await at_work.tell(said)
    assert await its() == []  # it has room again, and the radiologist still has the case
    assert len((await at_work.worklist("dr-osei"))["assignments"]) == 1
    signed = finalized(clock.now(), assignment).model_copy(update={"case_id": case_id})
    await at_work.tell(signed)

    assert taken.status_code == 200
    assert (beside["role"], beside["standing"]) == ("ai_reader", "assigned")
    assert kinds == ["assignment-offered", "assignment-accepted"]
    rows = await at_work.fetch("SELECT reader, standing FROM assignments ORDER BY reader")
    assert [tuple(one) for one in rows] == [("ai-bone", "done"), ("dr-osei", "done")]
    accounts = await at_work.fetch("SELECT account FROM accounts")
    assert "ended_but_held" not in [one["account"] for one in accounts]

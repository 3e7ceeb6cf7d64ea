"""What happened to readers is counted from real events, and changes whom the next case goes to."""

from typing import Any

from services.matching.domain.inputs import TakeCase
from services.matching.domain.track import Track
from services.matching.store import tracks
from shared.contracts.base import CaseId
from shared.contracts.intake import FirstRead
from shared.contracts.reporting import Discrepancy
from shared.runtime import clock
from tests.integration.matching.test_desk import why
from tests.integration.matching.ward import Ward
from tests.unit.matching.cases import EXPLANATION, finalized, reader, reading

MISSED = Discrepancy(five_point=4, radpeer="3b")


async def signed(at_work: Ward, name: str, case_id: CaseId, **changes: Any) -> str:
    """Let the reader take, read and sign a case."""
    assignment = await at_work.offer(name, case_id)
    await at_work.post(name, f"/v1/offers/{assignment}/accept")
    of_case = {"case_id": case_id, **changes}
    await at_work.tell(reading(assignment, name).model_copy(update={"case_id": case_id}))
    await at_work.tell(finalized(clock.now(), assignment).model_copy(update=of_case))
    return assignment


async def known(at_work: Ward, *readers: Any) -> dict[str, Track]:
    async with at_work.live.core.pool.acquire() as db:
        return await tracks.tracks(db, readers, clock.now())


async def test_the_second_case_of_a_patient_goes_to_who_read_the_first(at_work: Ward) -> None:
    await at_work.roster(reader("dr-a"))
    first = await at_work.case("a")
    await signed(at_work, "dr-a", first)
    await at_work.roster(reader("dr-b"))

    second = await at_work.case("b")  # the same pseudonym, as de-identification gives it
    await at_work.offer("dr-a", second)

    [told, *_] = (await why(at_work, second))["decisions"]
    terms = {
        one["reader"]: {term["term"]: term["value"] for term in one["terms"]}
        for one in told["candidates"]
    }
    assert (terms["dr-a"]["continuity"], terms["dr-b"]["continuity"]) == (1, 0)
    assert terms["dr-a"]["experience"] > terms["dr-b"]["experience"] == 0
    assert told["replayed"] == {"same": True, "differs": []}


async def test_answers_readings_and_scores_are_counted_once(at_work: Ward) -> None:
    author, second = reader("dr-a", identifiers=("npi:77",)), reader("dr-b", groups=("elsewhere",))
    await at_work.roster(author, second)
    first_read = FirstRead(status="present", reader="npi:77", group="valley")
    case_id = await at_work.case("a", first_read=first_read)
    await signed(at_work, "dr-b", case_id, discrepancy=MISSED)
    declined = await at_work.case("b", first_read=first_read)
    assignment = await at_work.offer("dr-b", declined)
    for _ in range(2):
        await at_work.post("dr-b", f"/v1/offers/{assignment}/decline", {"reason": "too_busy"})

    found = await known(at_work, author, second)

    assert found["dr-a"].reviewed == {"3b": 1}
    assert found["dr-b"].read == {"DX": 1}
    assert found["dr-b"].reasons == {"persistent_symptoms": 1}
    assert (found["dr-b"].asked, found["dr-b"].accepted) == (2, 1)
    assert found["dr-b"].day_rvu > 0
    assert found["dr-a"].week == 0


async def test_who_missed_what_mattered_is_asked_after_the_others(at_work: Ward) -> None:
    author = reader("dr-z", identifiers=("npi:77",))
    async with at_work.live.core.pool.acquire() as db:
        await db.execute("INSERT INTO tallies VALUES ('npi:77', 'radpeer:3b', 12)")
    await at_work.roster(author, reader("dr-a"))

    case_id = await at_work.case("a")

    assert await at_work.offer("dr-a", case_id)


async def test_who_asks_for_cases_was_not_asked(at_work: Ward) -> None:
    case_id = await at_work.case("a")
    take = TakeCase(case_id=case_id, reader=reader(), load=0, explanation=EXPLANATION)

    outcome = await at_work.tell(take)

    assert outcome.state.assignment.kind == "assigned"
    rows = await at_work.fetch("SELECT what FROM tallies")
    assert rows == []


async def test_scores_from_elsewhere_are_put_on_the_roster_and_checked(at_work: Ward) -> None:
    body = reader("dr-a").model_dump(mode="json")
    body["peer_review"] = {"radpeer": {"1": 40, "2a": 2}, "follow_up": {"right": 9, "wrong": 1}}
    path, headers = "/v1/admin/readers/dr-a", at_work.operator()

    taken = await at_work.http.put(path, json=body, headers=headers)
    body["peer_review"]["radpeer"] = {"4": 1}
    refused = await at_work.http.put(path, json=body, headers=headers)

    assert taken.json()["peer_review"]["radpeer"] == {"1": 40, "2a": 2}
    assert refused.status_code == 422
    assert "radpeer" in refused.json()["errors"][0]["pointer"]

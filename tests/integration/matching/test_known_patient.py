"""Who asks for the next case gets, of two alike, that of the patient whom they know."""

from uuid import uuid5

from shared.contracts.base import CaseId
from shared.runtime import clock
from tests.integration.matching.test_desk import why
from tests.integration.matching.test_directed import NEXT, directed
from tests.integration.matching.ward import ORIGIN, Ward
from tests.unit.matching.cases import accepted, deidentified, finalized, reader, reading

__all__ = ["directed"]  # the fixture


async def arrives(at_work: Ward, name: str, pseudonym: str) -> CaseId:
    case_id = CaseId(uuid5(ORIGIN, name))
    await at_work.tell(accepted(case_id, accepted_at=clock.now()))
    await at_work.tell(deidentified(case_id).model_copy(update={"pseudonym": pseudonym}))
    return case_id


async def test_of_two_alike_the_patient_they_know_comes_first(directed: Ward) -> None:
    await directed.roster(reader())
    first = await arrives(directed, "first", "P7")
    taken = (await directed.post("dr-osei", NEXT)).json()["assignment"]
    await directed.tell(reading(taken).model_copy(update={"case_id": first}))
    await directed.tell(finalized(clock.now(), taken).model_copy(update={"case_id": first}))
    await arrives(directed, "a stranger's, and a little older", "P8")
    again = await arrives(directed, "the same patient's", "P7")
    await directed.roster(reader())  # what is known is counted anew with the roster

    mine = await directed.post("dr-osei", NEXT)

    assert mine.json()["case_id"] == str(again)
    [told] = (await why(directed, again))["decisions"]
    best, other = (
        {one["term"]: one["value"] for one in each["terms"]} for each in told["chosen"]["cases"]
    )
    assert (best["continuity"], other["continuity"]) == (1, 0)
    assert best["experience"] == other["experience"] > 0
    assert told["replayed"] == {"same": True, "differs": []}

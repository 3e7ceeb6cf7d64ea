"""Offers on real Postgres and over HTTP: who gets a case, once, and what the others hear."""

import asyncio
from datetime import timedelta
from typing import Any

from services.matching.domain.contract import DEFAULT, Contract, Terms
from services.matching.domain.state import Assigned, Offered, Unfillable
from shared.testing.fixtures import Database
from tests.integration.matching.ward import Ward, later, planted, until, ward
from tests.unit.matching.cases import finalized, reader, requested


def contract(**changes: Any) -> Contract:
    terms = Terms.model_validate({**DEFAULT["routine"].model_dump(), **changes})
    return Contract(partner="st-elsewhere", levels={"routine": terms})


async def agree(at_work: Ward, agreed: Contract) -> None:
    path, body = "/v1/admin/contracts/st-elsewhere", agreed.model_dump(mode="json")
    answer = await at_work.http.put(path, json=body, headers=at_work.operator())
    assert answer.status_code == 200, answer.text


async def test_a_clean_case_is_offered_accepted_and_listed(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")

    assignment = await at_work.offer("dr-osei", case_id)
    answer = await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")
    [mine] = (await at_work.worklist("dr-osei"))["assignments"]

    assert answer.status_code == 200
    assert answer.json()["standing"] == "assigned"
    assert mine["report_due_at"] == answer.json()["report_due_at"]
    assert (mine["stage"], mine["clock"]) == ("read", "in_time")
    assert isinstance((await at_work.state(case_id)).assignment, Assigned)


async def test_accepting_twice_gives_the_same_answer(at_work: Ward) -> None:
    await at_work.roster(reader())
    assignment = await at_work.offer("dr-osei", await at_work.case("a"))

    first = await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")
    again = await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")

    assert first.json() == again.json()


async def test_of_twenty_who_accept_at_once_one_gets_the_case(at_work: Ward) -> None:
    names = [f"dr-{n}" for n in range(20)]
    await agree(at_work, contract(offers_at_once=20))
    await planted(at_work, *(reader(name) for name in names))
    case_id = await at_work.case("a")
    offers = [await at_work.offer(name, case_id) for name in names]

    answers = await asyncio.gather(
        *(
            at_work.post(name, f"/v1/offers/{assignment}/accept")
            for name, assignment in zip(names, offers, strict=True)
        )
    )

    codes = sorted(one.json().get("code", "won") for one in answers)
    assert codes == ["already-taken"] * 19 + ["won"]
    live = "SELECT reader FROM assignments WHERE standing IN ('offered', 'assigned')"
    assert len(await at_work.fetch(live)) == 1


async def test_two_replicas_never_offer_a_case_twice(
    postgres: Database, kafka: str, topics: str
) -> None:
    async with ward(postgres, kafka, topics, replicas=2) as at_work:
        await planted(at_work, *(reader(f"dr-{n}", capacity=3) for n in range(10)))
        cases = [await at_work.case(f"case {n}") for n in range(40)]

        async def ten_wait() -> bool:
            query = "SELECT count(*) AS n FROM cases WHERE assignment = 'unfillable'"
            [row] = await at_work.fetch(query)
            return bool(row["n"] == 10)

        await until(ten_wait)

    rows = await at_work.fetch("SELECT case_id, reader FROM assignments")
    per_case = [row["case_id"] for row in rows]
    per_reader = [row["reader"] for row in rows]
    assert len(per_case) == len(set(per_case)) == 30
    assert set(per_case) <= set(cases)
    assert all(per_reader.count(f"dr-{n}") == 3 for n in range(10))


async def test_an_offer_that_expired_while_the_service_was_down_goes_on(
    postgres: Database, kafka: str, topics: str
) -> None:
    async with ward(postgres, kafka, topics) as at_work:
        await agree(at_work, contract(offer_window=timedelta(minutes=2)))
        await at_work.roster(reader())
        case_id = await at_work.case("a")
        assignment = await at_work.offer("dr-osei", case_id)

    with later(timedelta(minutes=3)):
        async with ward(postgres, kafka, topics) as at_work:
            await at_work.roster(reader("dr-lund"))
            await at_work.offer("dr-lund", case_id)
            late = await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")

    assert late.status_code == 409
    assert late.json()["code"] == "offer-expired"


async def test_a_declined_case_goes_to_the_next_best(at_work: Ward) -> None:
    second_best = reader("dr-lund", subspecialties=("chest", "musculoskeletal"))
    await at_work.roster(reader(), second_best)
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)

    reason = {"reason": "too_busy"}
    answer = await at_work.post("dr-osei", f"/v1/offers/{assignment}/decline", reason)
    other = await at_work.offer("dr-lund", case_id)

    assert answer.json()["standing"] == "declined"
    assert other != assignment


async def test_a_released_case_goes_to_another(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)
    await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")
    await at_work.roster(reader("dr-lund"))

    answer = await at_work.post(
        "dr-osei", f"/v1/assignments/{assignment}/release", {"reason": "shift_ended"}
    )

    assert answer.json()["standing"] == "released"
    assert await at_work.offer("dr-lund", case_id)


async def test_another_readers_offer_is_not_there(at_work: Ward) -> None:
    await at_work.roster(reader(), reader("dr-lund", active=False))
    assignment = await at_work.offer("dr-osei", await at_work.case("a"))

    for verb in ("offers/{}/accept", "offers/{}/decline", "assignments/{}/release"):
        path = f"/v1/{verb.format(assignment)}"
        answer = await at_work.post("dr-lund", path, {"reason": "other"})

        assert answer.status_code == 404


async def test_a_reason_in_free_text_is_refused_by_name(at_work: Ward) -> None:
    await at_work.roster(reader())
    assignment = await at_work.offer("dr-osei", await at_work.case("a"))

    answer = await at_work.post(
        "dr-osei", f"/v1/offers/{assignment}/decline", {"reason": "I know Mrs Vanterpool"}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/reason"
    assert "Vanterpool" not in answer.text


async def test_capacity_counts_offers_and_frees_with_the_report(at_work: Ward) -> None:
    await at_work.roster(reader(capacity=1))
    first = await at_work.case("first")
    await at_work.offer("dr-osei", first)
    second = await at_work.case("second")

    async def nobody() -> bool:
        return isinstance((await at_work.state(second)).assignment, Unfillable)

    await until(nobody)
    report = finalized((await at_work.state(first)).clock.started_at)  # type: ignore[union-attr]
    await at_work.tell(report.model_copy(update={"case_id": first}))

    assert await at_work.offer("dr-osei", second)


async def test_a_roster_change_withdraws_an_offer_at_once(at_work: Ward) -> None:
    await at_work.roster(reader(), reader("dr-lund", subspecialties=("chest", "musculoskeletal")))
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)

    await at_work.roster(reader(active=False))
    await at_work.offer("dr-lund", case_id)
    late = await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")

    assert late.json()["code"] == "offer-withdrawn"


async def test_a_new_reader_gets_what_waited_for_them(at_work: Ward) -> None:
    case_id = await at_work.case("a")

    await at_work.roster(reader())

    assert await at_work.offer("dr-osei", case_id)


async def test_nobody_fits_is_published_once_with_its_reasons(at_work: Ward) -> None:
    await at_work.roster(reader(licences=()), reader("dr-lund", modalities=("US",)))
    case_id = await at_work.case("a")

    async def unfillable() -> Any:
        assignment = (await at_work.state(case_id)).assignment
        return assignment if isinstance(assignment, Unfillable) else None

    told = await until(unfillable)
    await at_work.roster(reader("dr-new", subspecialties=("chest",), modalities=("US",)))
    later = await at_work.case("later", subspecialty="chest", modalities=("US",))
    await at_work.offer("dr-new", later)  # a round over the changed roster is over

    assert [(one.constraint, one.readers) for one in told.why] == [("modality", 1), ("licence", 1)]
    assert await unfillable() == told


async def test_the_earliest_deadline_gets_the_only_reader(at_work: Ward) -> None:
    await at_work.case("routine")
    urgent = await at_work.case("urgent", service_level="urgent")

    await at_work.roster(reader(capacity=1))

    assert await at_work.offer("dr-osei", urgent)
    assert len((await at_work.worklist("dr-osei"))["offers"]) == 1


async def test_a_pause_takes_the_offer_back(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)

    await at_work.tell(requested().model_copy(update={"case_id": case_id}))
    late = await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")

    assert late.json()["code"] == "offer-withdrawn"
    assert not isinstance((await at_work.state(case_id)).assignment, Offered)

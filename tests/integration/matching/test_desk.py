"""Why, and who is there: decisions and heartbeats on real Postgres and over HTTP."""

from datetime import timedelta
from typing import Any

from services.matching.domain.contract import DEFAULT
from services.matching.domain.reader import Caps, Period
from services.matching.store import presence
from shared.runtime import clock
from tests.integration.matching.test_offers import agree, contract
from tests.integration.matching.ward import Ward, until
from tests.unit.matching.cases import reader


async def why(at_work: Ward, case_id: Any, **query: Any) -> dict[str, Any]:
    path = f"/v1/cases/{case_id}/why"
    answer = await at_work.http.get(path, params=query, headers=at_work.operator())
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_an_offer_says_why_and_replays_to_the_same_result(at_work: Ward) -> None:
    await at_work.roster(
        reader(), reader("dr-lund", licences=()), reader("dr-b", languages=("sv",))
    )
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)
    await at_work.roster(reader(shifts=()), reader("dr-lund"))  # the roster moves on

    [told] = (await why(at_work, case_id))["decisions"][-1:]

    assert (told["outcome"], told["reader"], told["assignment"]) == (
        "offered",
        "dr-osei",
        assignment,
    )
    assert told["replayed"] == {"same": True, "differs": []}
    assert [one["reader"] for one in told["candidates"]] == ["dr-osei"]
    rejected = {one["reader"]: one["constraint"] for one in told["rejected"]}
    assert rejected == {"dr-lund": "licence", "dr-b": "language"}


async def test_nobody_fits_says_whose_licence_to_renew(at_work: Ward) -> None:
    await at_work.roster(reader(licences=()))
    case_id = await at_work.case("a")

    async def told() -> Any:
        return (await why(at_work, case_id))["decisions"]

    [nobody] = await until(told)

    assert nobody["outcome"] == "nobody"
    assert nobody["replayed"]["same"]
    [advice] = nobody["advice"]
    assert (advice["constraint"], advice["remedy"], advice["readers"]) == (
        "licence",
        "renew",
        ["dr-osei"],
    )


async def test_decisions_come_page_by_page_and_only_to_operators(at_work: Ward) -> None:
    await at_work.roster(reader(), reader("dr-lund"))
    case_id = await at_work.case("a")
    mine = await at_work.offer("dr-osei", case_id)
    await at_work.post("dr-osei", f"/v1/offers/{mine}/decline", {"reason": "too_busy"})
    await at_work.offer("dr-lund", case_id)

    newest = await why(at_work, case_id, limit=1)
    older = await why(at_work, case_id, limit=5, before=newest["next"])
    path = f"/v1/cases/{case_id}/why"
    stranger = await at_work.http.get(path, headers=at_work.reader("dr-osei"))
    nothing = await at_work.http.get(
        "/v1/cases/00000000-0000-4000-8000-000000000000/why", headers=at_work.operator()
    )

    assert [one["reader"] for one in newest["decisions"] + older["decisions"]] == [
        "dr-lund",
        "dr-osei",
    ]
    assert newest["decisions"][0]["rejected"][0]["constraint"] == "asked_before"
    assert older["next"] is None
    assert (stranger.status_code, nothing.status_code) == (403, 404)


async def test_who_goes_away_loses_offers_and_comes_back_to_them(at_work: Ward) -> None:
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    await at_work.offer("dr-osei", case_id)

    gone = await at_work.post("dr-osei", "/v1/availability", {"status": "away"})

    async def withdrawn() -> bool:
        return not (await at_work.worklist("dr-osei"))["offers"]

    assert await until(withdrawn)
    back = await at_work.post("dr-osei", "/v1/availability", {"status": "available"})
    assert await at_work.offer("dr-osei", case_id)
    assert (gone.status_code, back.json()["on_shift"]) == (200, True)
    unknown = await at_work.post("dr-no", "/v1/availability", {})
    assert unknown.status_code == 404


async def test_a_silent_app_loses_a_leased_case_to_another(at_work: Ward) -> None:
    terms = DEFAULT["routine"].model_dump() | {"lease": timedelta(seconds=30)}
    await agree(at_work, contract(**terms))
    await at_work.roster(reader())
    case_id = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", case_id)
    await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")
    silent_since = clock.now() - timedelta(seconds=31)
    async with at_work.live.core.pool.acquire() as db:
        await presence.beat(db, "dr-osei", silent_since, silent_since, there=True)

    await at_work.roster(reader("dr-lund"))

    assert await at_work.offer("dr-lund", case_id)
    late = await at_work.post(
        "dr-osei", f"/v1/assignments/{assignment}/release", {"reason": "other"}
    )
    assert late.json()["code"] == "assignment-revoked"


async def test_a_reader_with_a_cap_gets_no_more_in_the_shift(at_work: Ward) -> None:
    await at_work.roster(reader(caps=Caps(cases=1)))
    first = await at_work.case("a")
    assignment = await at_work.offer("dr-osei", first)
    await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")

    second = await at_work.case("b")

    async def told() -> Any:
        return (await why(at_work, second))["decisions"]

    [nobody] = await until(told)
    assert nobody["rejected"] == [
        {
            "reader": "dr-osei",
            "constraint": "fatigue_cases",
            "says": "The reader took as many cases in this shift as they may.",
        }
    ]
    assert nobody["replayed"]["same"]


async def test_who_works_with_the_first_reader_reads_nothing_of_theirs(at_work: Ward) -> None:
    """The partner names another group, or none: the roster knows the first reader's own."""
    first = reader("dr-first", identifiers=("npi:1111",), groups=("boston",), licences=())
    await at_work.roster(first, reader())
    case_id = await at_work.case("a")

    async def told() -> Any:
        return (await why(at_work, case_id))["decisions"]

    [nobody] = await until(told)
    body = {"reason": "reassigned", "reader": "dr-osei"}
    path = f"/v1/cases/{case_id}/reassign"
    ordered = await at_work.http.post(path, json=body, headers=at_work.operator())

    rejected = {one["reader"]: one["constraint"] for one in nobody["rejected"]}
    assert rejected == {"dr-first": "licence", "dr-osei": "first_group"}
    assert nobody["replayed"]["same"]
    assert ordered.status_code == 422
    assert ordered.json()["detail"] == "The reader's group made the first report."


async def test_the_cap_of_a_stint_counts_what_came_before_the_seam(at_work: Ward) -> None:
    """A duty that begins now goes on from the shift in which a case was accepted."""
    await at_work.roster(reader(caps=Caps(cases=1)))
    assignment = await at_work.offer("dr-osei", await at_work.case("a"))
    await at_work.post("dr-osei", f"/v1/offers/{assignment}/accept")
    now = clock.now()
    before = Period(begins_at=now - timedelta(hours=2), ends_at=now)
    duty = Period(begins_at=now, ends_at=now + timedelta(hours=6))
    await at_work.roster(reader(caps=Caps(cases=1), shifts=(), calendar=(before, duty)))

    second = await at_work.case("b")

    async def told() -> Any:
        return (await why(at_work, second))["decisions"]

    [nobody] = await until(told)
    assert [one["constraint"] for one in nobody["rejected"]] == ["fatigue_cases"]

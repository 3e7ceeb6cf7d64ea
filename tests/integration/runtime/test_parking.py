"""How does a parked event come back? Replayed in order, or discarded by someone, for a reason."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.contracts.intake import InformationProvided
from shared.runtime import clock, failpoints, parking
from shared.runtime.failpoints import Stumbled
from shared.runtime.feed import Feed
from shared.runtime.handle import Runner
from shared.runtime.postgres import Pool
from shared.runtime.replay import Replayed, discard, replay, replay_case
from shared.runtime.wire import Message
from tests.integration.runtime.messages import WANTED
from tests.integration.runtime.poison import GUILTY, OTHER, WRONG, at, event_id, good
from tests.integration.runtime.tally import TALLY, Tally, case, decide

COUNT = "SELECT count FROM tallies WHERE case_id = $1"
OPEN = (
    'SELECT id, "offset", cause, behind, attempts FROM parked WHERE resolution IS NULL ORDER BY id'
)
STUDIES = "SELECT payload FROM outbox ORDER BY seq"


@pytest.fixture
def feed(runner: Runner[Any]) -> Feed:
    return Feed(runner, WANTED)


@pytest.fixture
def mended(runner: Runner[Tally]) -> Runner[Tally]:
    """The same service after its bug was fixed."""

    def fixed(state: Tally, received: Any, now: Any) -> Sequence[Any]:
        if isinstance(received, InformationProvided) and received.partner == "explode":
            received = received.model_copy(update={"partner": "mended"})
        return decide(state, received, now)

    return replace(runner, decider=replace(TALLY, decide=fixed))


def explosion(offset: int = 1) -> Message:
    return at(GUILTY, offset, "explode")


async def test_a_mended_service_replays_the_queue_in_order(
    feed: Feed, mended: Runner[Tally], pool: Pool
) -> None:
    await feed([explosion(1), at(GUILTY, 2, "second"), at(OTHER, 3), at(GUILTY, 4, "fourth")])

    answers = await replay_case(mended, WANTED, case(GUILTY), by="op", now=clock.now())

    assert [answer.done for answer in answers] == [True] * 3
    assert await pool.fetch(OPEN) == []
    assert await pool.fetchval(COUNT, case(GUILTY)) == 3
    payloads = [row["payload"] for row in await pool.fetch(STUDIES)]
    assert [word for one in payloads for word in ("mended", "second", "fourth") if word in one] == [
        "mended",
        "second",
        "fourth",
    ]
    row = await pool.fetchrow("SELECT * FROM parked ORDER BY id LIMIT 1")
    assert row is not None
    assert (row["resolution"], row["resolved_by"]) == ("replayed", "op")
    assert row["resolved_at"] is not None


async def test_a_replay_that_fails_again_stays_parked_with_the_rest(
    feed: Feed, runner: Runner[Any], pool: Pool
) -> None:
    await feed([explosion(1), at(GUILTY, 2)])
    [guilty, waiting] = await pool.fetch(OPEN)

    answers = await replay(runner, WANTED, waiting["id"], by="op", now=clock.now())

    assert answers == [Replayed(guilty["id"], case(GUILTY), False, guilty["cause"])]
    assert [(row["offset"], row["attempts"]) for row in await pool.fetch(OPEN)] == [(1, 2), (2, 1)]
    assert await pool.fetchval(COUNT, case(GUILTY)) is None


async def test_the_first_that_fails_becomes_the_guilty_one(
    feed: Feed, mended: Runner[Tally], pool: Pool
) -> None:
    bad = WRONG["a NUL that SQL refuses"][0](at(GUILTY, 2))
    await feed([explosion(1), bad, at(GUILTY, 3)])

    answers = await replay_case(mended, WANTED, case(GUILTY), by="op", now=clock.now())

    assert [answer.done for answer in answers] == [True, False]
    [guilty, waiting] = await pool.fetch(OPEN)
    assert (guilty["offset"], guilty["behind"], waiting["behind"]) == (2, False, True)
    assert guilty["cause"].startswith("handler: ")
    assert await pool.fetchval(COUNT, case(GUILTY)) == 1


async def test_what_comes_during_a_replay_waits_for_its_turn(
    feed: Feed, mended: Runner[Tally], pool: Pool
) -> None:
    await feed([explosion(1), at(GUILTY, 2)])
    [guilty, _] = await pool.fetch(OPEN)
    fixed = Feed(mended, WANTED)
    failpoints.arm("replay.written=raise#2")
    with pytest.raises(Stumbled):
        await replay(mended, WANTED, guilty["id"], by="op", now=clock.now())
    await fixed([at(GUILTY, 3, "third")])

    assert [row["offset"] for row in await pool.fetch(OPEN)] == [2, 3]
    answers = await replay_case(mended, WANTED, case(GUILTY), by="op", now=clock.now())
    assert [answer.done for answer in answers] == [True, True]
    assert await pool.fetchval(COUNT, case(GUILTY)) == 3


async def test_a_replay_undone_by_weather_can_be_asked_for_again(
    feed: Feed, mended: Runner[Tally], pool: Pool
) -> None:
    await feed([explosion(1)])
    [guilty] = await pool.fetch(OPEN)
    failpoints.arm("replay.written=raise#1")

    with pytest.raises(Stumbled):
        await replay(mended, WANTED, guilty["id"], by="op", now=clock.now())
    assert await pool.fetchval(COUNT, case(GUILTY)) is None
    answers = await replay(mended, WANTED, guilty["id"], by="op", now=clock.now())
    again = await replay(mended, WANTED, guilty["id"], by="op", now=clock.now())

    assert [answer.done for answer in answers] == [True]
    assert again == []
    assert await pool.fetchval(COUNT, case(GUILTY)) == 1


async def test_discarding_the_guilty_lets_the_waiting_go_on(
    feed: Feed, runner: Runner[Any], pool: Pool
) -> None:
    await feed([explosion(1), at(GUILTY, 2), at(GUILTY, 3)])
    [guilty, *_] = await pool.fetch(OPEN)

    answers = await discard(
        runner, WANTED, guilty["id"], by="op-7", reason="sent by mistake", now=clock.now()
    )

    assert answers is not None
    assert [answer.done for answer in answers] == [True, True]
    assert await pool.fetchval(COUNT, case(GUILTY)) == 2
    row = await pool.fetchrow("SELECT * FROM parked WHERE id = $1", guilty["id"])
    assert row is not None
    told = (row["resolution"], row["resolved_by"], row["reason"])
    assert told == ("discarded", "op-7", "sent by mistake")


async def test_a_discarded_message_stays_discarded_when_it_comes_again(
    feed: Feed, mended: Runner[Tally], pool: Pool
) -> None:
    await feed([explosion(1)])
    [guilty] = await pool.fetch(OPEN)
    await discard(feed.runner, WANTED, guilty["id"], by="op", reason="wrong", now=clock.now())

    await Feed(mended, WANTED)([explosion(1), at(GUILTY, 2)])

    assert await pool.fetch(OPEN) == []
    assert await pool.fetchval(COUNT, case(GUILTY)) == 1


@pytest.mark.parametrize("name", ["no value", "truncated JSON", "no key", "ce_id missing"])
async def test_unreadable_poison_that_comes_again_after_a_discard_holds_nobody_up(
    feed: Feed, runner: Runner[Any], pool: Pool, name: str
) -> None:
    poison = WRONG[name][0](good())
    await feed([poison])
    [guilty] = await pool.fetch(OPEN)
    await discard(runner, WANTED, guilty["id"], by="op", reason="junk", now=clock.now())

    await feed([poison, at(GUILTY, 2)])

    assert await pool.fetch(OPEN) == []
    assert await pool.fetchval(COUNT, case(GUILTY)) == 1


async def test_discarding_one_that_waits_does_not_replay_the_guilty(
    feed: Feed, runner: Runner[Any], pool: Pool
) -> None:
    await feed([explosion(1), at(GUILTY, 2), at(GUILTY, 3)])
    [_, second, _] = await pool.fetch(OPEN)

    answers = await discard(
        runner, WANTED, second["id"], by="op", reason="duplicate", now=clock.now()
    )

    assert answers == []
    assert [(row["offset"], row["attempts"]) for row in await pool.fetch(OPEN)] == [(1, 1), (3, 1)]


async def test_a_discard_undone_by_weather_has_changed_nothing(
    feed: Feed, runner: Runner[Any], pool: Pool
) -> None:
    await feed([explosion(1)])
    [guilty] = await pool.fetch(OPEN)
    failpoints.arm("replay.discarded=raise#1")

    with pytest.raises(Stumbled):
        await discard(runner, WANTED, guilty["id"], by="op", reason="wrong", now=clock.now())

    assert len(await pool.fetch(OPEN)) == 1
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 0


async def test_a_discard_needs_a_reason_and_something_parked(
    feed: Feed, runner: Runner[Any], pool: Pool
) -> None:
    await feed([explosion(1)])
    [guilty] = await pool.fetch(OPEN)

    with pytest.raises(ValueError, match="reason"):
        await discard(runner, WANTED, guilty["id"], by="op", reason="  ", now=clock.now())

    assert len(await pool.fetch(OPEN)) == 1
    assert await discard(runner, WANTED, 99, by="op", reason="why", now=clock.now()) is None
    assert await replay(runner, WANTED, 99, by="op", now=clock.now()) == []


async def test_a_message_of_no_case_is_replayed_alone(
    feed: Feed, runner: Runner[Any], pool: Pool
) -> None:
    await feed([WRONG["no key"][0](good()), WRONG["an empty key"][0](at(OTHER, 2))])
    [first, second] = await pool.fetch(OPEN)

    answers = await replay(runner, WANTED, first["id"], by="op", now=clock.now())

    assert answers == [Replayed(first["id"], None, False, first["cause"])]
    attempts = {row["id"]: row["attempts"] for row in await pool.fetch(OPEN)}
    assert attempts == {first["id"]: 2, second["id"]: 1}


async def test_a_type_that_the_service_gave_up_meanwhile_goes_away(
    feed: Feed, runner: Runner[Any], pool: Pool
) -> None:
    await feed([explosion(1)])

    nobody_listens_now = await replay_case(runner, {}, case(GUILTY), by="op", now=clock.now())

    assert [answer.done for answer in nobody_listens_now] == [True]
    assert await pool.fetchval(COUNT, case(GUILTY)) is None


async def test_what_was_handled_before_its_case_was_parked_is_not_parked(
    feed: Feed, pool: Pool
) -> None:
    before = at(GUILTY, 1)
    await feed([before])
    await feed([explosion(2)])

    await feed([before, at(GUILTY, 3)])

    assert [row["offset"] for row in await pool.fetch(OPEN)] == [2, 3]


async def test_the_list_pages_and_counts(feed: Feed, pool: Pool) -> None:
    await feed([explosion(1), at(GUILTY, 2), at(GUILTY, 3)])

    async with pool.acquire() as db:
        first = await parking.listed(db, after=0, limit=2)
        rest = await parking.listed(db, after=first[-1]["id"], limit=2)
        counted = await parking.counted(db)

    assert [row["offset"] for row in first + rest] == [1, 2, 3]
    assert counted == parking.Counted(guilty=1, behind=2)
    assert first[0]["event_id"] == event_id(explosion(1))
    assert isinstance(first[0]["case_id"], UUID)
    assert "value" not in first[0]

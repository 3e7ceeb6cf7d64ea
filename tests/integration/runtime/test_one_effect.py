"""Promise 1 and 3: a message twice has one effect, and first events may come at once."""

import asyncio
from dataclasses import replace
from itertools import permutations
from typing import Any

from shared.runtime.feed import Feed
from shared.runtime.handle import Runner
from shared.runtime.postgres import Pool
from tests.integration.runtime.messages import WANTED, message
from tests.integration.runtime.tally import case, told

COUNT = "SELECT count FROM tallies WHERE case_id = $1"
EVENTS = "SELECT id, payload FROM outbox ORDER BY seq"


async def test_a_hundred_deliveries_have_one_effect(runner: Runner[Any], pool: Pool) -> None:
    feed = Feed(runner, WANTED)
    same = message(told(1, 1))

    for _ in range(50):
        await feed([same, same])

    assert await pool.fetchval(COUNT, case(1)) == 1
    assert len(await pool.fetch(EVENTS)) == 1


async def test_five_first_events_at_once_make_one_state(runner: Runner[Any], pool: Pool) -> None:
    feeds = [Feed(runner, WANTED) for _ in range(5)]

    await asyncio.gather(
        *(feed([message(told(1, n), n)]) for n, feed in enumerate(feeds)),
    )

    assert await pool.fetchval(COUNT, case(1)) == 5
    ids = [row["id"] for row in await pool.fetch(EVENTS)]
    assert len(set(ids)) == 5


async def test_batches_over_the_same_cases_never_deadlock(runner: Runner[Any], pool: Pool) -> None:
    orders = list(permutations([1, 2, 3, 4]))

    await asyncio.gather(
        *(
            Feed(runner, WANTED)([message(told(n, turn), turn) for n in order])
            for turn, order in enumerate(orders)
        )
    )

    for n in (1, 2, 3, 4):
        assert await pool.fetchval(COUNT, case(n)) == len(orders)


async def test_no_event_no_change(runner: Runner[Any], pool: Pool) -> None:
    feed = Feed(runner, WANTED)

    await feed([message(told(1, 1, "ignore"))])

    assert await pool.fetchval(COUNT, case(1)) is None
    assert await pool.fetch(EVENTS) == []
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 1


async def test_two_services_that_hear_one_event_name_theirs_differently(
    runner: Runner[Any], pool: Pool
) -> None:
    other = replace(runner, service="matching")
    same = message(told(1, 1))

    await Feed(runner, WANTED)([same])
    [first] = await pool.fetch(EVENTS)
    await pool.execute("TRUNCATE inbox, outbox, tallies")
    await Feed(other, WANTED)([same])
    [second] = await pool.fetch(EVENTS)

    # A third service that listens to both would take the second for a repetition.
    assert first["id"] != second["id"]

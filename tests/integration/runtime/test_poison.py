"""Promise 4: a poison event does not stop its partition. Each kind is parked once, alone."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from shared.runtime.feed import Feed
from shared.runtime.handle import Runner
from shared.runtime.local.database import drop_database, init_database, with_database
from shared.runtime.parking import BEHIND, message_of
from shared.runtime.postgres import RUNTIME_MIGRATIONS, Pool, migrate, open_pool
from shared.testing.fixtures import PASSWORDS, Database
from tests.integration.runtime.messages import WANTED
from tests.integration.runtime.poison import (
    CANARY,
    GUILTY,
    HARMLESS,
    OF_NO_CASE,
    OTHER,
    WRONG,
    at,
    good,
)
from tests.integration.runtime.tally import CREATE, SERVICE, case

COUNT = "SELECT count FROM tallies WHERE case_id = $1"
PARKED = "SELECT * FROM parked ORDER BY id"


@pytest.fixture(scope="module")
def database(postgres_server: str) -> Iterator[Database]:
    """One for the whole table: making a database takes longer than any of these tests."""
    name = f"test_poison_{os.getpid()}"
    asyncio.run(init_database(postgres_server, PASSWORDS, name))
    yield Database(with_database(postgres_server, name), name)
    asyncio.run(drop_database(postgres_server, name))


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    async with open_pool(database.dsn(SERVICE), SERVICE) as pool:
        await migrate(pool, SERVICE, [RUNTIME_MIGRATIONS])
        await pool.execute(CREATE)
        yield pool
        await pool.execute("TRUNCATE tallies, inbox, outbox, parked RESTART IDENTITY")


@pytest.fixture
def feed(runner: Runner[Any]) -> Feed:
    return Feed(runner, WANTED)


def test_there_are_more_than_thirty_kinds_of_poison() -> None:
    assert len(WRONG) > 30


@pytest.mark.parametrize("name", WRONG)
async def test_the_guilty_is_parked_once_and_the_others_go_on(
    feed: Feed, pool: Pool, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    spoil, cause = WRONG[name]
    poison = spoil(good())
    batch = [at(OTHER, 0), poison, at(OTHER, 2), at(GUILTY, 3), at(8, 4), at(GUILTY, 5)]

    await feed(batch)
    await feed(batch)

    assert await pool.fetchval(COUNT, case(OTHER)) == 2
    assert await pool.fetchval(COUNT, case(8)) == 1
    parked = await pool.fetch(PARKED)
    assert [row["offset"] for row in parked if not row["behind"]] == [1]
    assert parked[0]["cause"].startswith(cause)
    assert message_of(parked[0]) == poison
    _tells_nothing(parked[0], capsys.readouterr().out)


@pytest.mark.parametrize("name", [name for name in WRONG if name not in OF_NO_CASE])
async def test_later_events_of_the_case_wait_in_order(feed: Feed, pool: Pool, name: str) -> None:
    spoil, _ = WRONG[name]

    await feed([spoil(good()), at(GUILTY, 2)])
    await feed([at(GUILTY, 3), at(OTHER, 4)])
    await feed([at(GUILTY, 5)])

    assert await pool.fetchval(COUNT, case(GUILTY)) is None
    parked = await pool.fetch(PARKED)
    assert [row["offset"] for row in parked] == [1, 2, 3, 5]
    assert [row["cause"] for row in parked[1:]] == [BEHIND] * 3
    assert await pool.fetchval(COUNT, case(OTHER)) == 1


@pytest.mark.parametrize("name", HARMLESS)
async def test_what_is_merely_odd_is_handled(feed: Feed, pool: Pool, name: str) -> None:
    await feed([HARMLESS[name](good())])

    assert await pool.fetchval(COUNT, case(GUILTY)) == 1
    assert await pool.fetch(PARKED) == []
    assert CANARY not in str(await pool.fetchval("SELECT traceparent FROM outbox"))


async def test_a_batch_of_nothing_but_poison_is_parked_whole(feed: Feed, pool: Pool) -> None:
    spoil, _ = WRONG["a handler that raises"]
    explosions = [spoil(at(number, number)) for number in range(1, 60)]
    explosions = [
        type(one)(one.topic, 0, n, str(case(n)).encode(), _body(n), one.headers)
        for n, one in enumerate(explosions, 1)
    ]
    explosions = [_subject(one, n) for n, one in enumerate(explosions, 1)]

    await feed(explosions)

    rows = await pool.fetch(PARKED)
    assert [row["offset"] for row in rows] == list(range(1, 60))
    assert not any(row["behind"] for row in rows)


async def test_the_cause_names_the_line_that_failed(feed: Feed, pool: Pool) -> None:
    await feed([WRONG["a handler that raises"][0](good())])

    cause = (await pool.fetch(PARKED))[0]["cause"]

    assert cause.startswith("handler: Explodes in tests.integration.runtime.tally.decide, line ")


def _body(number: int) -> bytes:
    return json.dumps({"case_id": str(case(number)), "partner": "explode"}).encode()


def _subject(one: Any, number: int) -> Any:
    pairs = [(n, v) for n, v in one.headers if n != "ce_subject"]
    subject = ("ce_subject", str(case(number)).encode())
    return type(one)(one.topic, 0, one.offset, one.key, one.value, (*pairs, subject))


def _tells_nothing(row: Any, output: str) -> None:
    """Only the columns that hold the message itself may hold what stood in it."""
    told = {name: row[name] for name in dict(row) if name not in {"key", "value", "headers"}}
    assert CANARY not in str(told)
    assert CANARY not in output

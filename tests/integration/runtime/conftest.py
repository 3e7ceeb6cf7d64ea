"""The tally on a real Postgres."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.runtime import failpoints
from shared.runtime.handle import Runner
from shared.runtime.postgres import RUNTIME_MIGRATIONS, Pool, migrate, open_pool
from shared.testing.fixtures import Database
from tests.integration.runtime.tally import CREATE, SERVICE, TALLY, Tally, load, save


@pytest.fixture(autouse=True)
def no_fail_point_outlives_its_test() -> Iterator[None]:
    yield
    failpoints.disarm()


@pytest.fixture
def dsn(postgres: Database) -> str:
    return postgres.dsn(SERVICE)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(dsn, SERVICE) as pool:
        await migrate(pool, SERVICE, [RUNTIME_MIGRATIONS])
        await pool.execute(CREATE)
        yield pool


@pytest.fixture
def runner(pool: Pool) -> Runner[Tally]:
    return Runner(SERVICE, pool, TALLY, load, save)

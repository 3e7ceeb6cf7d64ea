"""The post room, open for one test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.runtime import failpoints
from shared.testing.fixtures import Database
from tests.integration.notify.post_room import PostRoom, post_room


@pytest.fixture
async def room(
    postgres: Database, kafka: str, topics: str, tmp_path: Path
) -> AsyncIterator[PostRoom]:
    async with post_room(postgres, kafka, topics, tmp_path / "objects") as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_fail_point_outlives_its_test() -> Iterator[None]:
    yield
    failpoints.disarm()

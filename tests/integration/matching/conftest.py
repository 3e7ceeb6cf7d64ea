"""The ward, at work for one test."""

from collections.abc import AsyncIterator

import pytest

from shared.testing.fixtures import Database
from tests.integration.matching.ward import Ward, ward


@pytest.fixture
async def at_work(postgres: Database, kafka: str, topics: str) -> AsyncIterator[Ward]:
    async with ward(postgres, kafka, topics) as opened:
        yield opened

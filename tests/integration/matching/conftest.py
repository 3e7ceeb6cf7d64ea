"""The ward, at work for one test."""

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from shared.testing.fixtures import Database
from tests.integration.matching.ward import Ward, ward


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Spare a loop that failed the rendering of every local variable, which takes seconds."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture
async def at_work(postgres: Database, kafka: str, topics: str) -> AsyncIterator[Ward]:
    async with ward(postgres, kafka, topics) as opened:
        yield opened

"""The laboratory, open for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.testing.fixtures import Database
from tests.integration.deid.lab import Lab, lab


@pytest.fixture
async def at_work(
    postgres: Database, kafka: str, topics: str, tmp_path: Path
) -> AsyncIterator[Lab]:
    async with lab(postgres, kafka, topics, tmp_path / "objects") as opened:
        yield opened

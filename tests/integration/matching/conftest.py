"""The ward, at work for one test."""

from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
import structlog

from services.matching import __main__ as program
from services.matching.gateways import reload
from services.matching.watch import LOOK_SECONDS, Watch
from shared.testing.fixtures import Database
from tests.integration.matching.ward import Ward, ward


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Spare a loop that failed the rendering of every local variable, which takes seconds."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service look ten times as often at what nobody signals; before it is at work."""
    monkeypatch.setattr(program, "Watch", partial(Watch, look_seconds=LOOK_SECONDS / 10))
    monkeypatch.setattr(reload, "LOOK_SECONDS", reload.LOOK_SECONDS / 10)


@pytest.fixture
async def at_work(postgres: Database, kafka: str, topics: str) -> AsyncIterator[Ward]:
    async with ward(postgres, kafka, topics) as opened:
        yield opened

"""One whole Overread of the test's own: five processes, an issuer, real Kafka and Postgres."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.runtime.local.database import drop_database
from shared.runtime.local.stack import Plan, Stack
from shared.runtime.local.topics import delete_topics
from shared.testing.fixtures import PASSWORDS


@pytest.fixture
async def stack(
    tmp_path: Path, kafka: str, postgres_server: str, topic_prefix: str
) -> AsyncIterator[Stack]:
    database = topic_prefix.replace("-", "_")
    whole = Stack(
        Plan(
            tmp_path,
            kafka=kafka,
            postgres=postgres_server,
            database=database,
            topic_prefix=topic_prefix,
            passwords=PASSWORDS,
        )
    )
    await asyncio.to_thread(whole.start)
    try:
        yield whole
    finally:
        await asyncio.to_thread(whole.stop)
        await drop_database(postgres_server, database)
        await asyncio.wait_for(delete_topics(kafka, topic_prefix), 60)

"""What does a test get that needs real servers: which Kafka, which database, which topics?

OVERREAD_KAFKA and OVERREAD_POSTGRES name servers that run already; without them one embedded pair
is started for the whole test run and shared by all its processes.
"""

import asyncio
import hashlib
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.contracts.topics import SERVICES
from shared.runtime.local.database import drop_database, init_database, service_dsn, with_database
from shared.runtime.local.topics import create_topics, delete_topics
from shared.testing.servers import shared_server

# Roles belong to the server, which many tests share, so their passwords must be the same for all.
PASSWORDS = {service: f"test-{service}" for service in SERVICES}
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Database:
    """A fresh database with the five roles and schemas, still without a table."""

    admin_dsn: str
    name: str

    def dsn(self, service: str) -> str:
        return service_dsn(self.admin_dsn, service, PASSWORDS[service], self.name)


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder all processes of this run see: with xdist, the one above each worker's."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[str]:
    """The administrator's DSN of a running Postgres."""
    external = os.environ.get("OVERREAD_POSTGRES")
    if external:
        yield external
        return
    with shared_server("postgres", server_folder) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def kafka(server_folder: Path) -> Iterator[str]:
    """The bootstrap string of a running Kafka. It makes no topic by itself."""
    external = os.environ.get("OVERREAD_KAFKA")
    if external:
        yield external
        return
    with shared_server("kafka", server_folder) as bootstrap:
        yield bootstrap


@pytest.fixture
async def postgres(postgres_server: str, topic_prefix: str) -> AsyncIterator[Database]:
    """A database of the test's own, made from nothing and dropped afterwards."""
    name = topic_prefix.replace("-", "_")
    await init_database(postgres_server, PASSWORDS, name)
    yield Database(with_database(postgres_server, name), name)
    await drop_database(postgres_server, name)


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> str:
    """Unlike that of any other test on this server, whichever process or checkout runs it."""
    origin = f"{request.node.nodeid} {os.getpid()} {Path.cwd()} {next(_numbers)}"
    return f"test-{hashlib.sha256(origin.encode()).hexdigest()[:16]}"


@pytest.fixture
async def topics(kafka: str, topic_prefix: str) -> AsyncIterator[str]:
    """The topic prefix, with the five services' topics made under it and removed afterwards."""
    await create_topics(kafka, topic_prefix)
    yield topic_prefix
    await asyncio.wait_for(delete_topics(kafka, topic_prefix), timeout=60)

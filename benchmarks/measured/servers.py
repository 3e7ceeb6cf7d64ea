"""Which Kafka and Postgres are measured? A pair of the benchmark's own, or given ones."""

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.contracts.topics import SERVICES
from shared.runtime.local import ports
from shared.runtime.local.environment import variable
from shared.runtime.local.kafka.server import KafkaServer
from shared.runtime.local.postgres import PostgresServer

# Roles belong to the server: whoever shares it with the tests must not lock them out.
PASSWORDS = {service: f"test-{service}" for service in SERVICES}


@dataclass(frozen=True, slots=True)
class Servers:
    """`postgres` is an administrator's DSN; roles on it get PASSWORDS. `folder` is ours alone.

    `pids` are those of servers that we started.
    """

    kafka: str
    postgres: str
    folder: Path
    pids: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def servers() -> Iterator[Servers]:
    """Start both in a folder that is gone afterwards, unless OVERREAD_KAFKA and _POSTGRES are set.

    They run with the settings of the local set-up: every commit is on disk before it is answered.
    """
    kafka, postgres = variable("OVERREAD_KAFKA"), variable("OVERREAD_POSTGRES")
    with tempfile.TemporaryDirectory(prefix="overread-bench-") as name:
        folder = Path(name)
        if kafka and postgres:
            yield Servers(kafka, postgres, folder)
            return
        port, controller, database = ports.free_ports(3)
        both = (
            KafkaServer(folder / "kafka", port, controller, folder / "kafka.log"),
            PostgresServer(folder / "postgres", database, folder / "postgres.log", "bench"),
        )
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda server: server.start(), both))
            pids = {server.child.command.name: server.child.pid or 0 for server in both}
            yield Servers(both[0].bootstrap, both[1].dsn, folder, pids)
        finally:
            for server in both:
                server.stop()

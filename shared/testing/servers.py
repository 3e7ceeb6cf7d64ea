"""How do all test processes of one run share one embedded server, and who stops it?

Each test process holds a shared lock for as long as it lives. The one that finds no address starts
a guard, a process of its own, which starts the server, writes the address and waits for the lock
alone: when it gets it, the last test process has ended, in whichever way, and it stops the server.
"""

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from shared.runtime import clock
from shared.runtime.local import ports
from shared.runtime.local.failure import SetupError
from shared.runtime.local.kafka.server import KafkaServer
from shared.runtime.local.postgres import PostgresServer

Kind = Literal["postgres", "kafka"]
START_SECONDS = 240
POLL_SECONDS = 0.05


@contextmanager
def shared_server(kind: Kind, folder: Path) -> Iterator[str]:
    """Give the server's address (a DSN or a bootstrap string), starting it if nobody has."""
    place = folder / kind
    place.mkdir(parents=True, exist_ok=True)
    address = place / "address"
    with (place / "users.lock").open("w") as users, (place / "start.lock").open("w") as start:
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(start, fcntl.LOCK_EX)
        if not address.exists():
            _start_guard(kind, place, address)
        fcntl.flock(start, fcntl.LOCK_UN)
        yield address.read_text(encoding="utf-8")


def _start_guard(kind: Kind, place: Path, address: Path) -> None:
    with (place / "guard.log").open("ab") as log:
        guard = subprocess.Popen(  # noqa: S603 - argv is ours
            [sys.executable, "-m", "shared.testing.servers", kind, str(place)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=Path(__file__).parents[2],
        )
    deadline = clock.ticks() + START_SECONDS
    while not address.exists():
        if guard.poll() is not None or clock.ticks() > deadline:
            raise SetupError(f"no {kind} for the tests", mend=f"read {place / 'guard.log'}")
        time.sleep(POLL_SECONDS)
    # It outlives us on purpose; forgetting it here keeps Python from warning of that.
    guard.returncode = 0


def guard(kind: Kind, place: Path) -> None:
    """Start the server, tell its address, and stop it when the last user has gone."""
    server = _server(kind, place)
    server.start()
    address = place / "address"
    unfinished = place / "address.new"
    told = server.dsn if isinstance(server, PostgresServer) else server.bootstrap
    unfinished.write_text(told, encoding="utf-8")
    unfinished.rename(address)
    with (place / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        address.unlink()
        server.stop()


def _server(kind: Kind, place: Path) -> PostgresServer | KafkaServer:
    """Ports are chosen anew each time; the server checks that the listener is its own child."""
    if kind == "postgres":
        return PostgresServer(
            place / "server", ports.free_ports(1)[0], place / "server.log", "test"
        )
    port, controller_port = ports.free_ports(2)
    return KafkaServer(place / "server", port, controller_port, place / "server.log")


if __name__ == "__main__":
    match sys.argv[1]:
        case "postgres" | "kafka" as kind:
            guard(kind, Path(sys.argv[2]))
        case other:
            sys.exit(f"unknown server {other!r}: postgres or kafka")

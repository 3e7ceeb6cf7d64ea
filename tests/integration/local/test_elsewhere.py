"""Can servers that others keep be prepared, and one program be run on them, as Compose does it?"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.contracts.topics import SERVICES
from shared.runtime.local import ports
from shared.runtime.local.places import CHECKOUT
from shared.runtime.local.postgres import PostgresServer

OUTER = {
    name: value
    for name, value in os.environ.items()  # noqa: TID251 - what the programs under test would see
    if not name.startswith("OVERREAD_")
}


def overread(*words: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - argv is ours
        [sys.executable, "-m", "cli", *words],
        env=OUTER | variables,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said(running: subprocess.Popen[str]) -> str:
    return running.communicate(timeout=120)[0]


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Not the shared one: `init` sets the roles' passwords, and roles belong to the server."""
    folder = tmp_path_factory.mktemp("elsewhere")
    server = PostgresServer(folder, ports.free_ports(1)[0], folder / "log", "test")
    server.start()
    yield server.dsn
    server.stop()


@pytest.fixture
def servers(own_postgres: str, kafka: str, topics: str, tmp_path: Path) -> dict[str, str]:
    port = ports.free_ports(1)[0]
    return {
        "OVERREAD_KAFKA": kafka,
        "OVERREAD_POSTGRES": own_postgres,
        "OVERREAD_OBJECTS": str(tmp_path / "objects"),
        "OVERREAD_ISSUER": f"http://127.0.0.1:{port}",
        "OVERREAD_TOPIC_PREFIX": topics,
        "ISSUER_PORT": str(port),
    }


def await_ready(running: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert running.poll() is None, said(running)
        try:
            if httpx.get(f"{url}/readyz", trust_env=False, timeout=10).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"{url} was never ready")


def test_init_writes_settings_with_which_a_program_runs(
    servers: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "setup"
    assert "roles, schemas and topics are there" in said(overread("init", str(folder), **servers))
    settings = {name: folder / name / "environment.json" for name in (*SERVICES, "issuer")}
    written = {name: path.read_bytes() for name, path in settings.items()}
    assert "roles, schemas and topics are there" in said(overread("init", str(folder), **servers))

    assert {name: path.read_bytes() for name, path in settings.items()} == written
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in settings.values())
    port = ports.free_ports(1)[0]
    issuer = overread("run", "issuer", str(folder / "issuer"), ISSUER_PORT=servers["ISSUER_PORT"])
    matching = overread("run", "matching", str(folder / "matching"), MATCHING_PORT=str(port))
    try:
        await_ready(issuer, servers["OVERREAD_ISSUER"])
        await_ready(matching, f"http://127.0.0.1:{port}")
    finally:
        for running in (issuer, matching):
            running.terminate()
            said(running)


def test_init_without_servers_names_each_variable() -> None:
    told = said(overread("init", "anywhere"))

    assert "OVERREAD_KAFKA, OVERREAD_POSTGRES, OVERREAD_OBJECTS, OVERREAD_ISSUER not set" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("run", "billing", "x"), "no program is named billing: one of intake"),
        (("run", "intake", "nowhere"), "run `overread init`"),
    ],
)
def test_run_tells_what_is_wrong_in_one_sentence(words: tuple[str, ...], answer: str) -> None:
    told = said(overread(*words))

    assert answer in told
    assert "Traceback" not in told

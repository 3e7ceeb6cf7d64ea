"""Does a stack go on when nobody looks: after a crash of a service, a server, the supervisor?"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import psutil
import pytest
from typer.testing import CliRunner

from cli.__main__ import command_line
from shared.contracts.topics import SERVICES
from shared.runtime.local import ports, supervisor
from shared.runtime.local.child import recorded_process
from shared.runtime.local.database import service_dsn
from shared.runtime.local.failure import SetupError
from shared.runtime.local.keys import read_or_make_keys
from shared.runtime.local.places import Places
from shared.runtime.local.stack import LISTENERS, Plan
from shared.testing.fixtures import PASSWORDS, Database

STAND_IN = Path(__file__).with_name("stand_in.py")
STAND_INS = {name: (sys.executable, str(STAND_IN), name) for name in SERVICES}
SERVERS = {"kafka", "postgres"}
EVERYTHING = {*SERVICES, *SERVERS, "issuer", "mailbox"}
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    chosen = dict(zip(LISTENERS, ports.free_ports(len(LISTENERS)), strict=True))
    folder = tmp_path / "overread"
    yield Plan(folder, ports=chosen, argv=STAND_INS, mailbox=True)
    supervisor.halt(Places(folder))


@pytest.fixture
def light_plan(
    postgres: Database, postgres_server: str, kafka: str, topics: str, plan: Plan
) -> Plan:
    """On servers that run already: seconds less for what is not about them."""
    return replace(
        plan,
        kafka=kafka,
        postgres=postgres_server,
        database=postgres.name,
        topic_prefix=topics,
        passwords=PASSWORDS,
    )


def is_running(pid: int) -> bool:
    """A zombie has ended; how soon somebody reaps it is the machine's business."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(holds: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def in_postgres(plan: Plan, statement: str) -> object:
    """Run a statement as intake's own login in the plan's embedded Postgres."""
    keys = read_or_make_keys(Places(plan.folder).keys)
    server = f"postgresql://127.0.0.1:{plan.ports['postgres']}/postgres"
    dsn = service_dsn(server, "intake", keys.passwords["intake"], plan.database)

    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_up_twice_is_one_and_down_keeps_what_was_stored(plan: Plan) -> None:
    places = Places(plan.folder)
    steps: list[str] = []
    supervisor.launch(plan, steps.append)
    first = supervisor.running_children(places)
    supervisor.launch(plan, steps.append)
    again = supervisor.running_children(places)

    assert set(first) == EVERYTHING
    assert again == first
    assert sum("intake ready" in step for step in steps) == 1
    in_postgres(plan, "create table kept as select 'a row' as what")

    stopped = CliRunner().invoke(command_line(), ["down", "--folder", str(plan.folder)])
    assert stopped.exit_code == 0
    assert "data stay" in stopped.output
    assert supervisor.running_children(places) == {}
    assert not any(is_running(pid) for pid in first.values())
    secrets_before = places.keys.read_bytes(), places.clients.read_bytes()

    supervisor.launch(plan, steps.append)

    assert set(supervisor.running_children(places)) == EVERYTHING
    assert (places.keys.read_bytes(), places.clients.read_bytes()) == secrets_before
    assert in_postgres(plan, "select what from kept") == "a row"


def test_whatever_dies_is_started_again(plan: Plan) -> None:
    places = Places(plan.folder)
    supervisor.launch(plan, lambda _: None)
    before = supervisor.running_children(places)

    for name in ("deid", "postgres", "mailbox"):
        psutil.Process(before[name]).kill()

    def all_are_back() -> bool:
        now = supervisor.running_children(places)
        return set(now) == EVERYTHING and all(
            now[name] != before[name] for name in ("deid", "postgres", "mailbox")
        )

    eventually(all_are_back)
    told = supervisor.status(places)
    assert told is not None
    assert any("deid ended with code -9: again in 0.5 s" in step for step in told.steps)
    eventually(lambda: ports.is_listening(plan.ports["postgres"]))


def test_up_ends_what_a_killed_supervisor_left_and_starts_anew(
    light_plan: Plan,
) -> None:
    plan = light_plan
    places = Places(plan.folder)
    supervisor.launch(plan, lambda _: None)
    orphans = supervisor.running_children(places)
    left_alone = recorded_process(places.supervisor)
    assert left_alone is not None
    left_alone.kill()
    eventually(lambda: not supervisor.is_supervised(places))

    supervisor.launch(plan, lambda _: None)

    assert not any(is_running(pid) for pid in orphans.values())
    assert set(supervisor.running_children(places)) == EVERYTHING - SERVERS


def test_status_tells_what_runs_and_fails_when_nothing_does(light_plan: Plan) -> None:
    plan = light_plan
    asked = ["status", "--folder", str(plan.folder)]
    assert CliRunner().invoke(command_line(), asked).exit_code == 1
    supervisor.launch(plan, lambda _: None)

    told = CliRunner().invoke(command_line(), asked)

    assert told.exit_code == 0
    assert all(name in told.output for name in EVERYTHING - SERVERS)


def test_a_start_that_fails_says_why_and_leaves_nothing_running(light_plan: Plan) -> None:
    plan = replace(light_plan, extra={"matching": {"STAND_IN_FAILS": "yes"}})
    places = Places(plan.folder)

    with pytest.raises(SetupError, match="matching ended with code 1") as raised:
        supervisor.launch(plan, lambda _: None)

    assert "STAND_IN_FAILS is set" in raised.value.quote
    eventually(lambda: not supervisor.is_supervised(places))
    assert supervisor.running_children(places) == {}

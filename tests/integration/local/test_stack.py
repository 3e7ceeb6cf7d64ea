"""Does a whole Overread start, get hurt, stop, and keep its data?"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.contracts.topics import SERVICES
from shared.runtime.local import ports
from shared.runtime.local.failure import SetupError
from shared.runtime.local.stack import Plan, Stack

STAND_IN = Path(__file__).with_name("stand_in.py")
STAND_INS = {name: (sys.executable, str(STAND_IN), name) for name in SERVICES}
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(Plan(tmp_path_factory.mktemp("stack"), argv=STAND_INS))
    stack.start()
    yield stack
    stack.stop()


def environment_of(stack: Stack, service: str) -> dict[str, str]:
    answer: dict[str, str] = httpx.get(f"{stack.urls[service]}/", trust_env=False).json()
    return answer


def test_each_service_sees_its_own_secrets_and_no_other(stack: Stack) -> None:
    secrets = {
        "intake": [stack.keys.passwords["intake"], stack.keys.intake_digest],
        "deid": [stack.keys.passwords["deid"], stack.keys.deid_pseudonym],
        "matching": [stack.keys.passwords["matching"], stack.keys.matching_store],
        "reporting": [stack.keys.passwords["reporting"]],
        "notify": [
            stack.keys.passwords["notify"],
            stack.keys.notify_store,
            stack.keys.sealing[0]["d"],
        ],
    }

    seen = {
        (service, owner)
        for service in SERVICES
        for owner, held in secrets.items()
        for secret in held
        if any(secret in value for value in environment_of(stack, service).values())
    }

    assert seen == {(service, service) for service in SERVICES}
    assert stack.keys.postgres_admin not in str([environment_of(stack, s) for s in SERVICES])


def test_the_folder_is_its_owners_alone(stack: Stack) -> None:
    assert stack.places.root.stat().st_mode & 0o777 == 0o700
    for secret in (stack.places.keys, stack.places.clients):
        assert secret.stat().st_mode & 0o777 == 0o600


def test_a_killed_service_is_gone_and_a_restarted_one_is_ready(stack: Stack) -> None:
    before = stack.services["deid"].child.pid

    stack.kill("deid")
    assert not psutil.pid_exists(before)
    assert not stack.services["deid"].is_ready()
    stack.restart("deid")

    assert stack.services["deid"].child.pid != before
    assert stack.services["deid"].is_ready()


async def test_what_was_committed_and_acknowledged_survives_kill_and_crash(stack: Stack) -> None:
    assert stack.kafka is not None
    assert stack.postgres is not None
    topic = f"{stack.plan.topic_prefix}.intake"
    connection = await asyncpg.connect(stack.dsn("intake"))
    await connection.execute("create table kept (what text)")
    await connection.execute("insert into kept values ('a row')")
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(topic, b"a message")
    await producer.stop()

    await asyncio.to_thread(stack.kafka.kill9)
    await asyncio.to_thread(stack.postgres.crash)
    connection.terminate()
    await asyncio.to_thread(stack.postgres.start)
    await asyncio.to_thread(stack.kafka.start)

    connection = await asyncpg.connect(stack.dsn("intake"))
    assert await connection.fetchval("select what from kept") == "a row"
    await connection.close()
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=stack.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    assert (await consumer.getone()).value == b"a message"
    await consumer.stop()


def test_a_service_that_cannot_start_stops_the_start_and_tells_its_last_words(
    stack: Stack, tmp_path: Path
) -> None:
    plan = Plan(
        tmp_path,
        kafka=stack.bootstrap,
        postgres=stack.admin_dsn,
        database="another",
        topic_prefix="another",
        passwords=stack.keys.passwords,
        argv=STAND_INS,
        extra={"notify": {"STAND_IN_FAILS": "yes"}},
    )
    doomed = Stack(plan)

    with pytest.raises(SetupError, match="notify ended with code 1 while starting") as raised:
        doomed.start()

    assert "STAND_IN_FAILS is set" in raised.value.quote
    assert not any(child.is_alive for child in doomed.children.values())
    assert all(ports.is_free(port) for port in doomed.ports.values())


HERE = "127.0.0.1"


@pytest.mark.parametrize(
    ("postgres", "said"),
    [
        (f"postgresql://postgres:x@{HERE}:{{free}}/postgres", "OVERREAD_POSTGRES"),
        (f"postgresql://postgres:x@{HERE}:{{postgres}}/postgres", "refuses the user postgres"),
        (f"postgresql://overread_intake:{{intake}}@{HERE}:{{postgres}}/overread", "may not make"),
    ],
)
def test_an_external_postgres_that_is_unfit_is_named_with_the_mend(
    stack: Stack, tmp_path: Path, postgres: str, said: str
) -> None:
    password = stack.keys.passwords["intake"]
    free, port = ports.free_ports(1)[0], stack.ports["postgres"]
    dsn = postgres.format(free=free, postgres=port, intake=password)

    with pytest.raises(SetupError, match=said) as raised:
        Stack(Plan(tmp_path, kafka=stack.bootstrap, postgres=dsn)).start()

    assert password not in str(raised.value)


def test_an_external_kafka_that_is_not_there_is_named_with_the_mend(
    stack: Stack, tmp_path: Path
) -> None:
    nowhere = f"{HERE}:{ports.free_ports(1)[0]}"
    plan = Plan(tmp_path, kafka=nowhere, postgres=stack.admin_dsn, passwords=stack.keys.passwords)

    with pytest.raises(SetupError, match="OVERREAD_KAFKA"):
        Stack(plan).start()

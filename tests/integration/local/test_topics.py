"""Are the five topics there for a test, its own, and gone afterwards?"""

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import SERVICES, topic
from shared.runtime.local import ports
from shared.runtime.local.topics import PARTITIONS, create_topics, delete_topics

TEN_MEGABYTES = 10 * 1024 * 1024


async def names_on(bootstrap: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    names = set(await admin.list_topics())
    await admin.close()
    return names


async def test_five_topics_exist_and_making_them_again_is_harmless(kafka: str, topics: str) -> None:
    again = await create_topics(kafka, topics)

    assert set(again) == {topic(service, topics) for service in SERVICES}
    assert set(again) <= await names_on(kafka)


async def test_deleting_a_prefix_leaves_longer_prefixes_alone(kafka: str, topics: str) -> None:
    await create_topics(kafka, f"{topics}x")

    await delete_topics(kafka, f"{topics}x")

    assert {topic(service, topics) for service in SERVICES} <= await names_on(kafka)
    assert topic("intake", f"{topics}x") not in await names_on(kafka)


async def test_a_ten_megabyte_message_travels(kafka: str, topics: str) -> None:
    name = topic("intake", topics)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=TEN_MEGABYTES + 1024)
    await producer.start()
    await producer.send_and_wait(name, b"x" * TEN_MEGABYTES, key=b"case")
    await producer.stop()

    consumer = AIOKafkaConsumer(name, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    message = await consumer.getone()
    partitions = consumer.partitions_for_topic(name)
    await consumer.stop()

    assert len(message.value) == TEN_MEGABYTES
    assert len(partitions) == PARTITIONS


SUITE = """
import pytest
pytest_plugins = ["shared.testing.fixtures"]

@pytest.mark.parametrize("number", range(4))
async def test_server(number, postgres_server, tmp_path_factory):
    base = tmp_path_factory.getbasetemp().parent
    with (base.parent / "seen").open("a") as seen:
        seen.write(f"{postgres_server}\\n")
"""


def test_without_an_external_server_all_processes_share_one_that_ends_with_them(
    tmp_path: Path,
) -> None:
    """With Postgres, which starts sooner than Kafka; both are shared by the same few lines."""
    root = Path(__file__).parents[3]
    (tmp_path / "test_inner.py").write_text(SUITE)
    outer = os.environ.items()  # noqa: TID251 - the inner run must see no external server
    environment = {k: v for k, v in outer if not k.startswith(("OVERREAD_", "PYTEST"))}

    argv = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"]
    argv += ["--rootdir", str(tmp_path), "-c", str(root / "pyproject.toml")]
    argv += ["--basetemp", str(tmp_path / "base"), str(tmp_path / "test_inner.py")]
    done = subprocess.run(  # noqa: S603 - argv is ours
        argv, env=environment, cwd=root, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    addresses = (tmp_path / "seen").read_text().splitlines()
    assert len(addresses) == 4
    assert len(set(addresses)) == 1
    port = urlsplit(addresses[0]).port
    assert port is not None
    deadline = time.monotonic() + 120
    while ports.is_listening(port):
        assert time.monotonic() < deadline, "it outlived the processes that used it"
        time.sleep(0.05)

"""A whole service in one process: it consumes, decides, publishes, and tells how it is."""

import asyncio
from pathlib import Path

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.contracts.envelope import headers
from shared.contracts.intake import InformationProvided
from shared.runtime.service import Core, Edges, Service
from shared.runtime.settings import ServiceSettings
from shared.testing.fixtures import Database
from shared.testing.running import running
from tests.integration.runtime.tally import CREATE, SERVICE, TALLY, Tally, load, save, told


def service(folder: Path) -> Service[Tally]:
    (folder / "migrations").mkdir()
    (folder / "migrations" / "0001_tallies.sql").write_text(CREATE)

    def edges(_: Core[Tally]) -> Edges:
        return Edges()

    listens = {"intake": (InformationProvided,)}
    return Service(SERVICE, "Tally", TALLY, load, save, listens, edges, folder / "migrations")


async def test_an_event_goes_in_and_what_it_led_to_comes_out(
    postgres: Database, kafka: str, topics: str, tmp_path: Path
) -> None:
    settings = ServiceSettings(
        postgres=postgres.dsn(SERVICE),
        port=1,
        kafka=kafka,
        objects=str(tmp_path / "objects"),
        issuer="http://127.0.0.1:1",
        topic_prefix=topics,
    )
    recorded = told(1, 1)
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    consumer = AIOKafkaConsumer(
        f"{topics}.deid", bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()

    async with running(service(tmp_path), settings) as live, httpx.AsyncClient() as http:
        await producer.send_and_wait(
            f"{topics}.intake",
            recorded.event.model_dump_json().encode(),
            str(recorded.case_id).encode(),
            headers=headers(recorded),
        )
        published = await asyncio.wait_for(consumer.getone(), 60)
        alive = await http.get(f"{live.url}/livez")
        ready = await http.get(f"{live.url}/readyz")
        figures = await http.get(f"{live.url}/metrics")
        closed = await http.get(f"{live.url}/v1/operations/parked")

    await producer.stop()
    await consumer.stop()
    assert dict(published.headers)["ce_causationid"] == str(recorded.event_id).encode()
    assert published.key == str(recorded.case_id).encode()
    assert (alive.status_code, ready.status_code) == (200, 200), ready.text
    assert "overread_outbox_events" in figures.text
    assert closed.status_code == 401

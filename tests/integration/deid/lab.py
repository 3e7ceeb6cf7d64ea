"""What does deid need around it? A vault with a partner's images, a topic to listen to, a token."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid5

import httpx
from aiokafka import AIOKafkaConsumer
from pydantic import TypeAdapter

from services.deid.__main__ import SERVICE
from services.deid.domain.state import State
from services.deid.settings import Settings
from shared.contracts.base import CaseId, Event, Frozen, ObjectRef
from shared.contracts.deid import CaseDeidentified
from shared.contracts.intake import DocumentKind, RawDocument, RawStudy
from shared.contracts.topics import EVENTS
from shared.runtime.objects import ObjectStore
from shared.runtime.sealing import new_key_pair
from shared.testing.fixtures import Database
from shared.testing.running import Live, running
from shared.testing.tokens import Issuing, issuing
from tests.unit.deid.cases import accepted

ORIGIN = UUID("0e0e0e0e-0000-4000-8000-000000000000")
REFS: TypeAdapter[tuple[ObjectRef, ...]] = TypeAdapter(tuple[ObjectRef, ...])
SECONDS = 90
PRIVATE, PUBLIC = new_key_pair()
KEY = base64.b64encode(b"a key of thirty-two bytes, no less").decode()
E = TypeVar("E", bound=Event)


@dataclass
class Lab:
    """The running service, its vault, and what it published."""

    live: Live[State]
    http: httpx.AsyncClient
    issuer: Issuing
    store: ObjectStore
    folder: Path
    consumer: AIOKafkaConsumer
    published: list[Event] = field(default_factory=list)
    wire: list[bytes] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)

    async def study(
        self, case_id: CaseId, name: str, *files: bytes, modality: str = "CT"
    ) -> RawStudy:
        """Put a study into the vault, as intake does."""
        refs = [await self.store.put("raw", case_id, one, "application/dicom") for one in files]
        manifest = await self.store.put("raw", case_id, REFS.dump_json(tuple(refs)))
        return RawStudy(
            study=name, modality=modality, instance_count=len(files), manifests=(manifest,)
        )

    async def text(self, case_id: CaseId, kind: DocumentKind, text: str) -> RawDocument:
        content = await self.store.put("raw", case_id, text.encode(), "text/plain")
        return RawDocument(kind=kind, content=content)

    async def accept(
        self, case_id: CaseId, *studies: RawStudy, documents: tuple[RawDocument, ...] = ()
    ) -> None:
        event = accepted(*studies, documents=documents)
        await self.tell(event.model_copy(update={"case_id": case_id}))

    async def tell(self, event: Frozen) -> None:
        """Let an upstream event arrive."""
        input_id = uuid5(ORIGIN, f"{next(self.numbers)} {event.model_dump_json()}")
        await self.live.core.runner.submit(event, input_id=input_id)  # type: ignore[arg-type]

    async def hear(self, kind: type[E], case_id: CaseId) -> E:
        """Wait until deid publishes an event of this kind about the case."""
        async with asyncio.timeout(SECONDS):
            while True:
                message = await self.consumer.getone()
                self.wire.append(message.value)
                name = dict(message.headers)["ce_type"].decode()
                event = EVENTS[name].model_validate_json(message.value)
                self.published.append(event)
                if isinstance(event, kind) and event.case_id == case_id:
                    return event

    async def get(
        self, path: str, subject: str = "dr-ops", scope: str = "operator"
    ) -> httpx.Response:
        return await self.http.get(path, headers=self.issuer.headers(subject, scope))

    async def decide(self, case_id: CaseId, **wish: Any) -> httpx.Response:
        body = {"decision": "release", "reason": "no_identifiers_seen", **wish}
        return await self.post(f"/v1/quarantine/{case_id}/decisions", body)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        once = {"Idempotency-Key": f"key-{next(self.numbers)}"}
        headers = {**self.issuer.headers("dr-ops", "operator"), **once}
        return await self.http.post(path, json=body, headers=headers)

    async def items(self, case_id: CaseId) -> list[dict[str, Any]]:
        found = await self.get(f"/v1/quarantine/{case_id}")
        assert found.status_code == 200, found.text
        return list(found.json()["items"])

    async def clean(self, event: CaseDeidentified, study: int = 0) -> list[bytes]:
        """The clean instances of a study."""
        refs = REFS.validate_json(await self.store.get(event.studies[study].manifest))
        return [await self.store.get(ref) for ref in refs]

    async def leaks(self, words: Sequence[str]) -> list[tuple[str, str]]:
        """Where an identifier stands outside the vault: clean objects, tables, topic."""
        places = {f"object {n}": one.read_bytes() for n, one in enumerate(self._clean_files())}
        places |= {"table " + name: rows for name, rows in await self._tables()}
        places["topic"] = b"\n".join(self.wire)
        return [
            (place, word)
            for place, content in places.items()
            for word in words
            if word.lower().encode() in content.lower()
        ]

    def _clean_files(self) -> list[Path]:
        return [one for one in (self.folder / "clean").rglob("*") if one.is_file()]

    async def _tables(self) -> list[tuple[str, bytes]]:
        async with self.live.core.pool.acquire() as db:
            names = await db.fetch(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'deid'"
            )
            return [
                (one, str(await db.fetch(f'SELECT t::text FROM "{one}" t')).encode())  # noqa: S608 - our own names
                for (one,) in names
            ]


def case(name: str) -> CaseId:
    return CaseId(uuid5(ORIGIN, name))


@asynccontextmanager
async def lab(
    postgres: Database, kafka: str, topics: str, folder: Path, **changes: Any
) -> AsyncIterator[Lab]:
    """Run deid for one test, with settings changed."""
    store = ObjectStore.open(str(folder), reads={"raw", "clean", "sealed"}, writes={"raw", "clean"})
    consumer = AIOKafkaConsumer(
        f"{topics}.deid", bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    async with issuing() as issuer:
        given: dict[str, Any] = {
            "postgres": postgres.dsn("deid"),
            "port": 1,
            "kafka": kafka,
            "objects": str(folder),
            "issuer": issuer.url,
            "topic_prefix": topics,
            "key": KEY,
            "notify_public_key": json.dumps(PUBLIC),
            "workers": 2,
            "seconds": 20,
        }
        settings = Settings(**{**given, **changes})
        async with (
            running(SERVICE, settings) as live,
            httpx.AsyncClient(base_url=live.url, timeout=60) as http,
        ):
            yield Lab(live, http, issuer, store, folder, consumer)
    await consumer.stop()

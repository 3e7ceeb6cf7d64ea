"""What does a reader's office need? The service at work, clean objects, tokens, and a reader."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx

from services.reporting.__main__ import SERVICE
from services.reporting.domain.state import State
from services.reporting.settings import Settings
from shared.contracts.base import CaseId, Event, ObjectRef
from shared.contracts.deid import CaseDeidentified, CleanDocument, CleanStudy
from shared.runtime.objects import ObjectStore
from shared.testing.fixtures import Database
from shared.testing.running import Live, running
from shared.testing.tokens import Issuing, issuing
from tests.unit.reporting.cases import READER, accepted, assigned

FIRST_TEXT = "Hand, two views. No fracture. A gan\u0067lion? Nothing else \u2013 normal."
QUESTION = "Pain over the fifth metacarpal since Tuesday."
ORIGIN = UUID("0f0f0f0f-0000-4000-8000-000000000000")


@dataclass
class Desk:
    """One reader's HTTP client, which remembers nothing but its token."""

    http: httpx.AsyncClient
    case: str
    headers: dict[str, str]
    keys: "count[int]" = field(default_factory=count)

    async def get(self, path: str = "", **headers: str) -> httpx.Response:
        return await self.http.get(self._at(path), headers={**self.headers, **headers})

    async def post(
        self, path: str, body: Any = None, key: str | None = None, **headers: str
    ) -> httpx.Response:
        once = {"Idempotency-Key": key or f"key-{next(self.keys)}"}
        return await self.http.post(
            self._at(path), json=body, headers={**self.headers, **once, **headers}
        )

    async def put(self, path: str, body: Any, revision: int | str | None) -> httpx.Response:
        seen = {} if revision is None else {"If-Match": f'"{revision}"'}
        return await self.http.put(self._at(path), json=body, headers={**self.headers, **seen})

    def _at(self, path: str) -> str:
        return f"/v1/cases/{self.case}{path}"


@dataclass
class Office:
    """The running service with its neighbours' doings."""

    live: Live[State]
    http: httpx.AsyncClient
    issuer: Issuing
    store: ObjectStore
    folder: Path
    numbers: "count[int]" = field(default_factory=count)

    async def tell(self, event: Event) -> None:
        """Let an upstream event arrive."""
        input_id = uuid5(ORIGIN, f"event {next(self.numbers)}")
        await self.live.core.runner.submit(event, input_id=input_id)

    def desk(self, case: CaseId, reader: str = READER, *scopes: str) -> Desk:
        headers = self.issuer.headers(reader, *(scopes or ("reader",)))
        return Desk(self.http, str(case), headers)

    async def case(self, name: str, **changes: Any) -> CaseId:
        """Let a whole case arrive: accepted, cleaned, assigned."""
        case_id = CaseId(uuid5(ORIGIN, name))
        await self.tell(accepted(case_id=case_id))
        await self.tell(await self.cleaned(case_id, **changes))
        await self.tell(assigned().model_copy(update={"case_id": case_id}))
        return case_id

    async def cleaned(self, case_id: CaseId, **changes: Any) -> CaseDeidentified:
        """Put clean objects where deid would, and give what deid would say of them."""
        instances = [await self.put(case_id, image(n)) for n in range(2)]
        manifest = await self.put(case_id, _manifest(instances), "application/json")
        study = CleanStudy(
            study="study-1",
            modality="DX",
            body_region="HAND",
            laterality="L",
            instance_count=2,
            manifest=manifest,
            certificate=await self.put(case_id, b"{}", "application/json"),
        )
        fields: dict[str, Any] = {
            "case_id": case_id,
            "partner": "st-elsewhere",
            "pseudonym": "P-1",
            "studies": (study,),
            "documents": (
                await self.document(case_id, "first_report", FIRST_TEXT),
                await self.document(case_id, "clinical_question", QUESTION),
                CleanDocument(kind="history", status="withheld"),
            ),
            "instances_cleaned": 2,
        }
        return CaseDeidentified(**{**fields, **changes})

    async def document(self, case_id: CaseId, kind: Any, text: str) -> CleanDocument:
        content = await self.put(case_id, text.encode(), "text/plain; charset=utf-8")
        return CleanDocument(kind=kind, status="released", content=content)

    async def put(
        self, case_id: CaseId, content: bytes, media_type: str = "application/dicom"
    ) -> ObjectRef:
        return await self.store.put("clean", case_id, content, media_type)


def image(number: int) -> bytes:
    """Bytes that are larger than the store's pieces and differ by number."""
    return hashlib.sha256(str(number).encode()).digest() * 80_000


def _manifest(refs: list[ObjectRef]) -> bytes:
    return b"[" + b",".join(ref.model_dump_json().encode() for ref in refs) + b"]"


@asynccontextmanager
async def office(
    postgres: Database, kafka: str, prefix: str, folder: Path
) -> AsyncIterator[Office]:
    async with issuing() as issuer:
        settings = Settings(
            postgres=postgres.dsn("reporting"),
            port=8104,
            kafka=kafka,
            objects=str(folder),
            issuer=issuer.url,
            topic_prefix=prefix,
        )
        store = ObjectStore.open(str(folder), writes={"clean"})
        async with (
            running(SERVICE, settings) as live,
            httpx.AsyncClient(base_url=live.url, timeout=60) as http,
        ):
            yield Office(live, http, issuer, store, folder)

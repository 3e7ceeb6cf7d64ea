"""What does a test of notify need? The service at work, and a hospital that receives."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx

from cli.receiver import Mailbox, WebhookReceiver, listening, taking_mail
from services.notify.__main__ import SERVICE
from services.notify.domain.state import State
from services.notify.settings import Settings
from shared.contracts.base import CaseId, Event, ObjectRef
from shared.contracts.report import AddendumDocument, ReportDocument
from shared.contracts.reporting import ReportAddended, ReportFinalized
from shared.runtime.objects import ObjectStore
from shared.runtime.sealing import Jwk, new_key_pair, seal
from shared.testing.fixtures import Database
from shared.testing.running import Live, running
from shared.testing.tokens import Issuing, issuing
from tests.unit.notify.cases import ACCEPTED, ADDENDED, FINALIZED, PARTNER
from tests.unit.notify.test_fhir import ADDENDUM, JANE, REPORT

ORIGIN = UUID("0e0e0e0e-0000-4000-8000-000000000000")
OPERATOR = "operator-1"
# What must never be found outside a delivered result.
CANARIES: tuple[str, ...] = (
    "Doe",
    "Jane Q",
    "MRN-0042",
    "1 Elm Street",
    "alice@hospital.example",
    "Alice Asks",
)
CANARIES += ("+1 555 0100", "ACC-7", "1971-02-03")


@dataclass
class PostRoom:
    """The running service, its neighbours' doings, and the partner's two receivers."""

    live: Live[State]
    http: httpx.AsyncClient
    issuer: Issuing
    store: ObjectStore
    public_key: Jwk
    receiver: WebhookReceiver
    mailbox: Mailbox
    numbers: "count[int]" = field(default_factory=count)

    async def tell(self, event: Event) -> None:
        """Let an upstream event arrive."""
        input_id = uuid5(ORIGIN, f"event {next(self.numbers)}")
        await self.live.core.runner.submit(event, input_id=input_id)

    async def accept(self, case_id: CaseId, partner: str = PARTNER) -> None:
        """Let a case with Jane's identity be accepted."""
        sealed = seal(self.public_key, JANE.model_dump(mode="json"))
        update = {"case_id": case_id, "sealed_identity": sealed, "partner": partner}
        await self.tell(ACCEPTED.model_copy(update=update))

    async def sign(
        self,
        case_id: CaseId,
        partner: str = PARTNER,
        before_it_is_told: Callable[[Path], None] | None = None,
    ) -> ReportFinalized:
        """Let a report be signed; something may happen to its file before notify hears of it."""
        ref = await self._put(case_id, REPORT.model_copy(update={"case_id": case_id}))
        if before_it_is_told and self.store.root:
            before_it_is_told(self.store.root / ref.address)
        update = {"case_id": case_id, "report": ref, "partner": partner}
        finalized = FINALIZED.model_copy(update=update)
        await self.tell(finalized)
        return finalized

    async def add(self, finalized: ReportFinalized) -> ReportAddended:
        """Let an addendum be signed."""
        ref = await self._put(finalized.case_id, ADDENDUM)
        update = {"case_id": finalized.case_id, "report": ref}
        addended = ADDENDED.model_copy(update=update)
        await self.tell(addended)
        return addended

    async def _put(self, case_id: CaseId, document: ReportDocument | AddendumDocument) -> ObjectRef:
        content = document.model_dump_json().encode()
        return await self.store.put("reports", case_id, content, "application/json")

    async def configure(self, partner: str = PARTNER, **channels: Any) -> None:
        """Let the operator point a partner's webhook at the receiver, with a fresh secret."""
        wanted = {"webhook": self.receiver.url, "mail": True, **channels}
        answer = await self.operate("PUT", f"/v1/admin/partners/{partner}", json=wanted)
        answer.raise_for_status()
        answer = await self.operate("POST", f"/v1/admin/partners/{partner}/rotate-secret")
        answer.raise_for_status()
        self.receiver.secrets.append(answer.json()["secret"])

    async def operate(self, method: str, path: str, **rest: Any) -> httpx.Response:
        headers = {**self.issuer.headers(OPERATOR, "operator"), **rest.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **rest)

    async def ask(
        self, method: str, path: str, tenant: str = PARTNER, **headers: str
    ) -> httpx.Response:
        """Ask as a partner."""
        token = self.issuer.headers(f"{tenant}-client", "partner", tenant=tenant)
        return await self.http.request(method, path, headers={**token, **headers})

    async def standing(self, case_id: CaseId) -> str:
        return (await self.live.core.runner.state(case_id)).kind

    async def deliveries(self, state: str) -> list[dict[str, Any]]:
        answer = await self.operate("GET", "/v1/deliveries", params={"state": state})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["deliveries"]
        return found


def a_case(name: str) -> CaseId:
    return CaseId(uuid5(ORIGIN, name))


@asynccontextmanager
async def post_room(
    postgres: Database, kafka: str, prefix: str, folder: Path, **changes: Any
) -> AsyncIterator[PostRoom]:
    private, public = new_key_pair()
    async with (
        issuing() as issuer,
        listening(WebhookReceiver()) as receiver,
        taking_mail(Mailbox()) as mailbox,
    ):
        given: dict[str, Any] = {
            "postgres": postgres.dsn("notify"),
            "port": 8105,
            "kafka": kafka,
            "objects": str(folder),
            "issuer": issuer.url,
            "topic_prefix": prefix,
            "private_keys": json.dumps([private]),
            "store_key": b64encode(b"k" * 32).decode(),
            "smtp": f"smtp://127.0.0.1:{mailbox.port}",
            "case_link": "https://edge.example/cases",
            "allow_private": "127.0.0.0/8,::1/128",
        }
        settings = Settings(**{**given, **changes})
        store = ObjectStore.open(str(folder), writes={"reports"})
        async with (
            running(SERVICE, settings) as live,
            httpx.AsyncClient(base_url=live.url, timeout=60) as http,
        ):
            yield PostRoom(live, http, issuer, store, public, receiver, mailbox)

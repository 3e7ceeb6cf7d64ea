"""Who plays the people outside? A partner, an operator, a reader: each over public edges only.

They are what an integrator would write: a token by client credentials, JSON over HTTP, images by
DICOMweb, events by server-sent events. The demo, the acceptance test and the storm use them.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from shared.runtime import clock

SPECVERSION = "1.0"
BOUNDARY = "overread-instances"
# A token is renewed so long before it ends that a slow request still arrives in time.
MARGIN_SECONDS = 30.0
POLL_SECONDS = 0.1


class Answered(Exception):  # noqa: N818 - what the other side did
    """An answer that is no success; `problem` is its problem+json."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"{response.request.method} {response.request.url.path}: {response.text}")
        self.status = response.status_code
        self.problem: dict[str, Any] = _json(response)


class _NotYet(Exception):  # noqa: N818 - a state, no failure
    """The case has not reached this service yet."""


@dataclass
class Player:
    """Somebody with a client id and a secret. Use as an async context manager."""

    urls: Mapping[str, str]
    client_id: str
    secret: str
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=30))
    _token: str = ""
    _until: float = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.http.aclose()

    async def token(self) -> str:
        """Give a valid token, fetching a new one when the old one is about to end."""
        if clock.ticks() >= self._until:
            answer = await self.http.post(
                f"{self.urls['issuer']}/token",
                data={"grant_type": "client_credentials"},
                auth=(self.client_id, self.secret),
            )
            granted = _json(_checked(answer))
            self._token = granted["access_token"]
            self._until = clock.ticks() + granted["expires_in"] - MARGIN_SECONDS
        return self._token

    async def ask(self, method: str, service: str, path: str, **rest: Any) -> httpx.Response:
        """Send one request with our token; raises Answered for anything but success."""
        headers = {"Authorization": f"Bearer {await self.token()}", **rest.pop("headers", {})}
        url = f"{self.urls[service]}{path}"
        return _checked(await self.http.request(method, url, headers=headers, **rest))

    async def get(self, service: str, path: str, **rest: Any) -> Any:
        return (await self.ask("GET", service, path, **rest)).json()

    async def act(self, service: str, path: str, body: Any = None, **rest: Any) -> Any:
        """POST with an Idempotency-Key that is the same for the same request."""
        key = hashlib.sha256(json.dumps([path, body], sort_keys=True).encode()).hexdigest()[:32]
        headers = {"Idempotency-Key": key, **rest.pop("headers", {})}
        return (await self.ask("POST", service, path, json=body, headers=headers, **rest)).json()

    async def stream(self, service: str, path: str) -> AsyncIterator[dict[str, Any]]:
        """Follow server-sent events for ever: `{"id", "event", "data"}` each."""
        headers = {"Authorization": f"Bearer {await self.token()}"}
        url = f"{self.urls[service]}{path}"
        async with self.http.stream("GET", url, headers=headers, timeout=None) as answer:
            block: dict[str, str] = {}
            async for line in answer.aiter_lines():
                name, _, value = line.partition(":")
                if name:
                    block[name] = value.removeprefix(" ")
                elif not line and "data" in block:
                    yield {**block, "data": json.loads(block["data"])}
                    block = {}


@dataclass
class Partner(Player):
    """A hospital's integrator."""

    async def submit(self, key: str, submission: Mapping[str, Any]) -> dict[str, Any]:
        """Send a case as a structured CloudEvent; `key` makes repeats harmless."""
        return await self._event(key, "case.submit", submission)

    async def cancel(self, key: str, case_id: str) -> dict[str, Any]:
        return await self._event(key, "case.cancel", {"case_id": case_id})

    async def _event(self, key: str, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
        event = {
            "specversion": SPECVERSION,
            "id": key,
            "source": f"/{self.client_id}/ris",
            "type": f"org.overread.partner.{kind}.v1",
            "datacontenttype": "application/json",
            "data": content,
        }
        return await self.send(json.dumps(event).encode())

    async def send(self, event: bytes) -> dict[str, Any]:
        """Send a structured CloudEvent as it stands; give the case it is about."""
        headers = {"Content-Type": "application/cloudevents+json"}
        answer = await self.ask("POST", "intake", "/v1/events", content=event, headers=headers)
        return dict(answer.json())

    async def store(self, instances: Sequence[bytes]) -> dict[str, Any]:
        """Send DICOM instances by STOW-RS (PS3.18, 10.5); give the Store Instances Response."""
        parts = [
            b"--%b\r\nContent-Type: application/dicom\r\n\r\n%b\r\n" % (BOUNDARY.encode(), one)
            for one in instances
        ]
        body = b"".join([*parts, b"--%b--\r\n" % BOUNDARY.encode()])
        kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        headers = {"Content-Type": kind, "Accept": "application/dicom+json"}
        path = "/dicomweb/studies"
        answer = await self.ask("POST", "intake", path, content=body, headers=headers)
        return dict(answer.json())

    async def case(self, case_id: str) -> dict[str, Any]:
        return dict(await self.get("intake", f"/v1/cases/{case_id}"))

    async def result(self, case_id: str) -> dict[str, Any]:
        return dict(await self.get("notify", f"/v1/cases/{case_id}/result"))

    async def acknowledge(self, case_id: str) -> dict[str, Any]:
        return dict(await self.act("notify", f"/v1/cases/{case_id}/acknowledge"))

    def timeline(self) -> AsyncIterator[dict[str, Any]]:
        """Follow the events of the partner's own cases, from the first on."""
        return self.stream("notify", "/v1/timeline/stream")


@dataclass
class Reader(Player):
    """A radiologist's app."""

    async def worklist(self) -> dict[str, Any]:
        return dict(await self.get("matching", "/v1/worklist"))

    async def offer_for(self, case_id: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until the case is offered to this reader."""
        async with asyncio.timeout(seconds):
            while True:
                for offer in (await self.worklist())["offers"]:
                    if offer["case_id"] == case_id:
                        return dict(offer)
                await asyncio.sleep(POLL_SECONDS)

    async def accept(self, assignment: str) -> dict[str, Any]:
        return dict(await self.act("matching", f"/v1/offers/{assignment}/accept"))

    async def decline(self, assignment: str, reason: str) -> dict[str, Any]:
        body = {"reason": reason}
        return dict(await self.act("matching", f"/v1/offers/{assignment}/decline", body))

    async def view(self, case_id: str) -> dict[str, Any]:
        """Give what the reader may see now, with `revision` for the next write."""
        return dict(await self.get("reporting", f"/v1/cases/{case_id}"))

    async def instance(self, href: str) -> bytes:
        return (await self.ask("GET", "reporting", href)).content

    async def start(self, case_id: str, seconds: float = 60) -> dict[str, Any]:
        """Begin to read; waits while the accepted case is still on its way to reporting."""
        async with asyncio.timeout(seconds):
            while True:
                try:
                    return dict(await self.act("reporting", f"/v1/cases/{case_id}/start"))
                except Answered as answered:
                    if answered.status not in {404, 409}:
                        raise
                await asyncio.sleep(POLL_SECONDS)

    async def draft(self, case_id: str, opinion: Mapping[str, Any]) -> dict[str, Any]:
        return await self._put(case_id, "draft", opinion)

    async def lock(self, case_id: str) -> dict[str, Any]:
        return dict(await self.act("reporting", f"/v1/cases/{case_id}/lock"))

    async def reveal(self, case_id: str) -> dict[str, Any]:
        return dict(await self.act("reporting", f"/v1/cases/{case_id}/reveal"))

    async def compare(self, case_id: str, comparison: Mapping[str, Any]) -> dict[str, Any]:
        return await self._put(case_id, "comparison", comparison)

    async def finalize(self, case_id: str) -> dict[str, Any]:
        return dict(await self.act("reporting", f"/v1/cases/{case_id}/finalize"))

    async def addendum(self, case_id: str, text: str) -> dict[str, Any]:
        return dict(await self.act("reporting", f"/v1/cases/{case_id}/addenda", {"text": text}))

    async def report(self, case_id: str) -> bytes:
        return (await self.ask("GET", "reporting", f"/v1/cases/{case_id}/report")).content

    async def _put(self, case_id: str, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        path = f"/v1/cases/{case_id}"
        revision = (await self.ask("GET", "reporting", path)).headers["ETag"]
        headers = {"If-Match": revision}
        answer = await self.ask("PUT", "reporting", f"{path}/{what}", json=body, headers=headers)
        return dict(answer.json())


@dataclass
class Operator(Player):
    """Somebody of the operations team."""

    async def set_channels(self, partner: str, webhook: str | None) -> str:
        """Say where a partner's results go; give the new signing secret, shown this once."""
        path = f"/v1/admin/partners/{partner}"
        await self.ask("PUT", "notify", path, json={"webhook": webhook, "mail": True})
        made = await self.ask("POST", "notify", f"{path}/rotate-secret")
        return str(made.json()["secret"])

    async def held(self, case_id: str, seconds: float = 60) -> list[dict[str, Any]]:
        """Wait until de-identification has looked at the case; give what it holds back."""
        async with asyncio.timeout(seconds):
            while True:
                with suppress(_NotYet):
                    case = await self._quarantine(case_id)
                    if case["state"] not in {"unknown", "planned"}:
                        return [one for one in case["items"] if one["waiting"]]
                await asyncio.sleep(POLL_SECONDS)

    async def _quarantine(self, case_id: str) -> dict[str, Any]:
        try:
            return dict(await self.get("deid", f"/v1/quarantine/{case_id}"))
        except Answered as answered:
            if answered.status == httpx.codes.NOT_FOUND:
                raise _NotYet from answered
            raise

    async def pictures(self, item: Mapping[str, Any]) -> list[bytes]:
        """Look at every frame of a held instance, as PNG."""
        look = await self.get("deid", item["links"]["look"])
        return [(await self.ask("GET", "deid", href)).content for href in look["pictures"]]

    async def text(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Look at a held document: as it came, with marks, and as it is proposed."""
        return dict(await self.get("deid", item["links"]["look"]))

    async def decide(
        self, case_id: str, item: Mapping[str, Any], decision: str, reason: str, **rest: Any
    ) -> dict[str, Any]:
        """Release or reject one held item; `text` is the edited text of a document."""
        body = {"items": [item["item"]], "decision": decision, "reason": reason, **rest}
        return dict(await self.act("deid", f"/v1/quarantine/{case_id}/decisions", body))

    async def parked(self, service: str) -> list[dict[str, Any]]:
        """Give all that is parked, page by page, oldest first."""
        rows: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = await self.get(service, f"/v1/operations/parked?after={after}")
            rows += page["parked"]
            after = page["next"]
        return rows


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    raise Answered(response)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        return dict(response.json())
    except ValueError:
        return {}

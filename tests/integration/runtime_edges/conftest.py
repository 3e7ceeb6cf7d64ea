"""An app as services make it, with routes that do what routes do, and an issuer of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.decider import Refused
from shared.runtime import clock, telemetry
from shared.runtime.auth import Issuer, Principal, require
from shared.runtime.errors import Unavailable
from shared.runtime.http import (
    ServerEvent,
    create_app,
    event_stream,
    idempotency_key,
    invalid,
    last_event_id,
    refusal,
)
from shared.runtime.http.sse import EventStream

URL = "https://issuer.example"
KEY = ECKey.generate_key("P-256", {"kid": "one"})
CANARY = "CANARY^JANE"


class Study(BaseModel):
    model_config = ConfigDict(extra="forbid")

    laterality: Literal["L", "R"]
    views: list[int] = Field(default=[], max_length=3)
    name: str = ""

    @field_validator("name")
    @classmethod
    def check(cls, name: str) -> str:
        if "CANARY" in name:
            raise ValueError(f"{name} is no name")
        return name


def token(**claims: Any) -> dict[str, str]:
    held = {"iss": URL, "aud": "overread", "sub": "one", "exp": clock.now().timestamp() + 60}
    signed = jwt.encode({"alg": "ES256", "kid": "one"}, held | claims, KEY)
    return {"Authorization": f"Bearer {signed}"}


def site(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/jwks":
        return httpx.Response(200, json=KeySet([KEY]).as_dict(private=False))
    return httpx.Response(200, json={"issuer": URL, "jwks_uri": f"{URL}/jwks"})


@dataclass
class Sample:
    """The app, what its dependencies look like, and what its stream saw."""

    app: FastAPI
    ready: dict[str, bool]
    streams_closed: int = 0
    closing: asyncio.Condition = field(default_factory=asyncio.Condition)
    ready_error: BaseException | None = None


@pytest.fixture
def sample() -> Sample:
    return make_sample()


def make_sample() -> Sample:
    async def readiness() -> dict[str, bool]:
        if made.ready_error:
            raise made.ready_error
        return made.ready

    issuer = Issuer(URL, transport=httpx.MockTransport(site))
    app = create_app(
        "Sample",
        version="1",
        description="A sample",
        issuer=issuer,
        readiness=readiness,
        body_limits={"/v1/images": 5 << 20, "/v1/upload": 5 << 20},
    )
    made = Sample(app, {"postgres": True, "kafka": True})
    app.include_router(_routes(made))
    return made


@pytest.fixture
async def client(sample: Sample) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(sample.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sample") as opened:
        yield opened


def _routes(made: Sample) -> APIRouter:  # noqa: C901 - a list of small routes
    routes = APIRouter(prefix="/v1")

    @routes.post("/studies/{number}")
    async def study(number: int, study: Study, limit: int = 5) -> dict[str, Any]:
        return {"number": number, "limit": limit, **study.model_dump()}

    @routes.post("/parsed")
    async def parsed(request: Request) -> dict[str, Any]:
        try:
            return Study.model_validate_json(await request.body()).model_dump()
        except ValidationError as error:
            raise invalid(error, "#/data") from None

    @routes.post("/images")
    async def images(request: Request) -> int:
        return sum([len(chunk) async for chunk in request.stream()])

    @routes.post("/upload")
    async def upload(
        request: Request, who: Annotated[Principal, Depends(require("partner"))]
    ) -> str:
        async for _ in request.stream():
            pass
        return who.partner

    @routes.get("/bug")
    async def bug() -> None:
        raise KeyError(CANARY)

    @routes.get("/weather")
    async def weather() -> None:
        raise Unavailable(CANARY)

    @routes.get("/refused/{code}")
    async def refused(code: str, field: str | None = None) -> None:
        raise refusal(Refused(code, "It is so.", field))

    @routes.get("/trace")
    async def trace() -> dict[str, str]:
        return {"trace_id": telemetry.trace_id(), "traceparent": telemetry.traceparent()}

    @routes.post("/keyed")
    async def keyed(key: Annotated[str, Depends(idempotency_key)]) -> str:
        return key

    @routes.get("/cases")
    async def cases(who: Annotated[Principal, Depends(require("partner"))]) -> str:
        return who.partner

    @routes.get("/either")
    async def either(who: Annotated[Principal, Depends(require("reader", "operator"))]) -> str:
        return who.subject

    @routes.get("/stream")
    async def stream(after: Annotated[str | None, Depends(last_event_id)]) -> EventStream:
        return event_stream(_source(made, forever=False), after)

    @routes.get("/endless")
    async def endless(after: Annotated[str | None, Depends(last_event_id)]) -> EventStream:
        return EventStream(_source(made, forever=True), after, heartbeat=0.05)

    @routes.get("/half")
    async def half() -> EventStream:
        return event_stream(_broken, None)

    return routes


def _source(made: Sample, *, forever: bool) -> Callable[[str | None], AsyncIterator[ServerEvent]]:
    async def events(after: str | None) -> AsyncIterator[ServerEvent]:
        try:
            for number in range(int(after or 0) + 1, 4):
                yield ServerEvent(str(number), "case.accepted", {"number": number, "text": "a\nb"})
            if forever:
                await asyncio.Event().wait()
        finally:
            async with made.closing:
                made.streams_closed += 1
                made.closing.notify_all()

    return events


async def _broken(_after: str | None) -> AsyncIterator[ServerEvent]:
    yield ServerEvent("1", "first", {})
    raise KeyError(CANARY)

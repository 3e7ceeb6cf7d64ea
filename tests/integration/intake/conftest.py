"""Intake as its partners meet it: real HTTP, real Postgres, a real folder of objects."""

import base64
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from services.intake.__main__ import service
from services.intake.domain.state import State
from services.intake.settings import Settings
from shared.runtime.sealing import Jwk, new_key_pair
from shared.runtime.telemetry import logs
from shared.testing.fixtures import Database
from shared.testing.running import Live, running
from shared.testing.tokens import Issuing, issuing

SEED = """
partners:
  st-brigid:
    name: St Brigid's Hospital
    patient_issuer: ST-BRIGID-MPI
    service_levels: [urgent, routine, tumour_board]
  lakeside:
    name: Lakeside Clinic
    patient_issuer: LAKESIDE
    service_levels: [routine]
"""
NOWHERE = "127.0.0.1:9"  # no Kafka: the outbox keeps what was decided


@dataclass(frozen=True)
class Intake:
    """A running intake and everything around it."""

    live: Live[State]
    http: httpx.AsyncClient
    issuer: Issuing
    private_key: Jwk
    settings: Settings
    folder: Path

    def partner(self, tenant: str = "st-brigid") -> dict[str, str]:
        return self.issuer.headers(f"{tenant}-ris", "partner", tenant=tenant)

    def operator(self) -> dict[str, str]:
        return self.issuer.headers("operator-1", "operator")

    async def post_event(
        self, event: dict[str, Any], tenant: str = "st-brigid", **headers: str
    ) -> httpx.Response:
        return await self.http.post(
            "/v1/events",
            content=json.dumps(event),
            headers={
                "content-type": "application/cloudevents+json",
                **self.partner(tenant),
                **headers,
            },
        )

    async def rows(self, sql: str, *arguments: object) -> list[Any]:
        async with self.live.core.pool.acquire() as db:
            return list(await db.fetch(sql, *arguments))

    async def decided(self) -> list[str]:
        """Give the types of the published events, in the order they were decided."""
        return [row["type"] for row in await self.rows("SELECT type FROM outbox ORDER BY seq")]


@pytest.fixture(autouse=True)
def production_logs() -> Iterator[None]:
    """Log as in production: one redacted line, and no time spent on drawing tracebacks."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    logs.configure("intake")
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    logging.basicConfig(handlers=handlers, level=level, force=True)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@pytest.fixture
async def issuer() -> AsyncIterator[Issuing]:
    async with issuing() as one:
        yield one


@pytest.fixture
def environment(postgres: Database, issuer: Issuing, tmp_path: Path) -> tuple[Settings, Jwk]:
    private, public = new_key_pair()
    seed = tmp_path / "intake.yaml"
    seed.write_text(SEED)
    settings = Settings(
        postgres=postgres.dsn("intake"),
        port=1,
        kafka=NOWHERE,
        objects=str(tmp_path / "objects"),
        issuer=issuer.url,
        notify_public_key=json.dumps(public),
        digest_key=base64.b64encode(bytes(range(32))).decode(),
        seed=seed,
        quiet_seconds=0.2,
        spool=tmp_path,
        instance_bytes=4 << 20,
    )
    return settings, private


@asynccontextmanager
async def started(settings: Settings, private: Jwk, issuer: Issuing) -> AsyncIterator[Intake]:
    async with (
        running(service(settings), settings) as live,
        httpx.AsyncClient(base_url=live.url, timeout=60) as client,
    ):
        yield Intake(live, client, issuer, private, settings, Path(settings.objects))


@pytest.fixture
async def intake(environment: tuple[Settings, Jwk], issuer: Issuing) -> AsyncIterator[Intake]:
    settings, private = environment
    async with started(settings, private, issuer) as one:
        yield one

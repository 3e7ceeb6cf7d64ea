"""What does matching need to be at work in a test? A roster, tokens, and what the others say."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
from asyncpg import connect

import examples
from services.matching.__main__ import SERVICE
from services.matching.domain.reader import Reader
from services.matching.domain.state import Matching
from services.matching.settings import Settings
from services.matching.store import roster
from shared.contracts.base import CaseId
from shared.runtime import clock
from shared.testing.fixtures import Database
from shared.testing.running import Live, running
from shared.testing.tokens import Issuing, issuing
from tests.unit.matching.cases import accepted, deidentified

# Most tests are about offers, which are the exception under the default policy.
PUSHED = Path(examples.__file__).parent / "matching-policy.yaml"
ORIGIN = UUID("0f0f0f0f-0000-4000-8000-000000000005")


@dataclass
class Ward:
    """The running service (its first replica) with the doings of its neighbours."""

    live: Live[Matching]
    http: httpx.AsyncClient
    issuer: Issuing
    settings: Settings
    numbers: "count[int]" = field(default_factory=count)

    def operator(self) -> dict[str, str]:
        return self.issuer.headers("operator", "operator")

    def reader(self, name: str) -> dict[str, str]:
        return self.issuer.headers(name, "reader")

    async def roster(self, *readers: Reader) -> None:
        """Put readers on the roster as an operator does."""
        for one in readers:
            path = f"/v1/admin/readers/{one.id}"
            body = one.model_dump(mode="json")
            answer = await self.http.put(path, json=body, headers=self.operator())
            assert answer.status_code == 200, answer.text

    async def tell(self, received: Any) -> Any:
        """Let an input arrive; give its outcome."""
        input_id = uuid5(ORIGIN, f"input {next(self.numbers)}")
        return await self.live.core.runner.submit(received, input_id=input_id)

    async def case(self, name: str, **changes: Any) -> CaseId:
        """Let a case arrive: accepted just now, and clean."""
        case_id = CaseId(uuid5(ORIGIN, name))
        fields = {"accepted_at": clock.now(), **changes}
        await self.tell(accepted(case_id, **fields))
        await self.tell(deidentified(case_id))
        return case_id

    async def worklist(self, name: str) -> dict[str, Any]:
        answer = await self.http.get("/v1/worklist", headers=self.reader(name))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def offer(self, name: str, case_id: CaseId) -> str:
        """Wait until the reader has an offer for the case; give the assignment's id."""

        async def offered() -> str | None:
            offers = (await self.worklist(name))["offers"]
            mine = [one["assignment"] for one in offers if one["case_id"] == str(case_id)]
            return mine[0] if mine else None

        return str(await until(offered))

    async def post(self, name: str, path: str, body: Any = None) -> httpx.Response:
        return await self.http.post(path, json=body, headers=self.reader(name))

    async def state(self, case_id: CaseId) -> Matching:
        return await self.live.core.runner.state(case_id)

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        """Ask the database itself."""
        db = await connect(self.settings.postgres, server_settings={"search_path": "matching"})
        try:
            return list(await db.fetch(query, *values))
        finally:
            await db.close()


async def until(found: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask again and again until something is found, and give it."""
    ends = clock.ticks() + seconds
    while not (answer := await found()):
        assert clock.ticks() < ends, "it did not happen in time"
    return answer


@contextmanager
def later(ahead: timedelta) -> Iterator[None]:
    """Let time pass at once: within the body it is so much later for everybody in this process."""
    began, ticks = clock.now() + ahead, clock.ticks()
    with clock.running_on(lambda: began + timedelta(seconds=clock.ticks() - ticks)):
        yield


@asynccontextmanager
async def ward(
    postgres: Database, kafka: str, prefix: str, *, replicas: int = 1, **settings: Any
) -> AsyncIterator[Ward]:
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(issuing())
        told = Settings(
            postgres=postgres.dsn("matching"),
            port=8103,
            kafka=kafka,
            objects="memory://",
            issuer=issuer.url,
            topic_prefix=prefix,
            **{"policy": PUSHED, **settings},
        )
        lives = [await stack.enter_async_context(running(SERVICE, told)) for _ in range(replicas)]
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=lives[0].url, timeout=60))
        yield Ward(lives[0], http, issuer, told)


async def planted(ward_: Ward, *readers: Reader) -> None:
    """Put many readers on the roster at once, past the API."""
    async with ward_.live.core.pool.acquire() as db:
        await roster.seed(db, readers, clock.now())

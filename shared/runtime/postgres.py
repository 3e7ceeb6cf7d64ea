"""How do we open Postgres, keep its schema current and hear its notifications?"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from asyncpg import Connection, Record, connect, create_pool
from asyncpg import Pool as AsyncpgPool
from asyncpg.pool import PoolConnectionProxy

from shared.runtime.errors import is_weather
from shared.runtime.patience import Patience

Pool: TypeAlias = "AsyncpgPool[Record]"
Db: TypeAlias = "Connection[Record] | PoolConnectionProxy[Record]"

RUNTIME_MIGRATIONS = Path(__file__).parent / "migrations"
# A frozen replica must not hold a case's lock for ever: the server ends its transaction, and the
# replica finds its connection closed when it wakes.
SERVER_SETTINGS = {
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "20s",
    "statement_timeout": "60s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

# One migrator at a time per schema; the name is the lock.
LOCK_MIGRATIONS = "SELECT pg_advisory_xact_lock(hashtextextended('migrate:' || $1, 0))"
# Which files have run.
CREATE_VERSIONS = """
    CREATE TABLE IF NOT EXISTS schema_version (
        file text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())
"""
APPLIED = "SELECT file FROM schema_version"
RECORD_VERSION = "INSERT INTO schema_version (file) VALUES ($1)"


@asynccontextmanager
async def open_pool(dsn: str, schema: str, size: int = 8) -> AsyncIterator[Pool]:
    """Open a pool whose connections see one schema only; it connects when first used."""
    settings = {**SERVER_SETTINGS, "search_path": schema, "application_name": f"overread-{schema}"}
    async with create_pool(
        dsn,
        min_size=0,
        max_size=size,
        server_settings=settings,
        command_timeout=60,
        max_inactive_connection_lifetime=300,
        init=_prepare,
        connection_class=_Pooled,
    ) as pool:
        yield pool


@asynccontextmanager
async def session(pool: Pool) -> AsyncIterator[Db]:
    """Lend a connection that may SET things and hold locks; they end with it, it isn't reused."""
    async with pool.acquire() as db:
        try:
            yield db
        finally:
            db.terminate()


class _Pooled(Connection):
    """Goes back to the pool without a round trip: nobody changes it but in a `session`.

    asyncpg itself still rolls back a transaction that is left open.
    """

    def get_reset_query(self) -> str:
        return ""


async def _prepare(db: Any) -> None:
    await db.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_text, decoder=_text, format="text"
    )


def _text(value: str) -> str:
    return value


async def migrate(pool: Pool, schema: str, folders: Sequence[Path]) -> list[str]:
    """Apply the folders' `*.sql` in order, all or nothing; give the names of the new ones."""
    async with pool.acquire() as db, db.transaction():
        await db.execute(LOCK_MIGRATIONS, schema)
        await db.execute(CREATE_VERSIONS)
        applied = {row["file"] for row in await db.fetch(APPLIED)}
        wanted = [
            (f"{d.parent.name}/{f.name}", f) for d in folders for f in sorted(d.glob("*.sql"))
        ]
        fresh = [(name, file) for name, file in wanted if name not in applied]
        for name, file in fresh:
            await db.execute(file.read_text())
            await db.execute(RECORD_VERSION, name)
    return [name for name, _ in fresh]


class Wakeups:
    """One connection that listens, so that loops sleep until there is something to do.

    `wait(channel, timeout)` returns when the channel was notified since the last wait, or when
    the timeout (seconds) is over: a lost notification costs a delay, never work.
    """

    def __init__(self, dsn: str, schema: str) -> None:
        self._dsn = dsn
        self._schema = schema
        self._signals: dict[str, asyncio.Event] = {}
        self._db: Any = None

    def wake(self, channel: str) -> None:
        """Wake a waiter of this process."""
        self._signal(channel).set()

    async def wait(self, channel: str, timeout: float) -> None:  # noqa: ASYNC109 - a pause, no deadline
        signal = self._signal(channel)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):  # wait_for loses a cancellation (Python < 3.12)
                await signal.wait()
        signal.clear()

    def woken(self, channel: str) -> bool:
        """Tell whether `wait` would return at once."""
        return self._signal(channel).is_set()

    def _signal(self, channel: str) -> asyncio.Event:
        if not re.fullmatch(r"[a-z_]+", channel):
            raise ValueError(f"not a channel name: {channel!r}")
        return self._signals.setdefault(channel, asyncio.Event())

    async def listen(self) -> None:
        """Hold the connection for ever; wake everybody after each reconnection."""
        patience = Patience()
        while True:
            try:
                await self._hold(patience)
            except Exception as error:
                if not is_weather(error):
                    raise
                await patience.pause()

    async def _hold(self, patience: Patience) -> None:
        db = await connect(self._dsn, server_settings={"search_path": self._schema}, timeout=10)
        lost = asyncio.Event()
        try:
            db.add_termination_listener(lambda _: lost.set())
            heard: set[str] = set()
            while not lost.is_set():
                for channel in set(self._signals) - heard:
                    await db.add_listener(channel, self._heard)
                    heard.add(channel)
                    self._signals[channel].set()
                patience.reset()
                with suppress(TimeoutError):
                    async with asyncio.timeout(1 if heard else 0.05):
                        await lost.wait()
        finally:
            with suppress(Exception):
                await asyncio.wait_for(db.close(), 2)

    def _heard(self, _db: object, _pid: int, channel: str, _payload: object) -> None:
        self._signals[channel].set()

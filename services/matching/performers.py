"""Who hands a reader's entries to their own system? Whichever replica leases them, in order.

What a reader's system is told is what their stream shows: both read one log, which commits with
the cases. An entry is told again under its id until it is taken, and none overtakes another.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx
import orjson
from prometheus_client import Counter, Gauge

from services.matching.domain.state import Matching
from services.matching.store import webhooks, worklist
from services.matching.store.cases import HOOKS
from services.matching.store.webhooks import Hook
from services.matching.store.worklist import Entry
from shared.runtime import clock, telemetry
from shared.runtime.service import Core
from shared.runtime.webhooks import sending
from shared.runtime.webhooks.attempt import Ended, failed
from shared.runtime.webhooks.network import Network
from shared.runtime.webhooks.secrets import Safe, SecretsUnreadableError, signing

LOOK_SECONDS: Final = 2.0  # a lost notification costs this much, and so may a retry
GATHER_SECONDS: Final = 0.2  # entries that come close together are looked for once
AT_ONCE: Final = 20
PAGE: Final = 50
# Standard Webhooks, "Deliverability and reliability": 75 h 35 min in all.
PAUSES: Final = tuple(
    timedelta(seconds=one) for one in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
JITTER: Final = 0.1  # what failed together does not come back together
LONGEST_WISH: Final = timedelta(hours=24)

ATTEMPTS = Counter("overread_matching_webhooks_total", "Attempts to tell a reader", ["outcome"])
STOPPED = Gauge("overread_matching_webhooks_stopped", "Readers' webhooks that are given up")
log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells readers' systems for ever. `pauses` before another attempt; after the last: never."""

    core: Core[Matching]
    http: httpx.AsyncClient
    safe: Safe
    allowed: tuple[Network, ...] = ()
    pauses: Sequence[timedelta] = PAUSES
    look_seconds: float = LOOK_SECONDS

    async def run(self) -> None:
        """Tell several readers' systems at once: a slow one holds up nobody else's."""
        telling: set[asyncio.Task[None]] = set()
        counted_at = -math.inf
        try:
            while True:
                claimed = await self._claimed(AT_ONCE - len(telling))
                telling |= {self._started(one) for one in claimed}
                if not claimed:
                    counted_at = await self._counted(counted_at)
                    await asyncio.sleep(GATHER_SECONDS)
                    await self.core.wakeups.wait(HOOKS, self.look_seconds)
                ended = {one for one in telling if one.done()}
                telling -= ended
                for one in ended:
                    one.result()  # weather or a bug: the loop begins anew
        finally:
            for one in telling:
                one.cancel()
            await asyncio.gather(*telling, return_exceptions=True)

    async def _claimed(self, most: int) -> list[Hook]:
        async with self.core.pool.acquire() as db:
            return await webhooks.claim(db, clock.now(), most)

    async def _counted(self, last: float) -> float:
        """Count those that were given up, now and then; give when that was."""
        if clock.ticks() - last < self.look_seconds:
            return last
        async with self.core.pool.acquire() as db:
            STOPPED.set(await webhooks.stopped(db))
        return clock.ticks()

    def _started(self, hook: Hook) -> asyncio.Task[None]:
        task = asyncio.create_task(self.tell(hook))
        task.add_done_callback(lambda _: self.core.wakeups.wake(HOOKS))
        return task

    async def tell(self, hook: Hook) -> None:
        """Tell a reader's entries one after another, until one fails or none is left."""
        async with self.core.pool.acquire() as db:
            entries = await worklist.log(db, hook.reader, hook.after, PAGE)
        for one in entries:
            ended = await self._post(hook, one)
            ATTEMPTS.labels(ended.outcome).inc()
            async with self.core.pool.acquire() as db:
                if ended.outcome != "delivered":
                    again_at, stopped = self._after(hook, ended, clock.now())
                    await webhooks.failed(db, hook, ended.cause, stopped, again_at)
                    log.warning("webhook_failed", reader=hook.reader, cause=ended.cause)
                    return
                if not await webhooks.told(db, hook, one.seq, clock.now()):
                    return
        async with self.core.pool.acquire() as db:
            await webhooks.free(db, hook)

    async def _post(self, hook: Hook, one: Entry) -> Ended:
        now, content = clock.now(), orjson.loads(one.event)
        body = {"type": one.event_type, "timestamp": content.pop("recorded_at"), "data": content}
        message = sending.Message(
            f"worklist-{one.seq}", orjson.dumps(body), now, media_type="application/json"
        )
        try:
            secrets = signing(self.safe.open(hook.reader, hook.secrets), now)
        except SecretsUnreadableError:
            return failed("secrets-unreadable")
        return await sending.post(self.http, hook.url, secrets, message, self.allowed)

    def _after(self, hook: Hook, ended: Ended, now: datetime) -> tuple[datetime, str | None]:
        """Say when to try again, and why not if never. Retry-After only puts it off."""
        if ended.outcome == "impossible":
            return now, ended.cause
        if hook.attempts >= len(self.pauses):
            return now, "exhausted"
        share = hook.lease.int % 1000 / 1000 if hook.lease else 0
        pause = self.pauses[hook.attempts] * (1 + JITTER * share)
        wish = min(ended.retry_after or timedelta(0), LONGEST_WISH)
        return now + max(pause, wish), None

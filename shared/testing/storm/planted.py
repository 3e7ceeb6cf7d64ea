"""Would the storm notice? Bugs that the runtime does not have, planted from outside, in tests only.

    python -m shared.testing.storm.planted none|BUG CALM services.<x>

starts a service with one bug in it. Production code knows nothing of them. While the file CALM
exists, the fail points that the environment arms are left out: the storm is over.
"""

import os
import random
import runpy
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.contracts.base import CaseId
from shared.runtime import feed, inbox, jobs, kafka, outbox, parking, timers
from shared.runtime.failpoints import failpoint
from shared.runtime.handle import Incoming, Runner
from shared.runtime.wire import Poison

# A killed replica's partitions are free again after two seconds: the storm kills every two.
SESSION_MS = 2000

Later = Callable[[], Awaitable[None]]
_after_commit: ContextVar[list[Later]] = ContextVar("_after_commit")
_acknowledge: ContextVar[Later | None] = ContextVar("_acknowledge", default=None)


@dataclass(frozen=True)
class Bug:
    """What is wrong, how it is planted, and where to fail so that it shows in a short storm."""

    claim: str
    plant: Callable[[], None]
    points: str


def plant(name: str) -> None:
    if name != "none":
        BUGS[name].plant()


def _put(owner: Any, name: str, bug: Any) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{name} is not there any more: mend the planted bug")
    setattr(owner, name, bug)


def _poll_with(*, acknowledge_first: bool) -> Callable[..., Awaitable[None]]:
    """Give the subscription's loop with the acknowledgement in the wrong place."""

    async def poll(self: Any, consumer: Any, _: object) -> None:
        while True:
            got = await consumer.getmany(timeout_ms=200, max_records=self.most_at_once)
            offsets = {tp: some[-1].offset + 1 for tp, some in got.items()}

            async def acknowledge(offsets: Mapping[Any, int] = offsets) -> None:
                await kafka._commit(consumer, dict(offsets))  # noqa: SLF001 - that is what is broken

            if not got:
                continue
            if acknowledge_first:
                await acknowledge()
                await failpoint("consumer.polled")
            else:
                _acknowledge.set(acknowledge)
            messages = [kafka._message(r) for some in got.values() for r in some]  # noqa: SLF001 - ditto
            await self.feed.handle(self.feed.read(messages))
            self.progress.moved()

    return poll


def _acknowledge_first() -> None:
    _put(kafka.Subscription, "_poll", _poll_with(acknowledge_first=True))


def _offset_before_commit() -> None:
    _put(kafka.Subscription, "_poll", _poll_with(acknowledge_first=False))
    really = Runner.handle_in

    async def handle_in(self: Any, db: Any, items: Sequence[Any]) -> Any:
        outcomes = await really(self, db, items)
        acknowledge = _acknowledge.get()
        if acknowledge is not None and any(getattr(one, "readable", None) for one in items):
            await acknowledge()
        return outcomes

    _put(Runner, "handle_in", handle_in)


def _swallow() -> None:
    async def once(self: Any, items: Sequence[Incoming | Poison]) -> None:
        try:
            await self.runner.handle(items)
        except Exception:  # noqa: BLE001 - that is the bug
            return

    _put(feed.Feed, "_outlast", once)


def _no_inbox() -> None:
    really = inbox.claim

    async def claim(db: Any, inputs: Sequence[Any], now: Any) -> set[Any]:
        await really(db, inputs, now)
        return set(inputs)

    _put(inbox, "claim", claim)


def _no_case_lock() -> None:
    async def lock(*_: object) -> None:
        return

    _put(inbox, "lock", lock)


def _delete_before_send() -> None:
    async def wave(self: Any, db: Any) -> int:
        rows = await db.fetch(outbox.OLDEST, outbox.WAVE)
        await db.execute(outbox.DELETE, [row["seq"] for row in rows])
        await failpoint("relay.read")
        if rows:
            await self.publish([self._outgoing(row) for row in rows])
        return len(rows)

    _put(outbox.Relay, "wave", wave)


def _relay_ignores_order() -> None:
    really = outbox.Relay._publish  # noqa: SLF001 - it is broken here

    async def publish(self: Any, db: Any, rows: Sequence[Any]) -> list[int]:
        shuffled = list(rows)
        random.shuffle(shuffled)
        return await really(self, db, shuffled)

    _put(outbox.Relay, "_publish", publish)


def _after(table: Any, name: str) -> None:
    """Write something only once the transaction has ended, on a connection of its own."""
    really = getattr(table, name)

    async def postponed(db: Any, *rest: Any) -> None:
        async def later() -> None:
            await really(_pool.get(), *rest)

        waiting = _after_commit.get(None)
        if waiting is None:
            await really(db, *rest)  # a replay: it has a transaction of its own
        else:
            waiting.append(later)

    _put(table, name, postponed)
    handle = Runner.handle

    async def handle_then_write(self: Any, items: Sequence[Any]) -> Any:
        _pool.set(self.pool)
        waiting: list[Later] = []
        _after_commit.set(waiting)
        outcomes = await handle(self, items)
        for later in waiting:
            await later()
        return outcomes

    _put(Runner, "handle", handle_then_write)


_pool: ContextVar[Any] = ContextVar("_pool")


def _no_lease_check() -> None:
    async def settle(db: Any, leases: Sequence[jobs.Lease]) -> set[jobs.Lease]:
        await db.execute("DELETE FROM jobs WHERE id = ANY($1::uuid[])", [one.job for one in leases])
        return set(leases)

    _put(jobs, "settle", settle)


def _parked_overtaken() -> None:
    async def blocked(_: Any, __: Any) -> set[CaseId]:
        return set()

    _put(parking, "blocked", blocked)


DYING = "runner.written=kill@0.04,consumer.handled=kill@0.04"
BUGS: dict[str, Bug] = {
    "ack-first": Bug(
        "acknowledges a batch before it is handled",
        _acknowledge_first,
        "consumer.polled=kill@0.1,runner.saved=kill@0.05",
    ),
    "offset-before-commit": Bug(
        "acknowledges a batch before its transaction has committed",
        _offset_before_commit,
        "runner.written=kill@0.1",
    ),
    "swallow": Bug(
        "acknowledges a batch whose handling failed", _swallow, "runner.saved=raise@0.1"
    ),
    "no-inbox": Bug(
        "handles again what it has handled before", _no_inbox, "consumer.handled=kill@0.1"
    ),
    "no-case-lock": Bug(
        "handles one case in two transactions at once", _no_case_lock, "runner.claimed=raise@0.01"
    ),
    "delete-before-send": Bug(
        "deletes from the outbox before Kafka has it",
        _delete_before_send,
        "relay.read=kill@0.1",
    ),
    "relay-ignores-order": Bug(
        "publishes the outbox in any order", _relay_ignores_order, "relay.published=raise@0.05"
    ),
    "outbox-outside": Bug(
        "writes the outbox after the transaction",
        lambda: _after(outbox, "append"),
        "runner.committed=kill@0.1",
    ),
    "timers-outside": Bug(
        "writes deadlines after the transaction",
        lambda: _after(timers, "replace"),
        "runner.committed=raise@0.6",
    ),
    "no-lease-check": Bug(
        "takes a job's result from a worker that lost its lease", _no_lease_check, DYING
    ),
    "parked-overtaken": Bug(
        "lets later events overtake a parked one of their case", _parked_overtaken, DYING
    ),
}


def main(bug: str, calm: str, module: str) -> None:
    if Path(calm).exists():
        os.environ.pop("OVERREAD_FAILPOINTS", None)  # noqa: TID251 - before anybody reads it
    kafka.SESSION_MS = SESSION_MS
    plant(bug)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    # Through the import system: `python -m` has made a second copy of this module.
    from shared.testing.storm.planted import main as planted

    planted(*sys.argv[1:])

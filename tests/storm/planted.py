"""Would the storm notice? Ten and one bugs, planted from outside: the product contains none.

A service with a bug is started as `python -m tests.storm.planted NAME services.matching`: the bug
is patched into the runtime, then the service runs as ever.
"""

# ruff: noqa: B010 - a bug is set from outside, against the types

import runpy
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shared.contracts.topics import SERVICES
from shared.runtime import handle, inbox, jobs, outbox, timers
from shared.runtime.failpoints import failpoint
from shared.runtime.feed import Feed
from shared.runtime.kafka import POLL_MS, Publisher, Subscription, _commit, _message
from shared.runtime.outbox import Relay
from tests.storm.run import Storm


@dataclass(frozen=True)
class Bug:
    """What it does, how it gets in, and the gaps that this storm kills in to meet it."""

    what: str
    plant: Callable[[], None]
    failpoints: str = ""
    servers_too: bool = False


def ack_first() -> None:
    async def poll(self: Any, consumer: Any, patience: Any) -> None:
        while True:
            got = await consumer.getmany(timeout_ms=POLL_MS, max_records=self.most_at_once)
            if got:
                await _commit(consumer, {tp: some[-1].offset + 1 for tp, some in got.items()})
                await failpoint("consumer.acknowledged")
                await self.handle([_message(one) for some in got.values() for one in some])
                self.progress.moved()
                patience.reset()

    setattr(Subscription, "_poll", poll)


def no_inbox() -> None:
    async def claim(_db: Any, inputs: Sequence[Any], _now: Any) -> set[Any]:
        return set(inputs)

    setattr(inbox, "claim", claim)


def mark_before_send() -> None:
    async def wave(self: Any, db: Any) -> int:
        rows = await db.fetch(outbox.OLDEST, outbox.WAVE)
        await db.execute(outbox.DELETE, [row["seq"] for row in rows])
        await failpoint("relay.read")
        if rows:
            await self.publish([self._outgoing(row) for row in rows])
        return len(rows)

    setattr(Relay, "wave", wave)


def outbox_outside() -> None:
    async def do(self: Any, items: Sequence[Any]) -> list[Any]:
        late: list[tuple[str, Any]] = []

        async def append(_db: Any, service: str, recorded: Any) -> None:
            late.append((service, recorded))

        async with self.pool.acquire() as db:
            async with db.transaction():
                append_now = outbox.append
                setattr(outbox, "append", append)
                try:
                    outcomes = await self.handle_in(db, items)
                finally:
                    setattr(outbox, "append", append_now)
            await failpoint("runner.committed")
            for service, recorded in late:
                await append_now(db, service, recorded)
        return list(outcomes)

    setattr(handle.Runner, "handle", do)


def no_lock() -> None:
    async def lock(*_: Any) -> None:
        pass

    setattr(inbox, "lock", lock)


def publish_blindly() -> None:
    publish = Publisher.__call__

    async def call(self: Any, wave: Sequence[Any], /) -> list[int]:
        with suppress(Exception):
            await publish(self, wave)
        return [one.seq for one in wave]

    setattr(Publisher, "__call__", call)


def relay_in_any_order() -> None:
    setattr(outbox, "OLDEST", outbox.OLDEST.replace("ORDER BY seq", "ORDER BY seq DESC"))


def job_gone_at_claim() -> None:
    claim = jobs.Worker.claim

    async def claim_and_forget(self: Any, most: int) -> list[Any]:
        claimed = await claim(self, most)
        async with self.pool.acquire() as db:
            await settle_now(db, [one.lease for one in claimed])
        return claimed

    async def settle(_db: Any, leases: Sequence[Any]) -> set[Any]:
        return set(leases)

    settle_now = jobs.settle
    setattr(jobs.Worker, "claim", claim_and_forget)
    setattr(jobs, "settle", settle)


def no_timers() -> None:
    async def replace(*_: Any) -> None:
        pass

    setattr(timers, "replace", replace)


def saved_outside() -> None:
    write = handle.Runner._write

    async def write_outside(self: Any, db: Any, batch: Any) -> None:
        save = self.save

        async def save_now(_db: Any, changes: Any) -> None:
            async with self.pool.acquire() as other, other.transaction():
                await save(other, changes)
            await failpoint("runner.saved")

        object.__setattr__(self, "save", save_now)
        try:
            await write(self, db, batch)
        finally:
            object.__setattr__(self, "save", save)

    setattr(handle.Runner, "_write", write_outside)


def errors_swallowed() -> None:
    async def call(self: Any, messages: Sequence[Any]) -> None:
        with suppress(Exception):
            await feed(self, messages)

    async def outlast(self: Any, items: Sequence[Any]) -> None:
        await self.runner.handle(items)

    feed: Callable[..., Awaitable[None]] = Feed.__call__
    setattr(Feed, "__call__", call)
    setattr(Feed, "_outlast", outlast)


BUGS: dict[str, Bug] = {
    "ack_first": Bug("acknowledges before it handles", ack_first, "consumer.acknowledged=kill@0.1"),
    "no_inbox": Bug("keeps no inbox", no_inbox, "relay.published=kill@0.1"),
    "mark_before_send": Bug(
        "deletes from the outbox before it publishes", mark_before_send, "relay.read=kill@0.1"
    ),
    "outbox_outside": Bug(
        "writes the outbox after the commit", outbox_outside, "runner.committed=kill@0.05"
    ),
    "no_lock": Bug("locks no case", no_lock, "runner.claimed=stall@0"),
    "publish_blindly": Bug(
        "takes every publication for a success", publish_blindly, servers_too=True
    ),
    "relay_in_any_order": Bug("publishes the newest first", relay_in_any_order),
    "job_gone_at_claim": Bug(
        "takes a job off the table when it begins", job_gone_at_claim, "job.performed=kill@0.1"
    ),
    "no_timers": Bug("forgets deadlines", no_timers),
    "saved_outside": Bug(
        "saves the state in a transaction of its own", saved_outside, "runner.saved=kill@0.05"
    ),
    "errors_swallowed": Bug("goes on after any error", errors_swallowed, "runner.saved=raise@0.1"),
}


def storm(name: str, cases: int, seconds: float, seed: int) -> Storm:
    """Give a short storm over services that have the bug; waiting is cut short too."""
    bug = BUGS[name]
    argv = {
        service: (sys.executable, "-m", "tests.storm.planted", name, f"services.{service}")
        for service in SERVICES
    }
    return Storm(
        cases, seconds, seed, argv, bug.failpoints, bug.servers_too, patience=60.0, still=15.0
    )


if __name__ == "__main__":
    BUGS[sys.argv[1]].plant()
    runpy.run_module(sys.argv[2], run_name="__main__", alter_sys=True)

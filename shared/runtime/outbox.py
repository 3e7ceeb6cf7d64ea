"""How do decided events reach Kafka, each at least once and a case's in order?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol

from asyncpg import Record

from shared.contracts.envelope import CONTENT_TYPE, Recorded
from shared.runtime.errors import Unprocessable
from shared.runtime.failpoints import failpoint
from shared.runtime.patience import Pace, for_ever
from shared.runtime.postgres import Db, Pool, Wakeups, session
from shared.runtime.telemetry import metrics
from shared.runtime.wire import LARGEST_VALUE

WAVE = 1000
IDLE_SECONDS = 1.0
ELECTION_SECONDS = 0.5
PULSE_SECONDS = 3.0

# Append what was decided; `seq` keeps a case's order because the case is locked until the commit.
# The relay is woken when this transaction commits.
APPEND = """
    WITH appended AS (
        INSERT INTO outbox
            (id, aggregatetype, aggregateid, type, payload, occurred_at, causation_id, traceparent)
        SELECT * FROM unnest(
            $1::uuid[], $2::text[], $3::uuid[], $4::text[],
            $5::text[], $6::timestamptz[], $7::uuid[], $8::text[]))
    SELECT pg_notify($9, '')
"""
# The relay's turn: oldest first.
OLDEST = """
    SELECT seq, id::text AS id, aggregatetype, aggregateid::text AS key, type, payload,
           to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS time,
           causation_id::text AS causation_id, traceparent
    FROM outbox ORDER BY seq LIMIT $1
"""
# What Kafka has acknowledged.
DELETE = "DELETE FROM outbox WHERE seq = ANY($1::bigint[])"
# One relay per schema. The lock is the session's, and ends with it.
LEAD = "SELECT pg_try_advisory_lock(hashtextextended('relay:' || current_schema(), 0))"
# A leader that froze loses its lead with its connection; one that waits for Kafka shows its pulse.
LEAD_WHILE_ALIVE = "SET idle_session_timeout = '15s'"
PULSE = "SELECT 1"
# For the metrics: how many wait, and since when.
DEPTH = """
    SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 100000) AS counted) AS depth,
           (SELECT occurred_at FROM outbox ORDER BY seq LIMIT 1) AS oldest
"""


class Outgoing(NamedTuple):
    """A record ready for Kafka."""

    seq: int
    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Publish(Protocol):
    """Publish a wave; give the `seq` of those that Kafka acknowledged."""

    async def __call__(self, wave: Sequence[Outgoing], /) -> list[int]: ...


async def append(db: Db, service: str, recorded: Sequence[Recorded]) -> None:
    """Write events to the outbox, within the caller's transaction."""
    if not recorded:
        return
    rows = columns(recorded)
    # A character takes four bytes at most, so hardly any text need be encoded to be measured.
    if any(len(one) > LARGEST_VALUE / 4 and len(one.encode()) > LARGEST_VALUE for one in rows[4]):
        raise Unprocessable("an event is too large: pass its content by a claim check")
    await db.execute(APPEND, *rows, channel(service))


def columns(recorded: Sequence[Recorded]) -> tuple[list[Any], ...]:
    """Give the rows of APPEND as its parameters."""
    return (
        [one.event_id for one in recorded],
        [one.event.publisher() for one in recorded],
        [one.case_id for one in recorded],
        [one.event.ce_type() for one in recorded],
        [one.event.model_dump_json() for one in recorded],
        [one.recorded_at for one in recorded],
        [one.caused_by for one in recorded],
        [one.traceparent for one in recorded],
    )


def channel(service: str) -> str:
    return f"{service}_outbox"


@dataclass(slots=True)
class Relay:
    """Carries the outbox to Kafka. One leads per schema; the others wait for its connection to end.

    A wave holds at most one batch per partition, and a batch is taken whole or not at all: so no
    event can overtake an earlier one of its case when Kafka refuses some.
    """

    pool: Pool
    service: str
    prefix: str
    publish: Publish
    wakeups: Wakeups
    published: int = 0

    async def run(self) -> None:
        """Relay for ever."""
        await for_ever(self._lead, "relay")

    async def _lead(self) -> None:
        async with session(self.pool) as db:
            while not await db.fetchval(LEAD):  # noqa: ASYNC110 - a lock tells nobody that it is free
                await asyncio.sleep(ELECTION_SECONDS)
            await db.execute(LEAD_WHILE_ALIVE)
            pace = Pace()
            while True:
                await pace.rest()
                with pace.turn():
                    moved = await self.wave(db)
                if moved >= WAVE:
                    pace.skip_rest()
                if moved == 0:
                    await self.wakeups.wait(channel(self.service), IDLE_SECONDS)

    async def wave(self, db: Db) -> int:
        """Publish the oldest; give how many left the table."""
        rows = await db.fetch(OLDEST, WAVE)
        if not rows:
            return 0
        await failpoint("relay.read")
        done = await self._publish(db, [self._outgoing(row) for row in rows])
        await failpoint("relay.published")
        await db.execute(DELETE, done)
        await failpoint("relay.deleted")
        self.published += len(done)
        metrics.PUBLISHED.labels(f"{self.prefix}.{self.service}").inc(len(done))
        return len(done)

    async def _publish(self, db: Db, wave: Sequence[Outgoing]) -> list[int]:
        """Publish while we lead: a lead that is lost meanwhile ends it."""
        sending = asyncio.ensure_future(self.publish(wave))
        try:
            while not (await asyncio.wait([sending], timeout=PULSE_SECONDS))[0]:
                await db.execute(PULSE)
            return sending.result()
        finally:
            sending.cancel()

    def _outgoing(self, row: Record) -> Outgoing:
        seq, event_id, service, key, kind, payload, time, cause, traceparent = row.values()
        case_id = key.encode()
        pairs = [
            *_fixed(service, kind),
            ("ce_id", event_id.encode()),
            ("ce_subject", case_id),
            ("ce_time", time.encode()),
        ]
        if cause is not None:
            pairs.append(("ce_causationid", cause.encode()))
        if traceparent:
            pairs.append(("traceparent", traceparent.encode()))
        return Outgoing(seq, f"{self.prefix}.{service}", case_id, payload.encode(), pairs)


@cache
def _fixed(service: str, kind: str) -> tuple[tuple[str, bytes], ...]:
    """Give the headers that are the same for all events of a type."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", kind.encode()),
        ("ce_source", f"/overread/{service}".encode()),
        ("content-type", CONTENT_TYPE.encode()),
    )

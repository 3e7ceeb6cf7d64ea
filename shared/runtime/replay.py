"""How does a parked event come back? In its case's order, one transaction each, or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record

from shared.contracts.base import CaseId, Event
from shared.runtime import inbox, parking
from shared.runtime.errors import is_weather
from shared.runtime.failpoints import failpoint
from shared.runtime.feed import cause_of, incoming
from shared.runtime.handle import Runner
from shared.runtime.parking import Resolved
from shared.runtime.postgres import Db
from shared.runtime.wire import Foreign, Poison, Readable, read

Wanted = Mapping[str, type[Event]]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one parked message. Not `done`: it stays parked, for `cause`."""

    parked_id: int
    case_id: CaseId | None
    done: bool
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class _Person:
    by: str
    now: datetime
    reason: str = ""

    def resolved(self, resolution: str) -> Resolved:
        return Resolved(resolution, self.by, self.reason, self.now)


async def replay(
    runner: Runner[Any], wanted: Wanted, parked_id: int, *, by: str, now: datetime
) -> list[Replayed]:
    """Replay the queue in which this message stands; empty when it is not parked any more.

    Raises only weather: calling again is right, what went through stays through.
    """
    async with runner.pool.acquire() as db:
        row = await db.fetchrow(parking.CASE_OF, parked_id)
    if row is None:
        return []
    if row["case_id"] is not None:
        return await replay_case(runner, wanted, CaseId(row["case_id"]), by=by, now=now)
    answer = await _one(runner, wanted, None, parked_id, _Person(by, now))
    return [answer] if answer else []


async def replay_case(
    runner: Runner[Any], wanted: Wanted, case_id: CaseId, *, by: str, now: datetime
) -> list[Replayed]:
    """Replay a case's queue in order, up to the first message that fails again."""
    answers: list[Replayed] = []
    while not answers or answers[-1].done:
        answer = await _one(runner, wanted, case_id, None, _Person(by, now))
        if answer is None:
            break
        answers.append(answer)
    return answers


async def discard(  # noqa: PLR0913 - who, why and when belong to every decision of a person
    runner: Runner[Any], wanted: Wanted, parked_id: int, *, by: str, reason: str, now: datetime
) -> list[Replayed] | None:
    """Give a message up, and replay what waited behind it; None when it is not parked any more.

    Its id goes to the inbox, so that a redelivery stays discarded. Raises ValueError without a
    reason.
    """
    if not reason.strip():
        raise ValueError("a discarded message needs a reason")
    person = _Person(by, now, reason)
    async with runner.pool.acquire() as db, db.transaction():
        case_id = await _locked_case(runner, db, parked_id)
        row = await parking.one(db, parked_id)
        if row is None:
            return None
        head = await parking.head(db, case_id) if case_id else None
        await parking.resolve(db, parked_id, person.resolved("discarded"))
        if row["event_id"] is not None:
            await inbox.claim(db, [row["event_id"]], now)
        await failpoint("replay.discarded")
    if case_id is None or head is None or head["id"] != parked_id:
        return []
    return await replay_case(runner, wanted, case_id, by=by, now=now)


async def _locked_case(runner: Runner[Any], db: Db, parked_id: int) -> CaseId | None:
    row = await db.fetchrow(parking.CASE_OF, parked_id)
    if row is None or row["case_id"] is None:
        return None
    await inbox.lock(db, [CaseId(row["case_id"])], runner.seed)
    return CaseId(row["case_id"])


async def _one(
    runner: Runner[Any],
    wanted: Wanted,
    case_id: CaseId | None,
    parked_id: int | None,
    person: _Person,
) -> Replayed | None:
    """Replay the head of a case's queue, or a message of no case; None when there is none."""
    row: Record | None = None
    try:
        async with runner.pool.acquire() as db, db.transaction():
            if case_id is not None:
                await inbox.lock(db, [case_id], runner.seed)
                row = await parking.head(db, case_id)
            elif parked_id is not None:
                row = await parking.one(db, parked_id)
            if row is None:
                return None
            cause = await _through(runner, wanted, db, row)
            if cause is None:
                await parking.resolve(db, row["id"], person.resolved("replayed"))
            else:
                await db.execute(parking.FAILED_AGAIN, row["id"], cause)
            await failpoint("replay.written")
    except Exception as error:
        if row is None or is_weather(error):
            raise
        cause = cause_of(error)
        async with runner.pool.acquire() as db:
            await db.execute(parking.FAILED_AGAIN, row["id"], cause)
    return Replayed(row["id"], case_id, cause is None, cause)


async def _through(runner: Runner[Any], wanted: Wanted, db: Db, row: Record) -> str | None:
    """Handle one parked message as if it came now; give the cause if it can't be read still.

    It does not wait behind what is parked of its case: it is the first of them.
    """
    match read(parking.message_of(row), wanted):
        case Poison(cause=cause):
            return cause
        case Readable() as readable:
            await runner.handle_in(db, [incoming(readable, waits=False)])
        case Foreign():
            pass  # this service has stopped listening to it: nothing is left to do
    return None

"""Who is there? What readers' apps said, and which of them fell silent."""

from datetime import datetime, timedelta

from services.matching.store.cases import ROUND
from shared.contracts.base import ReaderId
from shared.runtime.postgres import Db

# A sign of life. Only the newest counts: two windows of one reader are one reader.
BEAT = """
    INSERT INTO presence (reader, available, seen_at, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (reader) DO UPDATE SET available = excluded.available,
        seen_at = CASE WHEN presence.available OR excluded.available THEN excluded.seen_at
                       ELSE presence.seen_at END,
        expires_at = excluded.expires_at
"""
# From now on the shift alone says whether a reader is there.
FORGET = "DELETE FROM presence WHERE reader = $1"
# Who said that they are away, or fell silent; and since when.
AWAY = """
    SELECT reader, CASE WHEN available THEN expires_at ELSE seen_at END AS since
    FROM presence WHERE NOT available OR expires_at <= $1
"""
# Whose app says that they are there.
ALIVE = "SELECT reader FROM presence WHERE available AND expires_at > $1"
WAS_AWAY = "SELECT NOT available OR expires_at <= $2 FROM presence WHERE reader = $1"
# Who wants a case. From then on what comes may be theirs.
ASK = """
    INSERT INTO asking (reader, asked_at) VALUES ($1, $2)
    ON CONFLICT (reader) DO UPDATE SET asked_at = excluded.asked_at
"""
# They have one.
SERVED = "DELETE FROM asking WHERE reader = $1"
# Who asked since, and waits.
ASKING = "SELECT reader FROM asking WHERE asked_at > $1"
STIR = "SELECT pg_notify($1, '')"


async def beat(db: Db, reader: ReaderId, until: datetime, now: datetime, *, there: bool) -> None:
    """Note a sign of life; whoever comes or goes wakes the optimiser."""
    was_away = await db.fetchval(WAS_AWAY, reader, now)
    await db.execute(BEAT, reader, there, now, until)
    if was_away is None or was_away == there:
        await db.execute(STIR, ROUND)


async def forget(db: Db, reader: ReaderId) -> None:
    await db.execute(FORGET, reader)
    await db.execute(STIR, ROUND)


async def away(db: Db, now: datetime) -> dict[ReaderId, timedelta]:
    """Give how long each reader has been away."""
    return {row["reader"]: now - row["since"] for row in await db.fetch(AWAY, now)}


async def alive(db: Db, now: datetime) -> frozenset[ReaderId]:
    """Give whose app says that they are there."""
    return frozenset(row["reader"] for row in await db.fetch(ALIVE, now))


async def ask(db: Db, reader: ReaderId, now: datetime) -> None:
    await db.execute(ASK, reader, now)


async def served(db: Db, reader: ReaderId) -> None:
    await db.execute(SERVED, reader)


async def asking(db: Db, since: datetime) -> frozenset[ReaderId]:
    """Give who asked for a case since then and got none."""
    return frozenset(row["reader"] for row in await db.fetch(ASKING, since))

"""Why did a reader who asked get no case? Kept as long as it stays the same, and then anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.matching.domain.nothing import Nothing
from shared.contracts.base import ReaderId
from shared.runtime.postgres import Db

# The same reason goes on; another one, or another shift's, is a row of its own.
KEEP = """
    WITH newest AS (
        SELECT seq, reason, last_at FROM held_back WHERE reader = $1 ORDER BY seq DESC LIMIT 1
    ), same AS (
        UPDATE held_back SET last_at = $3, times = times + 1, nothing = $4
        WHERE seq = (SELECT seq FROM newest WHERE reason = $2 AND last_at > $5) RETURNING seq
    ), gone AS (
        DELETE FROM held_back WHERE reader = $1 AND last_at < $6
    )
    INSERT INTO held_back (reader, reason, since, last_at, nothing)
    SELECT $1, $2, $3, $3, $4 WHERE NOT EXISTS (SELECT FROM same)
"""
# A reader's last answers without a case, the newest first.
LAST = """
    SELECT since, last_at, times, nothing FROM held_back
    WHERE reader = $1 ORDER BY seq DESC LIMIT $2
"""
ONE_SHIFT: Final = timedelta(hours=12)
LASTS: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Kept:
    """So many times since then, and the last of them."""

    since: datetime
    last_at: datetime
    times: int
    nothing: Nothing


async def keep(db: Db, reader: ReaderId, why: Nothing, now: datetime) -> None:
    told = why.model_dump_json()
    await db.execute(KEEP, reader, why.reason, now, told, now - ONE_SHIFT, now - LASTS)


async def last(db: Db, reader: ReaderId, most: int) -> Sequence[Kept]:
    rows = await db.fetch(LAST, reader, most)
    return [
        Kept(
            row["since"],
            row["last_at"],
            row["times"],
            Nothing.model_validate_json(row["nothing"]),
        )
        for row in rows
    ]

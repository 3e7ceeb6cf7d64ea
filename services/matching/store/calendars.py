"""Which calendars were imported for whom, and how far ahead do their periods reach?"""

from dataclasses import dataclass
from datetime import datetime

from services.matching.domain.duty import Period, PeriodKind
from services.matching.domain.reader import Reader
from services.matching.store import roster
from shared.contracts.base import ReaderId
from shared.runtime.postgres import Db

# A calendar as it was imported, without what could name somebody.
KEEP = """
    INSERT INTO calendars (reader, source, kind, content, reaches) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (reader, source) DO UPDATE SET kind = excluded.kind, content = excluded.content,
        reaches = excluded.reaches
"""
DROP = "DELETE FROM calendars WHERE reader = $1 AND source = $2"
# Those whose periods end too soon.
SHORT = """
    SELECT reader, source, kind, content FROM calendars WHERE reaches < $1
    ORDER BY reaches LIMIT $2
"""
# One change of a reader's record at a time.
LOCK = "SELECT reader FROM readers WHERE id = $1 FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar of a reader's; `kind` is what an event without categories counts as."""

    reader: ReaderId
    source: str
    kind: PeriodKind
    content: str


@dataclass(frozen=True, slots=True)
class Unfolded:
    """What a calendar says from now on to a moment."""

    periods: tuple[Period, ...]
    reaches: datetime


async def lock(db: Db, reader: ReaderId) -> Reader | None:
    """Give the reader's record, and keep others from changing it meanwhile."""
    text = await db.fetchval(LOCK, reader)
    return None if text is None else Reader.model_validate_json(text)


async def keep(db: Db, known: Reader, one: Calendar, unfolded: Unfolded, now: datetime) -> None:
    """Replace what the calendar said of the reader before."""
    others = tuple(each for each in known.calendar if each.source != one.source)
    changed = known.model_copy(update={"calendar": (*others, *unfolded.periods)})
    await db.execute(KEEP, one.reader, one.source, one.kind, one.content, unfolded.reaches)
    await roster.put(db, changed, now)


async def drop(db: Db, known: Reader, source: str, now: datetime) -> None:
    left = tuple(each for each in known.calendar if each.source != source)
    await db.execute(DROP, known.id, source)
    await roster.put(db, known.model_copy(update={"calendar": left}), now)


async def short(db: Db, before: datetime, most: int) -> list[Calendar]:
    return [Calendar(**row) for row in await db.fetch(SHORT, before, most)]

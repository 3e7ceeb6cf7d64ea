"""What did the databases commit? Triggers note it, in the same transactions, for the ledger.

They are put in by the administrator from outside: the services neither know nor could read it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

INSTALL = """
    CREATE SCHEMA IF NOT EXISTS storm;
    CREATE TABLE storm.appended (schema text, seq bigint, id uuid, case_id uuid, type text);
    CREATE TABLE storm.offered (schema text, input_id uuid);
    CREATE TABLE storm.unset (case_id uuid);
    CREATE FUNCTION storm.note_appended() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            INSERT INTO storm.appended
            VALUES (TG_TABLE_SCHEMA, NEW.seq, NEW.id, NEW.aggregateid, NEW.type);
            RETURN NEW;
        END $$;
    CREATE FUNCTION storm.note_offered() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            INSERT INTO storm.offered VALUES (TG_TABLE_SCHEMA, NEW.input_id);
            RETURN NEW;
        END $$;
"""
# Before the row is inserted: that also happens to one that the inbox knows already.
WATCH = """
    CREATE TRIGGER storm_appended AFTER INSERT ON {schema}.outbox
        FOR EACH ROW EXECUTE FUNCTION storm.note_appended();
    CREATE TRIGGER storm_offered BEFORE INSERT ON {schema}.inbox
        FOR EACH ROW EXECUTE FUNCTION storm.note_offered();
"""
# Looks when a transaction commits: are there deadlines for all that the book then wants?
WATCH_BOOKS = """
    CREATE FUNCTION storm.note_unset() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            INSERT INTO storm.unset SELECT NEW.case_id
            FROM bookkeeper.books, jsonb_object_keys(book -> 'ring_at') AS wanted
            WHERE case_id = NEW.case_id AND wanted NOT IN (
                SELECT kind FROM bookkeeper.timers WHERE case_id = NEW.case_id);
            RETURN NULL;
        END $$;
    CREATE CONSTRAINT TRIGGER storm_unset AFTER INSERT OR UPDATE ON bookkeeper.books
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION storm.note_unset();
"""
UNSET = "SELECT DISTINCT case_id FROM storm.unset"
APPENDED = "SELECT schema, seq, id, case_id, type FROM storm.appended ORDER BY schema, seq"
ABSORBED = "SELECT count(*) - count(DISTINCT (schema, input_id)) FROM storm.offered"
LEFT = """
    SELECT (SELECT count(*) FROM {schema}.outbox) AS outbox,
           (SELECT count(*) FROM {schema}.parked WHERE resolution IS NULL) AS parked,
           (SELECT count(*) FROM {schema}.jobs) AS jobs,
           (SELECT count(*) FROM {schema}.timers WHERE due_at < now() + interval '5 s') AS timers
"""
KNOWN = """
    SELECT input_id FROM {schema}.inbox
    UNION SELECT event_id FROM {schema}.parked WHERE event_id IS NOT NULL
"""
BOOKS = "SELECT case_id, book FROM bookkeeper.books"


@dataclass(frozen=True)
class Appended:
    """A row that an outbox held once."""

    service: str
    seq: int
    event_id: UUID
    case_id: UUID
    type: str


@dataclass
class Audit:
    """The administrator's look at all schemas."""

    dsn: str
    schemas: Sequence[str]

    async def install(self) -> None:
        """Begin to note; the schemas have their tables and are still empty."""
        async with _connected(self.dsn) as db:
            await db.execute(INSTALL)
            for schema in self.schemas:
                await db.execute(WATCH.format(schema=schema))
            await db.execute(WATCH_BOOKS)

    async def appended(self) -> list[Appended]:
        async with _connected(self.dsn) as db:
            return [Appended(*row) for row in await db.fetch(APPENDED)]

    async def absorbed(self) -> int:
        """Count the inputs that came again and were dropped."""
        async with _connected(self.dsn) as db:
            return int(await db.fetchval(ABSORBED))

    async def unset(self) -> list[UUID]:
        """Give the cases of which a book was committed without its deadlines."""
        async with _connected(self.dsn) as db:
            return [row["case_id"] for row in await db.fetch(UNSET)]

    async def left(self) -> dict[str, int]:
        """Count what is not done yet, by what it is."""
        total: dict[str, int] = {}
        async with _connected(self.dsn) as db:
            for schema in self.schemas:
                row = await db.fetchrow(LEFT.format(schema=schema))
                for name, count in dict(row or {}).items():
                    total[name] = total.get(name, 0) + count
        return total

    async def known(self) -> dict[str, set[UUID]]:
        """Give for each schema the inputs that were handled or parked."""
        async with _connected(self.dsn) as db:
            return {
                schema: {row[0] for row in await db.fetch(KNOWN.format(schema=schema))}
                for schema in self.schemas
            }

    async def books(self) -> dict[UUID, str]:
        async with _connected(self.dsn) as db:
            return {row["case_id"]: row["book"] for row in await db.fetch(BOOKS)}


@asynccontextmanager
async def _connected(dsn: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    db = await asyncpg.connect(dsn, timeout=10)
    try:
        yield db
    finally:
        await db.close()

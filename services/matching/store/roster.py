"""Who reads, what do they hold, and who changed the roster?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.matching.domain.eligibility import RESTED, Candidate, Work
from services.matching.domain.reader import Reader
from services.matching.domain.stint import counted_from
from services.matching.store.cases import ROUND
from shared.contracts.base import CaseId, ReaderId
from shared.runtime.postgres import Db

# Grows with each change of the roster.
REVISION = "SELECT coalesce(sum(revision), 0)::bigint FROM readers"
ALL = "SELECT reader FROM readers"
ONE = "SELECT reader FROM readers WHERE id = $1"
# How many cases each reader holds, offers included.
LOADS = """
    SELECT reader, count(*) AS load FROM assignments
    WHERE standing IN ('offered', 'assigned') GROUP BY reader
"""
# How many cases one reader holds besides this one.
LOAD_BESIDES = """
    SELECT count(*) FROM assignments
    WHERE standing IN ('offered', 'assigned') AND reader = $1 AND assignment <> $2
"""
# Whose offer it is, however long ago.
CASE_OF = "SELECT case_id FROM assignments WHERE assignment = $1 AND reader = $2"
# What an operator wrote.
PUT = """
    INSERT INTO readers (id, reader, edited, changed_at) VALUES ($1, $2, true, $3)
    ON CONFLICT (id) DO UPDATE SET reader = excluded.reader, edited = true,
        revision = readers.revision + 1, changed_at = excluded.changed_at
"""
# What the seed file says, where no operator has said otherwise since.
SEED = """
    INSERT INTO readers (id, reader, edited, changed_at) VALUES ($1, $2, false, $3)
    ON CONFLICT (id) DO UPDATE SET reader = excluded.reader,
        revision = readers.revision + 1, changed_at = excluded.changed_at
    WHERE NOT readers.edited AND readers.reader <> excluded.reader
"""
# Who changed what; kept for good.
RECORD = "INSERT INTO changes (subject, what, after, changed_at) VALUES ($1, $2, $3, $4)"
# What readers accepted since a time of their own, and did not give back.
WORK = """
    SELECT reader, count(*) AS cases, coalesce(sum(rvu), 0) AS rvu
    FROM unnest($1::text[], $2::timestamptz[]) AS stint (reader, since)
    JOIN assignments USING (reader)
    WHERE accepted_at >= since AND standing IN ('assigned', 'done') GROUP BY reader
"""
# The version of the roster that decisions name, kept before they do.
KEEP_VERSION = """
    WITH version AS (
        SELECT md5(string_agg(id || ' ' || revision, ',' ORDER BY id COLLATE "C")) AS digest,
               jsonb_object_agg(id, revision) AS members FROM readers
    ), kept AS (
        INSERT INTO rosters SELECT * FROM version WHERE digest IS NOT NULL ON CONFLICT DO NOTHING
    )
    SELECT coalesce(digest, '') FROM version
"""
# The readers of a version.
VERSION = """
    SELECT reader FROM rosters, jsonb_each_text(members) AS member (id, revision)
    JOIN reader_versions v ON v.id = member.id AND v.revision = member.revision::bigint
    WHERE digest = $1
"""
STIR = "SELECT pg_notify($1, '')"


@dataclass(frozen=True, slots=True)
class Mine:
    """An offer or assignment as its reader addresses it, with the roster's record of them."""

    case_id: CaseId
    reader: Reader
    load: int
    work: Work


async def revision(db: Db) -> int:
    grown: int = await db.fetchval(REVISION)
    return grown


async def readers(db: Db) -> dict[ReaderId, Reader]:
    each = [Reader.model_validate_json(row["reader"]) for row in await db.fetch(ALL)]
    return {one.id: one for one in each}


async def reader(db: Db, reader_id: ReaderId) -> Reader | None:
    text = await db.fetchval(ONE, reader_id)
    return None if text is None else Reader.model_validate_json(text)


async def loads(db: Db) -> dict[ReaderId, int]:
    return {row["reader"]: row["load"] for row in await db.fetch(LOADS)}


async def work(db: Db, since: Mapping[ReaderId, datetime]) -> dict[ReaderId, Work]:
    """Give what readers accepted since then, each since their own time."""
    if not since:
        return {}
    rows = await db.fetch(WORK, list(since), list(since.values()))
    return {row["reader"]: Work(cases=row["cases"], rvu=row["rvu"]) for row in rows}


async def _work_of(db: Db, known: Reader, now: datetime) -> Work:
    since = counted_from(known, now)
    done = {} if since is None else await work(db, {known.id: since})
    return done.get(known.id, RESTED)


async def candidate(db: Db, reader_id: ReaderId, now: datetime) -> Candidate | None:
    """Give a reader of the roster as they stand now."""
    known = await reader(db, reader_id)
    if known is None:
        return None
    load = await db.fetchval(LOAD_BESIDES, reader_id, "")
    return Candidate(known, load, await _work_of(db, known, now))


async def version(db: Db) -> str:
    """Keep the roster's version, and give its digest; nothing for an empty roster."""
    digest: str = await db.fetchval(KEEP_VERSION)
    return digest


async def of_version(db: Db, digest: str) -> dict[ReaderId, Reader]:
    """Give the readers as they were."""
    rows = await db.fetch(VERSION, digest)
    each = [Reader.model_validate_json(row["reader"]) for row in rows]
    return {one.id: one for one in each}


async def mine(db: Db, assignment: str, reader_id: ReaderId, now: datetime) -> Mine | None:
    """Give the reader's offer or assignment; None where it is nobody's or another's."""
    case_id = await db.fetchval(CASE_OF, assignment, reader_id)
    known = await reader(db, reader_id)
    if case_id is None or known is None:
        return None
    load = await db.fetchval(LOAD_BESIDES, reader_id, assignment)
    return Mine(case_id, known, load, await _work_of(db, known, now))


async def put(db: Db, changed: Reader, now: datetime) -> None:
    """Write it and wake the optimiser: a change is effective at once."""
    await db.execute(PUT, changed.id, changed.model_dump_json(), now)
    await db.execute(STIR, ROUND)


async def seed(db: Db, known: Sequence[Reader], now: datetime) -> None:
    await db.executemany(SEED, [(one.id, one.model_dump_json(), now) for one in known])
    await db.execute(STIR, ROUND)


async def record(db: Db, subject: str, what: str, after: str, now: datetime) -> None:
    await db.execute(RECORD, subject, what, after, now)

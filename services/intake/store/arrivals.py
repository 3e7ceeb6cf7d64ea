"""Which instances lie in the vault, and which case were they handed to?

A transmission is written before its sender gets an answer, and handed to every open case that
announced its study: at once, or when the case comes. Whoever commits second sees the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from shared.contracts.base import CaseId, Laterality, ObjectRef
from shared.runtime.postgres import Db

# What open cases of this partner expect of these studies: whose they must be.
PATIENTS = """
    SELECT DISTINCT patient FROM announced
    WHERE partner = $1 AND (study = $2 OR (study IS NULL AND accession = $3))
"""
# A transmission begins.
ARRIVE = """
    INSERT INTO arrivals
        (partner, study, patient, accession, modality, body_region, laterality, images, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING arrival
"""
# File its instances. One that is there already stays as it is, unless all that became of it was
# that a case refused it for naming another patient: then the sender mended it.
FILE = """
    INSERT INTO instances (partner, sop, arrival, address, sha256, size)
    SELECT $1, sop, $2, address, sha256, size
    FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[])
        AS one (sop, address, sha256, size)
    ORDER BY sop
    ON CONFLICT (partner, sop) DO UPDATE
        SET arrival = excluded.arrival, address = excluded.address, sha256 = excluded.sha256,
            size = excluded.size
        WHERE instances.sha256 <> excluded.sha256
          AND (SELECT misfiled FROM arrivals WHERE arrival = instances.arrival)
    RETURNING sop
"""
# What is filed under some names.
FILED = "SELECT sop, sha256 FROM instances WHERE partner = $1 AND sop = ANY($2::text[])"
# A transmission that brought nothing new.
DISCARD = "DELETE FROM arrivals WHERE arrival = $1"
# Transmissions and the open cases that announced their study and don't have them yet: by UID, and
# by accession number where the case named no UID. Two joins, as one with OR uses no hash.
_PENDING = """
    SELECT wanted.* FROM (
        SELECT arrivals.*, announced.case_id
        FROM arrivals JOIN announced USING (partner, study) WHERE {of}
        UNION ALL
        SELECT arrivals.*, announced.case_id
        FROM arrivals JOIN announced USING (partner, accession)
        WHERE announced.study IS NULL AND {of}
    ) AS wanted
    WHERE NOT EXISTS (SELECT 1 FROM handed WHERE handed.arrival = wanted.arrival
                      AND handed.case_id = wanted.case_id)
    ORDER BY wanted.arrival LIMIT 1000
"""
PENDING_OF_CASE = _PENDING.format(of="announced.case_id = $1")
PENDING_OF_STUDY = _PENDING.format(of="arrivals.partner = $1 AND arrivals.study = $2")
# Two queries, as no index serves a condition on either of two tables.
PENDING_ARRIVED = _PENDING.format(of="arrivals.received_at >= $1")
PENDING_ANNOUNCED = _PENDING.format(of="announced.since >= $1")
# The instances of a transmission.
INSTANCES = "SELECT address, sha256, size FROM instances WHERE arrival = $1 ORDER BY address"
# A case's decider has it.
HAND = "INSERT INTO handed (arrival, case_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
# A case refused it, or took it after all.
MARK = "UPDATE arrivals SET misfiled = $2 WHERE arrival = $1"
# Studies that no open case announced: how many transmissions, since when.
UNANNOUNCED = """
    SELECT partner, study, count(*) AS transmissions, min(received_at) AS since
    FROM arrivals
    WHERE ($1::text IS NULL OR partner = $1)
      AND NOT EXISTS (SELECT 1 FROM handed WHERE handed.arrival = arrivals.arrival)
    GROUP BY partner, study ORDER BY since LIMIT 1000
"""


@dataclass(frozen=True, slots=True)
class Study:
    """What a transmission says of its study. Equal for all its instances."""

    study: str
    patient: str
    accession: str | None
    modality: str
    body_region: str
    laterality: Laterality
    images: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """An instance that lies in the vault. `sop` is the digest of its SOP Instance UID."""

    sop: str
    content: ObjectRef


@dataclass(frozen=True, slots=True)
class Pending:
    """A transmission that a case wants."""

    arrival: int
    case_id: CaseId
    study: Study


@dataclass(frozen=True, slots=True)
class Waiting:
    """A study that waits for its case."""

    partner: str
    study: str
    transmissions: int
    since: datetime


async def patients(db: Db, partner: str, study: str, accession: str | None) -> set[str]:
    return {row["patient"] for row in await db.fetch(PATIENTS, partner, study, accession)}


async def file(
    db: Db, partner: str, study: Study, stored: Sequence[Stored], now: datetime
) -> dict[str, str]:
    """File a transmission; give the SHA-256 under each name, which may be an older content's."""
    content: dict[str, ObjectRef] = {}
    for one in stored:
        content.setdefault(one.sop, one.content)
    async with db.transaction():
        arrival = await db.fetchval(
            ARRIVE,
            partner,
            study.study,
            study.patient,
            study.accession,
            study.modality,
            study.body_region,
            study.laterality,
            study.images,
            now,
        )
        fresh = await db.fetch(
            FILE,
            partner,
            arrival,
            list(content),
            [ref.address for ref in content.values()],
            [ref.sha256 for ref in content.values()],
            [ref.size for ref in content.values()],
        )
        if not fresh:
            await db.execute(DISCARD, arrival)
        filed = await db.fetch(FILED, partner, list(content))
    return {row["sop"]: row["sha256"] for row in filed}


async def pending_of_case(db: Db, case_id: CaseId) -> list[Pending]:
    return _pending(await db.fetch(PENDING_OF_CASE, case_id))


async def pending_of_study(db: Db, partner: str, study: str) -> list[Pending]:
    return _pending(await db.fetch(PENDING_OF_STUDY, partner, study))


async def pending_since(db: Db, since: datetime) -> list[Pending]:
    """Give what came or was announced since, without what is handed; some of it maybe twice."""
    arrived = await db.fetch(PENDING_ARRIVED, since)
    return _pending([*arrived, *await db.fetch(PENDING_ANNOUNCED, since)])


def _pending(rows: Sequence[Record]) -> list[Pending]:
    return [
        Pending(
            row["arrival"],
            CaseId(row["case_id"]),
            Study(**{name: row[name] for name in Study.__dataclass_fields__}),
        )
        for row in rows
    ]


async def instances(db: Db, arrival: int) -> list[ObjectRef]:
    rows = await db.fetch(INSTANCES, arrival)
    return [ObjectRef(**row, media_type="application/dicom") for row in rows]


async def hand(db: Db, pending: Pending, *, misfiled: bool) -> None:
    async with db.transaction():
        await db.execute(HAND, pending.arrival, pending.case_id)
        await db.execute(MARK, pending.arrival, misfiled)


async def unannounced(db: Db, partner: str | None) -> list[Waiting]:
    return [Waiting(**row) for row in await db.fetch(UNANNOUNCED, partner)]

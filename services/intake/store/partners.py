"""Who may submit cases, and on what terms?"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import ConfigDict, Field

from shared.contracts.base import Frozen, PartnerId, ServiceLevel
from shared.runtime.postgres import Db

# One partner's terms.
FIND = "SELECT name, patient_issuer, service_levels FROM partners WHERE partner = $1"
# Set a partner's terms.
PUT = """
    INSERT INTO partners (partner, name, patient_issuer, service_levels, changed_by, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (partner) DO UPDATE SET name = excluded.name,
        patient_issuer = excluded.patient_issuer, service_levels = excluded.service_levels,
        changed_by = excluded.changed_by, changed_at = excluded.changed_at
"""
# Set a partner's terms unless an operator has: the seed is where a new installation starts.
SEED = """
    INSERT INTO partners (partner, name, patient_issuer, service_levels, changed_by, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (partner) DO UPDATE SET name = excluded.name,
        patient_issuer = excluded.patient_issuer, service_levels = excluded.service_levels,
        changed_at = excluded.changed_at
    WHERE partners.changed_by = excluded.changed_by
"""


class Terms(Frozen):
    """A partner's terms. `patient_issuer` issues the patient ids that come without an issuer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    patient_issuer: str = Field(min_length=1, max_length=64)
    service_levels: tuple[ServiceLevel, ...] = Field(min_length=1)


async def find(db: Db, partner: str) -> Terms | None:
    row = await db.fetchrow(FIND, partner)
    return Terms.model_validate(dict(row)) if row else None


async def put(db: Db, partner: PartnerId, terms: Terms, by: str, now: datetime) -> None:
    await db.execute(PUT, *_row(partner, terms, by, now))


async def seed(db: Db, partner: PartnerId, terms: Terms, now: datetime) -> None:
    await db.execute(SEED, *_row(partner, terms, "seed", now))


def _row(partner: PartnerId, terms: Terms, by: str, now: datetime) -> Sequence[object]:
    return partner, terms.name, terms.patient_issuer, list(terms.service_levels), by, now

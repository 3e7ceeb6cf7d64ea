"""What was promised to each partner?"""

from datetime import datetime
from functools import lru_cache

from services.matching.domain.contract import Contract, Contracts
from shared.contracts.base import PartnerId
from shared.runtime.postgres import Db

# All contracts in force.
ALL = "SELECT contract FROM contracts ORDER BY partner"
# What an operator wrote.
PUT = """
    INSERT INTO contracts (partner, contract, edited, changed_at) VALUES ($1, $2, true, $3)
    ON CONFLICT (partner) DO UPDATE SET contract = excluded.contract, edited = true,
        revision = contracts.revision + 1, changed_at = excluded.changed_at
"""
# What the seed file says, where no operator has said otherwise since.
SEED = """
    INSERT INTO contracts (partner, contract, edited, changed_at) VALUES ($1, $2, false, $3)
    ON CONFLICT (partner) DO UPDATE SET contract = excluded.contract,
        revision = contracts.revision + 1, changed_at = excluded.changed_at
    WHERE NOT contracts.edited AND contracts.contract <> excluded.contract
"""
ONE = "SELECT contract FROM contracts WHERE partner = $1"


async def contracts(db: Db) -> Contracts:
    """Give those in force now; they are parsed again only when one has changed."""
    return _parsed(tuple(row["contract"] for row in await db.fetch(ALL)))


@lru_cache(maxsize=8)
def _parsed(texts: tuple[str, ...]) -> Contracts:
    each = [Contract.model_validate_json(text) for text in texts]
    return Contracts(by_partner={one.partner: one for one in each})


async def put(db: Db, contract: Contract, now: datetime) -> None:
    await db.execute(PUT, contract.partner, contract.model_dump_json(), now)


async def seed(db: Db, contract: Contract, now: datetime) -> None:
    await db.execute(SEED, contract.partner, contract.model_dump_json(), now)


async def one(db: Db, partner: PartnerId) -> Contract | None:
    text = await db.fetchval(ONE, partner)
    return None if text is None else Contract.model_validate_json(text)

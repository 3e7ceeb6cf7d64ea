"""Where does each partner want its results? Its secrets lie here encrypted."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.base import PartnerId
from shared.runtime.postgres import Db

# One partner's settings.
FIND = "SELECT partner, webhook, mail, secrets, disabled_at FROM partners WHERE partner = $1"
# An operator's word; a new address is enabled again.
PUT = """
    INSERT INTO partners (partner, webhook, mail, changed_at, changed_by)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (partner) DO UPDATE SET
        webhook = excluded.webhook, mail = excluded.mail, disabled_at = NULL,
        changed_at = excluded.changed_at, changed_by = excluded.changed_by
"""
# The seed's word counts only until an operator said something.
SEED = """
    INSERT INTO partners (partner, webhook, mail, changed_at, changed_by)
    VALUES ($1, $2, $3, $4, 'seed') ON CONFLICT (partner) DO NOTHING
"""
# Other secrets; the row is locked by whoever computes them.
LOCK = "SELECT secrets FROM partners WHERE partner = $1 FOR UPDATE"
PUT_SECRETS = """
    UPDATE partners SET secrets = $2, changed_at = $3, changed_by = $4 WHERE partner = $1
"""
# The address said 410 Gone. If it was changed meanwhile, the new one stays enabled.
DISABLE = """
    UPDATE partners SET disabled_at = $3
    WHERE partner = $1 AND webhook = $2 AND disabled_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Channels:
    """What an operator says of a partner: where its webhook is, and whether mails go out."""

    webhook: str | None
    mail: bool


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """A partner's settings as they lie in the table."""

    partner: PartnerId
    webhook: str | None
    mail: bool
    secrets: bytes | None
    disabled_at: datetime | None


async def find(db: Db, partner: PartnerId) -> PartnerRow | None:
    row = await db.fetchrow(FIND, partner)
    return PartnerRow(**row) if row else None


async def put(db: Db, partner: PartnerId, channels: Channels, by: str, at: datetime) -> None:
    await db.execute(PUT, partner, channels.webhook, channels.mail, at, by)


async def seed(db: Db, partner: PartnerId, channels: Channels, at: datetime) -> None:
    await db.execute(SEED, partner, channels.webhook, channels.mail, at)


async def lock_secrets(db: Db, partner: PartnerId) -> tuple[bool, bytes | None]:
    """Say whether there is such a partner, and its secrets; locked until the transaction ends."""
    row = await db.fetchrow(LOCK, partner)
    return (False, None) if row is None else (True, row["secrets"])


async def put_secrets(db: Db, partner: PartnerId, secrets: bytes, *, by: str, at: datetime) -> None:
    await db.execute(PUT_SECRETS, partner, secrets, at, by)


async def disable(db: Db, partner: PartnerId, webhook: str, at: datetime) -> None:
    await db.execute(DISABLE, partner, webhook, at)

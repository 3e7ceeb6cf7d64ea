"""What may an operator do? Say where a partner's results go, and mend what did not arrive."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict

from services.notify.domain.inputs import RetryDelivery
from services.notify.domain.state import State
from services.notify.store import operations, partners
from services.notify.store.partners import Channels, PartnerRow
from shared.contracts.base import CaseId, PartnerId
from shared.contracts.envelope import derived_id
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.http import idempotency_key, refusal
from shared.runtime.service import Core
from shared.runtime.webhooks.address import Webhook
from shared.runtime.webhooks.secrets import Safe, rotated

Operator = Annotated[Principal, Depends(require("operator"))]
Key = Annotated[str, Depends(idempotency_key)]
Name = Annotated[PartnerId, Path()]

Asked = Literal["queued", "attempting", "waiting", "delivered", "abandoned", "failed", "open"]
MEANS: dict[str, tuple[str, ...]] = {
    "failed": ("waiting", "abandoned"),
    "open": ("queued", "attempting", "waiting"),
}
PAGE = 100
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class PartnerChannels(BaseModel):
    """Where a partner's results go. Leave `webhook` out for a partner without a system."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: Webhook | None = None
    mail: bool = True


class PartnerStanding(PartnerChannels):
    """How a partner's channels stand; secrets are never shown."""

    partner: PartnerId
    has_secret: bool
    disabled_at: datetime | None


class NewSecret(BaseModel):
    """A signing secret, shown this once. The one before it signs too for another day."""

    partner: PartnerId
    secret: str


class DeliveryRow(BaseModel):
    """A delivery as it stands; `cause` is a code."""

    delivery: str
    case_id: UUID
    partner: PartnerId
    channel: str
    audience: str
    progress: str
    attempts: int
    cause: str | None
    retry_at: datetime | None
    changed_at: datetime


class DeliveryPage(BaseModel):
    """Some deliveries, the longest unchanged first; `next` is the cursor of the following page."""

    deliveries: list[DeliveryRow]
    next: str | None


class HeldCase(BaseModel):
    """A case whose report waits for an identity that does not come."""

    case_id: UUID
    partner: PartnerId
    overdue_from: datetime


class Opening(BaseModel):
    """Who opened the patient's identity, when and why."""

    case_id: UUID
    who: str
    why: str
    at: datetime


@dataclass(frozen=True)
class OperatorEdge:
    """The handlers and what they need."""

    core: Core[State]
    safe: Safe

    async def put_partner(
        self, partner: Name, wanted: PartnerChannels, who: Operator
    ) -> PartnerStanding:
        """Say where a partner's results go. An address that was disabled by a 410 is tried anew."""
        async with self.core.pool.acquire() as db:
            channels = Channels(wanted.webhook, wanted.mail)
            await partners.put(db, partner, channels, who.subject, clock.now())
        return await self.partner(partner, who)

    async def partner(self, partner: Name, _who: Operator) -> PartnerStanding:
        """Read where a partner's results go; secrets are never shown."""
        async with self.core.pool.acquire() as db:
            row = await partners.find(db, partner)
        if row is None:
            raise _no_partner()
        return _standing(row)

    async def rotate(self, partner: Name, who: Operator) -> NewSecret:
        """Make a new signing secret and show it once; sign with the old one too for a day."""
        now = clock.now()
        async with self.core.pool.acquire() as db, db.transaction():
            known, closed = await partners.lock_secrets(db, partner)
            if not known:
                raise _no_partner()
            secrets = rotated(self.safe.open(partner, closed), now)
            fresh = self.safe.close(partner, secrets)
            await partners.put_secrets(db, partner, fresh, by=who.subject, at=now)
        return NewSecret(partner=partner, secret=secrets[0].secret)

    async def deliveries(
        self,
        _who: Operator,
        state: Asked = "failed",
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = PAGE,
    ) -> DeliveryPage:
        """List deliveries; `failed` are those that wait for another try or were given up."""
        after = _position(cursor)
        async with self.core.pool.acquire() as db:
            found = await operations.deliveries(db, MEANS.get(state, (state,)), after, limit)
        rows = [DeliveryRow.model_validate(dict(row)) for row in found]
        following = _cursor(rows[-1]) if len(rows) == limit else None
        return DeliveryPage(deliveries=rows, next=following)

    async def retry(self, delivery: str, who: Operator, key: Key) -> DeliveryRow:
        """Try a failed delivery now, under the same webhook-id; the schedule begins anew."""
        row = await self._delivery(delivery)
        received = RetryDelivery(case_id=CaseId(row.case_id), delivery=delivery, by=who.subject)
        input_id = derived_id(row.case_id, "retry", delivery, who.subject, key)
        outcome = await self.core.runner.submit(received, input_id=input_id)
        if outcome.refused is not None:
            raise refusal(outcome.refused)
        return await self._delivery(delivery)

    async def _delivery(self, delivery: str) -> DeliveryRow:
        async with self.core.pool.acquire() as db:
            row = await operations.delivery(db, delivery)
        if row is None:
            raise Problem(404, "not-found", "There is no such delivery.")
        return DeliveryRow.model_validate(dict(row))

    async def held(self, _who: Operator) -> list[HeldCase]:
        """List the reports that wait for an identity; look whether intake's events arrive."""
        async with self.core.pool.acquire() as db:
            found = await operations.held(db, PAGE)
        return [HeldCase.model_validate(dict(row)) for row in found]

    async def openings(self, case_id: UUID, _who: Operator) -> list[Opening]:
        """Show the audit trail of a case: every opening of its patient's identity."""
        async with self.core.pool.acquire() as db:
            found = await operations.openings(db, CaseId(case_id))
        return [Opening.model_validate(dict(row)) for row in found]


def router(core: Core[State], safe: Safe) -> APIRouter:
    edge = OperatorEdge(core, safe)
    routes = APIRouter(tags=["operator"])
    routes.put("/v1/admin/partners/{partner}")(edge.put_partner)
    routes.get("/v1/admin/partners/{partner}")(edge.partner)
    routes.post("/v1/admin/partners/{partner}/rotate-secret")(edge.rotate)
    routes.get("/v1/admin/cases/{case_id}/openings")(edge.openings)
    routes.get("/v1/admin/held")(edge.held)
    routes.get("/v1/deliveries")(edge.deliveries)
    routes.post("/v1/deliveries/{delivery}/retry")(edge.retry)
    return routes


def _standing(row: PartnerRow) -> PartnerStanding:
    return PartnerStanding(
        partner=row.partner,
        webhook=row.webhook,
        mail=row.mail,
        has_secret=row.secrets is not None,
        disabled_at=row.disabled_at,
    )


def _no_partner() -> Problem:
    return Problem(404, "not-found", "There is no such partner here yet: PUT it first.")


def _cursor(row: DeliveryRow) -> str:
    return urlsafe_b64encode(f"{row.changed_at.isoformat()} {row.delivery}".encode()).decode()


def _position(cursor: str | None) -> tuple[datetime, str]:
    if cursor is None:
        return BEGINNING, ""
    try:
        at, _, delivery = urlsafe_b64decode(cursor).decode().partition(" ")
        return datetime.fromisoformat(at).replace(tzinfo=UTC), delivery
    except ValueError:
        raise Problem(
            400, "rejected", "The cursor is none of ours; leave it out to begin anew.", "cursor"
        ) from None

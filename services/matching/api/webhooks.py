"""Where does a reader's own system hear of their assignments? At an address that they set."""

from typing import Annotated, Final

import httpx
from fastapi import APIRouter, Depends, Header
from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.matching.domain.state import Matching
from services.matching.store import roster, webhooks
from services.matching.store.webhooks import Hook
from shared.contracts.base import ReaderId
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentOffered,
    AssignmentReleased,
    AssignmentRevoked,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    SlaAtRisk,
    SlaBreached,
)
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.service import Core
from shared.runtime.webhooks.address import Webhook
from shared.runtime.webhooks.network import (
    AddressRefusedError,
    NameUnknownError,
    Network,
    checked,
    is_allowed,
)
from shared.runtime.webhooks.secrets import Safe, rotated

SHOWN: Final = 500

Who = Annotated[Principal, Depends(require("reader"))]
Operator = Annotated[Principal, Depends(require("operator"))]


class Place(BaseModel):
    """Where to: https, and no private address unless the settings allow it."""

    model_config = ConfigDict(extra="forbid")

    url: Webhook


class Standing(BaseModel):
    """How the webhook stands.

    `last_event_id` was handed over last: the stream goes on after it. `cause` is why the last
    attempt failed; `stopped` (`gone`, `exhausted`): none is made until the address is set again.
    """

    url: str
    last_event_id: str
    failed_attempts: int
    cause: str | None
    next_attempt_at: AwareDatetime | None
    stopped: str | None


class Subscribed(Standing):
    """`secret` verifies what comes. It is shown this once, and null where one was made before."""

    secret: str | None


class Failing(Standing):
    """A reader's webhook that fails or was given up."""

    reader: ReaderId


class Entry(BaseModel):
    """What is posted: an entry of the reader's stream. `data` is the event, as AsyncAPI has it."""

    type: str
    timestamp: AwareDatetime
    data: (
        AssignmentOffered
        | OfferDeclined
        | OfferExpired
        | OfferWithdrawn
        | AssignmentAccepted
        | AssignmentReleased
        | AssignmentRevoked
        | AssignmentClosed
        | ClockStarted
        | ClockPaused
        | ClockResumed
        | SlaAtRisk
        | SlaBreached
    )


told = APIRouter()


@told.post("{$request.body#/url}", status_code=204, tags=["readers"])
async def entry(
    body: Entry,
    webhook_id: Annotated[str, Header()],
    webhook_timestamp: Annotated[str, Header()],
    webhook_signature: Annotated[str, Header()],
) -> None:
    """Be told of an entry, signed (Standard Webhooks). 2xx takes it, 410 ends the webhook."""


def router(core: Core[Matching], safe: Safe | None, allowed: tuple[Network, ...]) -> APIRouter:
    routes = APIRouter(prefix="/v1")
    desk = Webhooks(core, safe, allowed)
    routes.get("/webhook", tags=["readers"])(desk.get)
    routes.put("/webhook", tags=["readers"], callbacks=told.routes)(desk.put)
    routes.post("/webhook/rotate-secret", tags=["readers"])(desk.rotate)
    routes.delete("/webhook", tags=["readers"], status_code=204)(desk.delete)
    routes.get("/operations/webhooks", tags=["operators"])(desk.failing)
    return routes


class Webhooks:
    """The routes; each method's docstring is the route's description."""

    def __init__(
        self, core: Core[Matching], safe: Safe | None, allowed: tuple[Network, ...]
    ) -> None:
        self.core, self.allowed = core, allowed
        self._safe = safe

    @property
    def safe(self) -> Safe:
        if self._safe is None:
            detail = "This installation has no webhooks (MATCHING_STORE_KEY): follow the stream."
            raise Problem(409, "no-webhooks", detail)
        return self._safe

    async def get(self, who: Who) -> Standing:
        """Show the reader's webhook, and how far it has been told."""
        return Standing(**_fields(await self._hook(who.subject)))

    async def put(self, place: Place, who: Who) -> Subscribed:
        """Set the address. It hears what comes from now on, or goes on after what was heard."""
        await self._reachable(place.url)
        secrets, now = rotated((), clock.now()), clock.now()
        closed = self.safe.close(who.subject, secrets)
        async with self.core.pool.acquire() as db, db.transaction():
            if await roster.reader(db, who.subject) is None:
                raise Problem(404, "not-found", "You are not on the roster.")
            fresh = await webhooks.put(db, who.subject, place.url, closed, now)
        secret = secrets[0].secret if fresh else None
        return Subscribed(**_fields(await self._hook(who.subject)), secret=secret)

    async def rotate(self, who: Who) -> Subscribed:
        """Make a new secret. The one before it signs too for another day."""
        now = clock.now()
        async with self.core.pool.acquire() as db, db.transaction():
            closed = await webhooks.lock(db, who.subject)
            if closed is None:
                raise _none()
            secrets = rotated(self.safe.open(who.subject, closed), now)
            await webhooks.rotate(db, who.subject, self.safe.close(who.subject, secrets), now)
        return Subscribed(**_fields(await self._hook(who.subject)), secret=secrets[0].secret)

    async def delete(self, who: Who) -> None:
        """Tell that system nothing more."""
        async with self.core.pool.acquire() as db:
            await webhooks.drop(db, who.subject)

    async def failing(self, who: Operator) -> tuple[Failing, ...]:  # noqa: ARG002 - authorises
        """List the webhooks whose last attempt failed, those that were given up first."""
        async with self.core.pool.acquire() as db:
            hooks = await webhooks.failing(db, SHOWN)
        return tuple(Failing(**_fields(one), reader=one.reader) for one in hooks)

    async def _hook(self, reader: ReaderId) -> Hook:
        async with self.core.pool.acquire() as db:
            hook = await webhooks.find(db, reader)
        if hook is None:
            raise _none()
        return hook

    async def _reachable(self, url: str) -> None:
        """Refuse at once what every attempt would refuse. A name may come to exist later."""
        target = httpx.URL(url)
        port = target.port or (443 if target.scheme == "https" else 80)
        try:
            found = await checked(target.host, port, self.allowed)
        except NameUnknownError:
            found = ()
        except AddressRefusedError:
            raise _refused("The address leads into a private network.") from None
        if target.scheme != "https" and not all(is_allowed(one, self.allowed) for one in found):
            raise _refused("Only https:// is allowed there.")


def _none() -> Problem:
    return Problem(404, "not-found", "You have no webhook.")


def _refused(detail: str) -> Problem:
    return Problem(422, "invalid-request", detail, "#/url")


def _fields(hook: Hook) -> dict[str, object]:
    return {
        "url": hook.url,
        "last_event_id": str(hook.after),
        "failed_attempts": hook.attempts,
        "cause": hook.cause,
        "next_attempt_at": hook.next_at if hook.cause and not hook.stopped else None,
        "stopped": hook.stopped,
    }

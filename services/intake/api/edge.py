"""What does every route need, and on whose behalf does it act?"""

import re
from dataclasses import dataclass

from services.intake.domain.state import State
from services.intake.gateways.attach import Attacher
from services.intake.gateways.digests import Digests
from services.intake.settings import Settings
from services.intake.store import partners
from services.intake.store.partners import Terms
from shared.runtime.auth import Principal
from shared.runtime.errors import Problem
from shared.runtime.objects import ObjectStore
from shared.runtime.sandbox import Sandbox
from shared.runtime.service import Core

_OPAQUE = re.compile(r"[A-Za-z0-9:._-]{1,64}")


@dataclass(frozen=True)
class Edge:
    """The parts behind intake's routes."""

    core: Core[State]
    settings: Settings
    objects: ObjectStore
    sandbox: Sandbox
    attacher: Attacher

    def digests(self, partner: str) -> Digests:
        return Digests(self.settings.digest_bytes, partner)

    async def partner(self, who: Principal) -> tuple[str, Terms]:
        """Give the caller's tenant and its terms, or refuse a tenant nobody set up."""
        async with self.core.pool.acquire() as db:
            terms = await partners.find(db, who.partner)
        if terms is None:
            raise Problem(
                403,
                "unknown-partner",
                "The token's tenant is no partner here. Ask the operator to set it up "
                "(PUT /v1/admin/partners/{id}).",
            )
        return who.partner, terms


def sees(who: Principal) -> str | None:
    """Give whose cases the caller may see: the token's tenant, or (None) an operator all."""
    return None if "operator" in who.scopes else who.partner


def opaque(subject: str, digests: Digests) -> str:
    """Give the subject as an id fit for events; one with other characters becomes a digest."""
    if _OPAQUE.fullmatch(subject):
        return subject
    return digests.of("subject", subject)

"""What may an operator do? Set partners up, reject what can't be read, see what waits."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.intake.api.answers import Answer, Taken
from services.intake.api.edge import Edge
from services.intake.api.once import Asking, once
from services.intake.domain.inputs import RejectCase
from services.intake.store import arrivals, partners
from services.intake.store.partners import Terms
from shared.contracts.base import CaseId, PartnerId
from shared.contracts.intake import MissingItem
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.http import idempotency_key

Operator = Annotated[Principal, Depends(require("operator"))]
Key = Annotated[str, Depends(idempotency_key)]


class Reason(BaseModel):
    """Why a case can't be read. The partner and everybody behind us will see it: no patient."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    detail: str = Field(min_length=1, max_length=500)


class Rejection(BaseModel):
    """All reasons of a rejection."""

    model_config = ConfigDict(extra="forbid")

    reasons: tuple[Reason, ...] = Field(min_length=1, max_length=20)


class Unannounced(Answer):
    """A study that came and that no case announced. `study` is a keyed digest."""

    partner: PartnerId
    study: str
    transmissions: int
    since: AwareDatetime


def router(edge: Edge) -> APIRouter:
    routes = APIRouter(prefix="/v1/admin", tags=["operators"])

    @routes.put("/partners/{partner}")
    async def put_partner(
        partner: Annotated[PartnerId, Path()], terms: Terms, who: Operator
    ) -> Terms:
        """Set a partner up, or change its terms; they count from the next request on."""
        async with edge.core.pool.acquire() as db:
            await partners.put(db, partner, terms, who.subject, clock.now())
        return terms

    @routes.get("/partners/{partner}")
    async def get_partner(partner: Annotated[PartnerId, Path()], who: Operator) -> Terms:  # noqa: ARG001 - the scope is what counts
        """Read a partner's terms."""
        async with edge.core.pool.acquire() as db:
            terms = await partners.find(db, partner)
        if terms is None:
            raise Problem(404, "not-found", "There is no such partner.")
        return terms

    @routes.post("/cases/{case_id}/reject", status_code=202)
    async def reject_case(case_id: UUID, asked: Rejection, who: Operator, key: Key) -> Taken:
        """Say that a case which is not yet accepted can't be read."""
        owner = f"operator:{who.subject}"
        digests = edge.digests(owner)
        body = digests.of("body", "reject", str(case_id), asked.model_dump_json())
        reasons = tuple(MissingItem(**one.model_dump()) for one in asked.reasons)

        async def reject() -> RejectCase:
            return RejectCase(case_id=CaseId(case_id), reasons=reasons)

        return await once(
            edge, Asking(owner, digests.of("key", key), body), CaseId(case_id), reject
        )

    @routes.get("/unannounced")
    async def list_unannounced(who: Operator) -> list[Unannounced]:  # noqa: ARG001 - the scope is what counts
        """List what came and waits for a case, oldest first."""
        async with edge.core.pool.acquire() as db:
            waiting = await arrivals.unannounced(db, None)
        return [
            Unannounced(
                partner=one.partner,
                study=one.study,
                transmissions=one.transmissions,
                since=one.since,
            )
            for one in waiting
        ]

    return routes

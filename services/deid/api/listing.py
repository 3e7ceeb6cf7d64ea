"""What is held, and what is proved? The quarantine's list, a case's items, its certificates."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from services.deid import store
from services.deid.api.desk import CASE, Case, Desk, Operator, look_at
from services.deid.api.schema import (
    CaseItems,
    CaseLine,
    CaseList,
    Certificates,
    instance_line,
    text_line,
)
from services.deid.domain.certificate import Certificate
from services.deid.domain.state import Failed

PAGE = 50
Cursor = Annotated[int, Query(ge=0, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=500)]


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(tags=["quarantine"])

    @routes.get("/v1/quarantine")
    async def list_cases(_who: Operator, cursor: Cursor = 0, limit: Limit = PAGE) -> CaseList:
        """List cases with items that nobody has decided, the oldest first."""
        async with desk.core.pool.acquire() as db:
            found = await store.waiting(db, cursor, limit)
        more = str(found[-1].seq) if len(found) == limit else None
        return CaseList(cases=[CaseLine.of(case) for case in found], next=more)

    @routes.get(CASE)
    async def list_items(case_id: Case, _who: Operator) -> CaseItems:
        """List what a person decides about in a case, decided or not."""
        state = await desk.known(case_id)
        dossier, decided = state.dossier, state.dossier.decided()
        held = (
            instance_line(one, decided.get(one.item), look_at(case_id, one.item))
            for one in dossier.held
        )
        texts = (text_line(one, look_at(case_id, one.item)) for one in dossier.texts)
        return CaseItems(
            case_id=case_id,
            partner=dossier.partner,
            state=state.kind,
            reason=state.reason if isinstance(state, Failed) else None,
            items=[*held, *texts],
        )

    @routes.get("/v1/cases/{case_id}/certificates", tags=["certificates"])
    async def get_certificates(case_id: Case, _who: Operator) -> Certificates:
        """Read the certificates of the case's clean studies."""
        studies = (await desk.known(case_id)).dossier.clean
        texts = await asyncio.gather(*(desk.vault.text(one.certificate) for one in studies))
        return Certificates(certificates=[Certificate.model_validate_json(one) for one in texts])

    return routes

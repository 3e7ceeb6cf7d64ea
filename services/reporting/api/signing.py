"""How does an opinion leave the reader's hands? Signed, and later added to."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from services.reporting.api.asking import (
    CASE,
    REQUESTS,
    Case,
    Desk,
    Key,
    Reader,
    Seen,
    refused,
)
from services.reporting.api.showing import show
from services.reporting.domain.entries import AddendumEntry
from services.reporting.domain.inputs import AddAddendum, FinalizeReport, RequestAdjudication
from services.reporting.domain.on_signing import NOT_REVEALED, NOT_SIGNED
from services.reporting.domain.signing import addendum_document, report_document
from services.reporting.domain.state import Comparing, Held, Signed
from services.reporting.domain.view import CaseView
from shared.contracts.base import CaseId
from shared.contracts.envelope import derived_id
from shared.contracts.reporting import AdjudicationReason
from shared.decider import Refused
from shared.runtime import clock


class Wish(BaseModel):
    """Why a third reader is to decide."""

    model_config = ConfigDict(extra="forbid")

    why: AdjudicationReason


class Requested(BaseModel):
    """An adjudicator is being looked for."""

    case_id: CaseId
    why: AdjudicationReason


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix=CASE, tags=["report"])

    @routes.post("/finalize")
    async def finalize(
        case_id: Case, who: Reader, key: Key, seen: Seen, response: Response
    ) -> CaseView:
        """Sign: the report is put where it can't change, then the signature is decided."""
        state = await desk.held(case_id, who)
        if not isinstance(state, Signed):
            state = await desk.ask(await _report(desk, case_id, state, seen), key)
        return await show(desk, case_id, state, response)

    @routes.post("/adjudication", status_code=202)
    async def request_adjudication(
        case_id: Case, wish: Wish, who: Reader, key: Key, seen: Seen
    ) -> Requested:
        """Let a third reader decide: the opinion is kept, the case goes to an adjudicator."""
        asked = RequestAdjudication(case_id=case_id, reader=who, revision=seen, why=wish.why)
        await desk.decided(asked, key)
        return Requested(case_id=case_id, why=wish.why)

    @routes.post("/addenda", status_code=201)
    async def add_addendum(
        case_id: Case, entry: AddendumEntry, who: Reader, key: Key, response: Response
    ) -> CaseView:
        """Add to a signed report, which itself stays as it is."""
        state = await desk.held(case_id, who)
        asked = await _addendum(desk, case_id, state, entry, key)
        return await show(desk, case_id, await desk.ask(asked, key), response)

    return routes


async def _report(desk: Desk, case_id: CaseId, state: Held, seen: int | None) -> FinalizeReport:
    if not isinstance(state, Comparing):
        raise refused(NOT_REVEALED)
    signed_at = clock.now()
    document = report_document(case_id, state, signed_at)
    if isinstance(document, Refused):
        raise refused(document)
    return FinalizeReport(
        case_id=case_id,
        reader=state.assignment.reader,
        revision=seen,
        report=await desk.library.keep(case_id, document),
        signed_at=signed_at,
    )


async def _addendum(
    desk: Desk, case_id: CaseId, state: Held, entry: AddendumEntry, key: str
) -> AddAddendum:
    if not isinstance(state, Signed):
        raise refused(NOT_SIGNED)
    who, claims, signed_at = state.assignment.reader, entry.wished(), clock.now()
    document = addendum_document(case_id, state, entry.text, claims, signed_at)
    if isinstance(document, Refused):
        raise refused(document)
    return AddAddendum(
        case_id=case_id,
        reader=who,
        request=derived_id(REQUESTS, who, "addendum", case_id, key),
        text=entry.text,
        claims=claims,
        document=await desk.library.keep(case_id, document),
        signed_at=signed_at,
    )

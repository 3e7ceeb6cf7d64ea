"""How is a signed document read again? Exactly as it was signed, by its signer and operators."""

import base64
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from services.reporting.api.asking import CASE, Case, Desk
from services.reporting.domain.access import NOT_FOUND
from services.reporting.domain.state import Signed
from shared.contracts.base import CaseId, ObjectRef
from shared.runtime.auth import Principal, require
from shared.runtime.http import refusal

ReaderOrOperator = Annotated[Principal, Depends(require("reader", "operator"))]


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix=CASE, tags=["report"])

    @routes.get("/report")
    async def get_report(case_id: Case, who: ReaderOrOperator) -> Response:
        """Read the signed report: exactly the bytes that were signed."""
        state = await _signed(desk, case_id, who)
        return await _document(desk, state.signature.report)

    @routes.get("/addenda/{number}")
    async def get_addendum(
        case_id: Case, number: Annotated[int, Path(ge=1)], who: ReaderOrOperator
    ) -> Response:
        """Read a signed addendum: exactly the bytes that were signed."""
        state = await _signed(desk, case_id, who)
        if number > len(state.addenda):
            raise refusal(NOT_FOUND)
        return await _document(desk, state.addenda[number - 1].document)

    return routes


async def _signed(desk: Desk, case_id: CaseId, who: Principal) -> Signed:
    """Give a signed case to who read it and to operators; to anybody else there is none."""
    state = await desk.core.runner.state(case_id)
    if not isinstance(state, Signed):
        raise refusal(NOT_FOUND)
    regional = {one.assignment.reader for one in state.material.regional}
    if "operator" not in who.scopes and who.subject not in {state.assignment.reader, *regional}:
        raise refusal(NOT_FOUND)
    return state


async def _document(desk: Desk, ref: ObjectRef) -> Response:
    """Answer with the document and its digest (RFC 9530)."""
    digest = base64.b64encode(bytes.fromhex(ref.sha256)).decode()
    headers = {
        "ETag": f'"{ref.sha256}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Cache-Control": "no-store",
    }
    content = await desk.library.signed(ref)
    return Response(content, media_type="application/json", headers=headers)

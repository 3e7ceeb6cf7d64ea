"""What does a reader see? The case as far as it is open to them, and its images."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse

from services.reporting.api.asking import CASE, Case, Desk, Reader
from services.reporting.api.showing import instances, show_whole
from services.reporting.domain.access import NOT_FOUND
from services.reporting.domain.beside import Beside
from services.reporting.domain.state import Held
from services.reporting.domain.view import CaseView
from shared.runtime.http import refusal

# An instance's bytes never change, but who may see them does.
CACHING = "private, max-age=3600, immutable"


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix=CASE, tags=["reading"])

    @routes.get("")
    async def get_case(case_id: Case, who: Reader, response: Response) -> CaseView:
        """See the case. The first report is in it once the opinion is locked and it was opened."""
        return await show_whole(desk, case_id, await desk.held(case_id, who), response)

    @routes.get("/instances/{n}", response_class=StreamingResponse)
    async def get_instance(
        case_id: Case, n: Annotated[int, Path(ge=1)], who: Reader
    ) -> StreamingResponse:
        """Read a clean DICOM instance. A connection that ends early means: ask again."""
        return await instance(desk, await desk.held(case_id, who), n)

    return routes


async def instance(desk: Desk, state: Held | Beside, n: int) -> StreamingResponse:
    """Answer with an instance; raises Problem where there is none of this number."""
    found = await instances(desk, state)
    if n > len(found):
        raise refusal(NOT_FOUND)
    ref = found[n - 1]
    headers = {
        "Content-Length": str(ref.size),
        "ETag": f'"{ref.sha256}"',
        "Cache-Control": CACHING,
    }
    content = desk.library.checked(ref)
    return StreamingResponse(content, media_type="application/dicom", headers=headers)

"""How does software read beside the reader? It sees the images, and gives its opinion once."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from services.reporting.api.asking import CASE, Case, Desk, Reader, refused
from services.reporting.api.seeing import instance
from services.reporting.api.showing import listed, words
from services.reporting.domain.beside import Beside, beside
from services.reporting.domain.canonical import sha256
from services.reporting.domain.entries import SoftwareEntry
from services.reporting.domain.facts import Assignment, Facts
from services.reporting.domain.inputs import AiOpinionReceived
from services.reporting.domain.view import ShownStudy, ShownText, text
from shared.contracts.base import CaseId, Frozen, ReaderId, Sha256
from shared.contracts.intake import DocumentKind
from shared.decider import Refused


class SoftwareView(Frozen):
    """The case as software sees it: never the first report, nor what the reader writes."""

    case_id: CaseId
    assignment: Assignment
    facts: Facts | None
    studies: tuple[ShownStudy, ...]
    clinical_question: ShownText
    history: ShownText
    opinion_sha256: Sha256 | None = None
    received_at: AwareDatetime | None = None


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix=f"{CASE}/ai", tags=["software"])

    @routes.get("")
    async def get_case(case_id: Case, who: Reader, response: Response) -> SoftwareView:
        """See the case: its images, the question, and whether the opinion was given."""
        response.headers["Cache-Control"] = "no-store"
        return await _view(desk, case_id, await _mine(desk, case_id, who))

    @routes.get("/instances/{n}", response_class=StreamingResponse)
    async def get_instance(
        case_id: Case, n: Annotated[int, Path(ge=1)], who: Reader
    ) -> StreamingResponse:
        """Read a clean DICOM instance. A connection that ends early means: ask again."""
        return await instance(desk, await _mine(desk, case_id, who), n)

    @routes.put("/opinion")
    async def put_opinion(
        case_id: Case, entry: SoftwareEntry, who: Reader, response: Response
    ) -> SoftwareView:
        """Give the opinion: it never changes again. The same once more has the same answer.

        The reader sees it beside the first report, once their own opinion is locked.
        """
        said = entry.opinion.opinion()
        asked = AiOpinionReceived(
            case_id=case_id,
            reader=who,
            opinion=said,
            software=entry.software,
            software_version=entry.software_version,
        )
        await desk.decided(asked, sha256(said))
        response.headers["Cache-Control"] = "no-store"
        return await _view(desk, case_id, await _mine(desk, case_id, who))

    return routes


async def _mine(desk: Desk, case_id: CaseId, who: ReaderId) -> Beside:
    found = beside(await desk.core.runner.state(case_id), who)
    if isinstance(found, Refused):
        raise refused(found)
    return found


async def _view(desk: Desk, case_id: CaseId, mine: Beside) -> SoftwareView:
    return SoftwareView(
        case_id=case_id,
        assignment=mine.assignment,
        facts=mine.material.facts,
        studies=await listed(desk, mine, f"/v1/cases/{case_id}/ai"),
        clinical_question=await _text(desk, mine, "clinical_question"),
        history=await _text(desk, mine, "history"),
        opinion_sha256=mine.given.sha256 if mine.given else None,
        received_at=mine.given.received_at if mine.given else None,
    )


async def _text(desk: Desk, mine: Beside, kind: DocumentKind) -> ShownText:
    shown = text(mine, kind)
    if shown.status != "released":
        return shown
    return shown.model_copy(update={"text": await words(desk, mine, kind)})

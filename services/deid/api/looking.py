"""What is held, and how does it look? The quarantine's list, items, pictures and texts."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.deid import store
from services.deid.api.desk import Case, Desk, Item, Operator
from services.deid.api.schema import (
    CaseItems,
    CaseLine,
    CaseList,
    Certificates,
    InstanceLook,
    MarkLine,
    TextLook,
    instance_line,
    text_line,
)
from services.deid.domain.certificate import Certificate
from services.deid.domain.state import Failed, HeldInstance, Text
from services.deid.gateways.picture import frames_of, picture
from services.deid.gateways.suspects import marks_of
from shared.contracts.base import CaseId
from shared.runtime.dicom import UnreadableError
from shared.runtime.errors import Problem

PAGE = 50
Cursor = Annotated[int, Query(alias="cursor", ge=0, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=500)]
CASE = "/v1/quarantine/{case_id}"


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
            instance_line(one, decided.get(one.item), _look(case_id, one.item))
            for one in dossier.held
        )
        texts = (text_line(one, _look(case_id, one.item)) for one in dossier.texts)
        return CaseItems(
            case_id=case_id,
            partner=dossier.partner,
            state=state.kind,
            reason=state.reason if isinstance(state, Failed) else None,
            items=[*held, *texts],
        )

    @routes.get(CASE + "/items/{item}")
    async def look_at_item(case_id: Case, item: Item, who: Operator) -> InstanceLook | TextLook:
        """See what an item is: an image's frames, or a document's text. The look is recorded."""
        found = await desk.item(case_id, item)
        await desk.record_look(case_id, item, who)
        if isinstance(found, Text):
            return await _text(desk, case_id, found)
        return await _instance(desk, case_id, found)

    @routes.get(CASE + "/items/{item}/frames/{n}", response_class=Response)
    async def look_at_frame(
        case_id: Case,
        item: Item,
        n: Annotated[int, Path(ge=1)],
        who: Operator,
        full: Annotated[bool, Query(description="show the whole range of grey values")] = False,  # noqa: FBT002 - a query parameter
    ) -> Response:
        """See one frame as a PNG. The look is recorded."""
        found = await desk.item(case_id, item)
        if isinstance(found, Text):
            raise Problem(404, "not-found", "A document has no frames.")
        await desk.record_look(case_id, item, who, n)
        return Response(await _png(desk, found, n, full=full), media_type="image/png")

    @routes.get("/v1/cases/{case_id}/certificates", tags=["certificates"])
    async def get_certificates(case_id: Case, _who: Operator) -> Certificates:
        """Read the certificates of the case's clean studies."""
        studies = (await desk.known(case_id)).dossier.clean
        texts = await asyncio.gather(*(desk.vault.text(one.certificate) for one in studies))
        return Certificates(certificates=[Certificate.model_validate_json(one) for one in texts])

    return routes


async def _text(desk: Desk, case_id: CaseId, text: Text) -> TextLook:
    content = await desk.vault.text(text.raw)
    studies = (await desk.known(case_id)).dossier.studies
    found = await marks_of(desk.vault, desk.sandbox, studies, content)
    lines = [MarkLine(start=start, end=end) for start, end in found]
    return TextLook(item=text.item, kind=text.kind, text=content, marks=lines)


async def _instance(desk: Desk, case_id: CaseId, held: HeldInstance) -> InstanceLook:
    try:
        async with desk.vault.fetched(held.raw) as path:
            frames = await desk.sandbox.run(frames_of, path)
    except UnreadableError as error:
        raise _no_picture(error) from None
    look = _look(case_id, held.item)
    return InstanceLook(
        item=held.item,
        modality=frames.modality,
        frames=frames.frames,
        rows=frames.rows,
        columns=frames.columns,
        pictures=[f"{look}/frames/{n + 1}" for n in range(frames.frames)],
    )


async def _png(desk: Desk, held: HeldInstance, n: int, *, full: bool) -> bytes:
    try:
        async with desk.vault.fetched(held.raw) as path:
            frames = await desk.sandbox.run(frames_of, path)
            if n > frames.frames:
                raise Problem(404, "not-found", f"The image has {frames.frames} frames.")
            return await desk.sandbox.run(picture, path, n - 1, full=full)
    except UnreadableError as error:
        raise _no_picture(error) from None


def _look(case_id: CaseId, item: str) -> str:
    return f"/v1/quarantine/{case_id}/items/{item}"


def _no_picture(error: UnreadableError) -> Problem:
    return Problem(422, "no-picture", f"The file can't be shown: {error.detail}.")

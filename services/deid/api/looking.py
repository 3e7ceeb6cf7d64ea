"""How does a held item look? Its frames as pictures, its text with marks; each look is recorded."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.deid.api.desk import CASE, Case, Desk, Item, Operator, look_at
from services.deid.api.schema import InstanceLook, SeenBox, TextLook, text_look
from services.deid.domain.state import HeldInstance, Text
from services.deid.gateways.picture import frames_of, picture
from shared.contracts.base import CaseId
from shared.runtime.dicom import UnreadableError
from shared.runtime.errors import Problem

ITEM = "/items/{item}"


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix=CASE + ITEM, tags=["quarantine"])

    @routes.get("")
    async def look_at_item(case_id: Case, item: Item, who: Operator) -> InstanceLook | TextLook:
        """See what an item is: an image's frames, or a document's text. The look is recorded."""
        found = await desk.item(case_id, item)
        await desk.record_look(case_id, item, who)
        if isinstance(found, Text):
            return await _text(desk, case_id, found)
        return await _instance(desk, case_id, found)

    @routes.get("/frames/{n}", response_class=Response)
    async def look_at_frame(  # noqa: PLR0913, PLR0917 - what an HTTP request says
        case_id: Case,
        item: Item,
        n: Annotated[int, Path(ge=1)],
        who: Operator,
        full: Annotated[bool, Query(description="show the whole range of grey values")] = False,  # noqa: FBT002 - a query parameter
        boxes: Annotated[bool, Query(description="outline what was found")] = True,  # noqa: FBT002 - a query parameter
    ) -> Response:
        """See one frame as a PNG. The look is recorded."""
        found = await desk.item(case_id, item)
        if isinstance(found, Text):
            raise Problem(404, "not-found", "A document has no frames.")
        await desk.record_look(case_id, item, who, n)
        return Response(await _png(desk, found, n, full=full, boxes=boxes), media_type="image/png")

    return routes


async def _text(desk: Desk, case_id: CaseId, text: Text) -> TextLook:
    content = await desk.vault.text(text.raw)
    return text_look(text, content, await desk.scrubbed(case_id, content, shift=True))


async def _instance(desk: Desk, case_id: CaseId, held: HeldInstance) -> InstanceLook:
    try:
        async with desk.vault.fetched(held.raw) as path:
            frames = await desk.sandbox.run(frames_of, path)
    except UnreadableError as error:
        raise _no_picture(error) from None
    look = look_at(case_id, held.item)
    return InstanceLook(
        item=held.item,
        modality=frames.modality,
        frames=frames.frames,
        rows=frames.rows,
        columns=frames.columns,
        pictures=[f"{look}/frames/{n + 1}" for n in range(frames.frames)],
        boxes=[SeenBox.of(one) for one in held.places],
    )


async def _png(desk: Desk, held: HeldInstance, n: int, *, full: bool, boxes: bool) -> bytes:
    try:
        async with desk.vault.fetched(held.raw) as path:
            frames = await desk.sandbox.run(frames_of, path)
            if n > frames.frames:
                raise Problem(404, "not-found", f"The image has {frames.frames} frames.")
            shown = [one for one in held.places if boxes and one.placed.on(n - 1)]
            outlines = [(one.kind, one.placed.box) for one in shown]
            return await desk.sandbox.run(picture, path, n - 1, outlines, full=full)
    except UnreadableError as error:
        raise _no_picture(error) from None


def _no_picture(error: UnreadableError) -> Problem:
    return Problem(422, "no-picture", f"The file can't be shown: {error.detail}.")

"""What may go? Operators' decisions about held items, and another try for a failed case."""

from typing import Annotated

from fastapi import APIRouter, Body

from services.deid.api.desk import CASE, Case, Desk, Key, Operator
from services.deid.api.schema import Decide, Decided
from services.deid.domain.inputs import DecideItems, PlanAgain
from services.deid.domain.state import Cancelled, Place, State, Text, Unknown
from services.deid.gateways.picture import frames_of
from shared.contracts.base import CaseId, ObjectRef
from shared.runtime.dicom import UnreadableError
from shared.runtime.errors import Problem


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix=CASE, tags=["quarantine"])

    @routes.post("/decisions")
    async def decide_items(
        case_id: Case, who: Operator, key: Key, wish: Annotated[Decide, Body()]
    ) -> Decided:
        """Release or reject items. The case goes on when its last instance is decided."""
        boxes = await _boxes(desk, case_id, wish)
        content = await _content(desk, case_id, wish)
        asked = DecideItems(
            case_id=case_id,
            items=tuple(wish.items),
            decision=wish.decision,
            reason=wish.reason,
            by=who,
            content=content,
            boxes=boxes,
        )
        return _decided(case_id, await desk.ask(asked, key))

    @routes.post("/retry")
    async def retry_case(case_id: Case, who: Operator, key: Key) -> Decided:
        """Clean a failed or held case again, after what was wrong has been mended."""
        return _decided(case_id, await desk.ask(PlanAgain(case_id=case_id, by=who), key))

    return routes


async def _boxes(desk: Desk, case_id: CaseId, wish: Decide) -> tuple[Place, ...]:
    """What the operator drew, once it is seen to lie on the image's frames."""
    if not wish.boxes:
        return ()
    held = await desk.item(case_id, wish.items[0])
    if isinstance(held, Text) or len(wish.items) != 1:
        raise Problem(422, "boxes-unwanted", "Boxes go with the release of one image.", "#/boxes")
    try:
        async with desk.vault.fetched(held.raw) as path:
            frames = await desk.sandbox.run(frames_of, path)
    except UnreadableError as error:
        raise Problem(422, "no-picture", f"The file can't be shown: {error.detail}.") from None
    for n, box in enumerate(wish.boxes):
        inside = box.left < box.right <= frames.columns and box.top < box.bottom <= frames.rows
        if not inside or (box.frame or 1) > frames.frames:
            size = f"{frames.frames} frames of {frames.rows} rows and {frames.columns} columns"
            raise Problem(422, "box-outside", f"The image has {size}.", f"#/boxes/{n}")
    return tuple(
        Place(
            kind="drawn",
            left=box.left,
            top=box.top,
            right=box.right,
            bottom=box.bottom,
            frame=None if box.frame is None else box.frame - 1,
        )
        for box in wish.boxes
    )


async def _content(desk: Desk, case_id: CaseId, wish: Decide) -> ObjectRef | None:
    """Put the text of a document that is released where readers may see it."""
    dossier = (await desk.known(case_id)).dossier
    texts = [one for one in dossier.texts if one.item in wish.items]
    if wish.decision == "reject" or len(wish.items) != 1 or not texts:
        if wish.text is not None:
            raise Problem(
                422, "text-unwanted", "A text goes with the release of one document.", "#/text"
            )
        return None
    if wish.text is None:
        return await desk.vault.put_text(case_id, await _proposed(desk, case_id, texts[0]))
    if not wish.confirmed:
        await _check(desk, case_id, wish.text)
    return await desk.vault.put_text(case_id, wish.text)


async def _proposed(desk: Desk, case_id: CaseId, document: Text) -> str:
    """The text as the scrubber leaves it, which the operator has seen."""
    raw = await desk.vault.text(document.raw)
    found = await desk.scrubbed(case_id, raw, shift=True)
    if found is None or (raw and not found.text):
        raise Problem(
            422, "text-not-scrubbed", "This text can't be scrubbed: send it edited.", "#/text"
        )
    return found.text


async def _check(desk: Desk, case_id: CaseId, text: str) -> None:
    """Refuse an edited text in which the scrubber still finds somebody."""
    found = await desk.scrubbed(case_id, text, shift=False)
    if found is not None and found.text == text:
        return
    told = found.replacements if found else ()
    left = [one for one in told if one.text != text[one.start : one.end]]
    places = ", ".join(f"{one.start}-{one.end}" for one in left[:10]) or f"0-{len(text)}"
    raise Problem(
        422,
        "text-names-somebody",
        f"The text may still name somebody, at characters {places}: take it out, or send "
        "confirmed if these words mean something else.",
        "#/text",
    )


def _decided(case_id: CaseId, state: State) -> Decided:
    if isinstance(state, Unknown | Cancelled):
        return Decided(case_id=case_id, state=state.kind, waiting=0)
    return Decided(case_id=case_id, state=state.kind, waiting=len(state.dossier.undecided()))

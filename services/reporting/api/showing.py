"""How is a case shown? Its state as far as its reader may see it, with texts and instances."""

from collections.abc import Sequence
from itertools import count

from fastapi import Response

from services.reporting.api.asking import Desk
from services.reporting.domain.beside import Beside
from services.reporting.domain.state import Held
from services.reporting.domain.view import (
    CaseView,
    ShownInstance,
    ShownStudy,
    documents,
    studies,
    view,
)
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.intake import DocumentKind


async def show(desk: Desk, case_id: CaseId, state: Held, response: Response) -> CaseView:
    """Give the view with its texts, and its revision as the ETag."""
    shown = view(case_id, state)
    response.headers["ETag"] = f'"{shown.revision}"'
    response.headers["Cache-Control"] = "no-store"
    changes: dict[str, object] = {}
    for kind in ("clinical_question", "history"):
        text = getattr(shown, kind)
        if text.status == "released":
            said = await words(desk, state, kind)
            changes[kind] = text.model_copy(update={"text": said})
    if shown.first_report and shown.first_report.available:
        said = await words(desk, state, "first_report")
        changes["first_report"] = shown.first_report.model_copy(update={"text": said})
    return shown.model_copy(update=changes)


async def show_whole(desk: Desk, case_id: CaseId, state: Held, response: Response) -> CaseView:
    """Give the view with its instances too: thousands, which no autosave should carry."""
    shown = await show(desk, case_id, state, response)
    studies = await listed(desk, state, f"/v1/cases/{case_id}")
    return shown.model_copy(update={"studies": studies})


async def listed(desk: Desk, state: Held | Beside, at: str) -> tuple[ShownStudy, ...]:
    """List the studies with their instances, which lie under this address."""
    numbers = count(1)
    return tuple(
        ShownStudy(**dict(one), instances=_shown(at, found, numbers))
        for one, found in zip(studies(state), await _by_study(desk, state), strict=True)
    )


async def instances(desk: Desk, state: Held | Beside) -> Sequence[ObjectRef]:
    """Give every clean instance of the case, in the order of their numbers."""
    return [ref for found in await _by_study(desk, state) for ref in found]


async def _by_study(desk: Desk, state: Held | Beside) -> list[tuple[ObjectRef, ...]]:
    return [await desk.library.instances(study) for study in studies(state)]


async def words(desk: Desk, state: Held | Beside, kind: DocumentKind) -> str:
    released = [d.content for d in documents(state, kind) if d.status == "released"]
    return await desk.library.text(*released)


def _shown(at: str, found: Sequence[ObjectRef], numbers: "count[int]") -> tuple[ShownInstance, ...]:
    return tuple(
        ShownInstance(n=n, href=f"{at}/instances/{n}", size=ref.size, sha256=ref.sha256)
        for ref, n in zip(found, numbers, strict=False)
    )

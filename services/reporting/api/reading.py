"""How does a blind opinion come to stand? Start, write, lock."""

from collections.abc import Sequence

from fastapi import APIRouter, Response

from services.reporting.api.asking import CASE, Case, Desk, Key, Needed, Reader, Seen
from services.reporting.api.showing import show
from services.reporting.domain.canonical import sha256
from services.reporting.domain.entries import OpinionEntry
from services.reporting.domain.inputs import LockOpinion, SaveDraft, StartReading
from services.reporting.domain.view import CaseView, ShownComplaint, view
from shared.runtime.errors import Problem, WrongField


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix=CASE, tags=["reading"])

    @routes.post("/start")
    async def start(case_id: Case, who: Reader, key: Key, response: Response) -> CaseView:
        """Open the case: the reading begins."""
        state = await desk.ask(StartReading(case_id=case_id, reader=who), key)
        return await show(desk, case_id, state, response)

    @routes.put("/draft")
    async def put_draft(
        case_id: Case, entry: OpinionEntry, who: Reader, seen: Needed, response: Response
    ) -> CaseView:
        """Save the whole draft. `lint` in the answer is what would keep it from being locked."""
        written = entry.opinion()
        asked = SaveDraft(case_id=case_id, reader=who, revision=seen, opinion=written)
        state = await desk.ask(asked, seen, sha256(written))
        return await show(desk, case_id, state, response)

    @routes.post("/lock")
    async def lock(
        case_id: Case, who: Reader, key: Key, seen: Seen, response: Response
    ) -> CaseView:
        """Let the draft stand as the blind opinion, for good."""
        _demand_sound(view(case_id, await desk.held(case_id, who)).lint)
        state = await desk.ask(LockOpinion(case_id=case_id, reader=who, revision=seen), key)
        return await show(desk, case_id, state, response)

    return routes


def _demand_sound(complaints: Sequence[ShownComplaint]) -> None:
    """Name everything that keeps the draft from being locked, not only the first."""
    if complaints:
        fields = [WrongField(found.detail, pointer=found.field) for found in complaints]
        raise Problem(422, "draft-not-sound", "Mend the draft, then lock it.", errors=fields)

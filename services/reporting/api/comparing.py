"""How does the second read meet the first? Open the first report, compare claim by claim."""

from fastapi import APIRouter, Response

from services.reporting.api.asking import CASE, Case, Desk, Key, Needed, Reader
from services.reporting.api.showing import show
from services.reporting.domain.canonical import sha256
from services.reporting.domain.entries import ComparisonEntry
from services.reporting.domain.inputs import CompareClaims, RevealFirstReport
from services.reporting.domain.view import CaseView


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix=CASE, tags=["reading"])

    @routes.post("/reveal")
    async def reveal(case_id: Case, who: Reader, key: Key, response: Response) -> CaseView:
        """Open the first report, or learn that there is none."""
        state = await desk.ask(RevealFirstReport(case_id=case_id, reader=who), key)
        return await show(desk, case_id, state, response)

    @routes.put("/comparison")
    async def put_comparison(
        case_id: Case, entry: ComparisonEntry, who: Reader, seen: Needed, response: Response
    ) -> CaseView:
        """Say what the first report claims, and put each claim of both reads into one pair.

        The answer shows what follows: a verdict per pair, the case's, and both scores.
        """
        said = entry.comparison()
        asked = CompareClaims(case_id=case_id, reader=who, revision=seen, comparison=said)
        state = await desk.ask(asked, seen, sha256(said))
        return await show(desk, case_id, state, response)

    return routes

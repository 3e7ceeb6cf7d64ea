"""How do images come in? STOW-RS (PS3.18 section 10.5): each instance is taken or refused alone.

An instance that is taken lies in the vault and is filed, and the case that waits for it knows,
before the sender gets an answer. One that is refused says why; the others are not affected.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from services.intake.api.description import STOW, STOW_ANSWERS
from services.intake.api.edge import Edge
from services.intake.api.multipart import MEDIA_TYPE, Part, boundary_of, parts
from services.intake.api.schema import Uid
from services.intake.api.verdicts import (
    Failed,
    Kept,
    Verdict,
    refused,
    response,
    status,
    unreadable,
)
from services.intake.gateways import instances
from services.intake.gateways.digests import Digests
from services.intake.gateways.instances import Facts
from services.intake.gateways.vault import put_instance
from services.intake.store import arrivals
from services.intake.store.arrivals import Stored, Study
from services.intake.store.partners import Terms
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.dicom import Limits, UnreadableError
from shared.runtime.errors import Problem
from shared.runtime.failpoints import failpoint

Who = Annotated[Principal, Depends(require("partner"))]


def router(edge: Edge) -> APIRouter:
    routes = APIRouter(prefix="/dicomweb", tags=["images"])

    @routes.post("/studies", openapi_extra=STOW, responses=STOW_ANSWERS)
    async def store(request: Request, who: Who) -> Response:
        """Store instances of any studies."""
        return await _store(edge, request, who, None)

    @routes.post("/studies/{study}", openapi_extra=STOW, responses=STOW_ANSWERS)
    async def store_study(request: Request, study: Uid, who: Who) -> Response:
        """Store instances of one study; those of others are refused."""
        return await _store(edge, request, who, study)

    return routes


async def _store(edge: Edge, request: Request, who: Principal, study_uid: str | None) -> Response:
    _check_accept(request.headers.get("accept", "*/*"))
    partner, terms = await edge.partner(who)
    boundary = boundary_of(request.headers.get("content-type", ""))
    with TemporaryDirectory(prefix="overread-stow-", dir=edge.settings.spool) as folder:
        storing = _Storing(edge, edge.digests(partner), terms, study_uid, {})
        body = parts(request.stream(), boundary, Path(folder), edge.settings.instance_bytes)
        verdicts: list[Verdict] = []
        async for part in body:
            if len(verdicts) >= edge.settings.instances_at_once:
                raise Problem(413, "body-too-large", "Send fewer instances in one request.")
            verdicts.append(await storing.judge(part))
            await to_thread.run_sync(part.path.unlink)
    if not verdicts:
        raise Problem(400, "malformed-multipart", "The body holds no part.")
    await failpoint("intake.stored")
    settled = await storing.file(verdicts)
    await failpoint("intake.settled")
    return JSONResponse(response(settled), status(settled), media_type="application/dicom+json")


def _check_accept(accept: str) -> None:
    accepted = {one.split(";")[0].strip().lower() for one in accept.split(",")}
    if not accepted & {"*/*", "application/*", "application/json", "application/dicom+json"}:
        raise Problem(406, "not-acceptable", "The answer is application/dicom+json: accept it.")


@dataclass(frozen=True)
class _Storing:
    """One request's work. `wanted` keeps what open cases expect of each study, asked once."""

    edge: Edge
    digests: Digests
    terms: Terms
    study_uid: str | None
    wanted: dict[tuple[str, str | None], set[str]]

    async def judge(self, part: Part) -> Verdict:
        """Look at one part and, if nothing speaks against it, put it into the vault."""
        if part.media_type not in ("", MEDIA_TYPE):
            return refused("other_media_type")
        if part.too_large or not part.whole:
            return refused("too_large" if part.too_large else "cut_off")
        try:
            facts = await self._facts(part.path)
        except UnreadableError as error:
            return unreadable(error.reason, error.detail)
        against = await self._objection(facts)
        if against:
            return against
        holding = self.digests.holding(facts.study.study)
        return Kept(facts, await put_instance(self.edge.objects, holding, part.path))

    async def _facts(self, path: Path) -> Facts:
        limits = Limits(file=self.edge.settings.instance_bytes)
        issuer = self.terms.patient_issuer
        return await instances.read(self.edge.sandbox, limits, path, self.digests, issuer)

    async def _objection(self, facts: Facts) -> Failed | None:
        if self.study_uid is not None and facts.study_uid != self.study_uid:
            return refused("other_study", facts)
        if not facts.study.patient:
            return refused("no_patient_id", facts)
        wanted = await self._patients(facts.study)
        if wanted and facts.study.patient not in wanted:
            return refused("wrong_patient", facts)
        return None

    async def _patients(self, study: Study) -> set[str]:
        """Give whose this study must be: nobody's in particular while no case announced it."""
        key = study.study, study.accession
        if key not in self.wanted:
            async with self.edge.core.pool.acquire() as db:
                self.wanted[key] = await arrivals.patients(db, self.digests.partner, *key)
        return self.wanted[key]

    async def file(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """File what was kept, study by study, and hand it to the cases that wait for it."""
        groups: dict[Study, list[Stored]] = defaultdict(list)
        for one in verdicts:
            if isinstance(one, Kept):
                groups[one.facts.study].append(Stored(one.facts.sop, one.content))
        filed: dict[str, str] = {}
        for study, stored in groups.items():
            async with self.edge.core.pool.acquire() as db:
                filed |= await arrivals.file(db, self.digests.partner, study, stored, clock.now())
        await failpoint("intake.filed")
        for name in sorted({study.study for study in groups}):
            await self.edge.attacher.of_study(self.digests.partner, name)
        return [_settled(one, filed) for one in verdicts]


def _settled(verdict: Verdict, filed: Mapping[str, str]) -> Verdict:
    """Refuse after all what lost its name to other content."""
    if isinstance(verdict, Kept) and filed[verdict.facts.sop] != verdict.content.sha256:
        return refused("conflict", verdict.facts)
    return verdict

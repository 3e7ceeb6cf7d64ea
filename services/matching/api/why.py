"""Why does this reader have the case, and why has nobody? For operations, decision by decision."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from services.matching.domain.chosen import Chosen
from services.matching.domain.reader import Reader
from services.matching.domain.replay import replay
from services.matching.domain.state import Matching
from services.matching.domain.why import Advice, Because, Scored, What, advise
from services.matching.store import decisions, roster
from services.matching.store.decisions import Kept
from shared.contracts.base import Code, OpaqueId, ReaderId
from shared.contracts.matching import Explanation, Ineligible
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.service import Core

LAST: Final = 2**62

Who = Annotated[Principal, Depends(require("operator"))]


class Rejected(BaseModel):
    """A reader who may not read the case, with the first constraint that excludes them."""

    reader: ReaderId
    constraint: Code
    says: str


class Replayed(BaseModel):
    """The decision made again from what was kept. `differs` names what came out otherwise."""

    same: bool
    differs: tuple[str, ...]


class Reason(BaseModel):
    """One decision. `advice` says what would help where nobody fitted.

    `chosen`: the reader had asked for the next case. The best of those they could have had, and
    those that were held back for somebody else. `because`: nothing was weighed, but somebody or a
    rule decided; then there is nothing to replay.
    """

    seq: int
    at: AwareDatetime
    outcome: Literal["offered", "nobody"] | What
    assignment: OpaqueId | None
    reader: ReaderId | None
    policy: Code
    explanation: Explanation | None
    candidates: tuple[Scored, ...]
    rejected: tuple[Rejected, ...]
    excluded: tuple[Ineligible, ...]
    advice: tuple[Advice, ...]
    chosen: Chosen | None = None
    because: Because | None = None
    replayed: Replayed | None


class Reasons(BaseModel):
    """A case's decisions, the newest first. `next` is the cursor of the older ones."""

    case_id: UUID
    decisions: tuple[Reason, ...]
    next: int | None


def router(core: Core[Matching]) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["operators"])

    @routes.get("/cases/{case_id}/why")
    async def why(
        case_id: UUID,
        who: Who,  # noqa: ARG001 - authorises
        before: Annotated[int, Query(ge=1, le=LAST)] = LAST,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Reasons:
        """Say why: candidates with scores by term, the rejected with their constraint, a replay."""
        async with core.pool.acquire() as db:
            kept = await decisions.of_case(db, case_id, before, limit)
            if not kept and not await decisions.known(db, case_id):
                raise Problem(404, "not-found", "There is no such case.")
            versions = {
                one: await roster.of_version(db, one) for one in {*map(_version, kept)} - {""}
            }
        shown = tuple(_shown(one, versions.get(_version(one), {})) for one in kept)
        more = kept[-1].seq if len(kept) == limit else None
        return Reasons(case_id=case_id, decisions=shown, next=more)

    return routes


def _version(kept: Kept) -> str:
    """Give the digest of the roster that was asked; nothing where nobody was."""
    considered = kept.decision.considered
    return considered.roster if considered else ""


def _shown(kept: Kept, readers: Mapping[ReaderId, Reader]) -> Reason:
    decision, again = kept.decision, replay(kept.decision, readers)
    explanation, considered, because = decision.explanation, decision.considered, decision.because
    outcome: Literal["offered", "nobody"] = "offered" if decision.reader else "nobody"
    nobody = considered is not None and decision.reader is None
    return Reason(
        seq=kept.seq,
        at=kept.decided_at,
        outcome=because.what if because else outcome,
        assignment=decision.assignment,
        reader=decision.reader,
        policy=considered.policy if considered else because.what if because else "",
        explanation=explanation,
        candidates=considered.candidates if considered else (),
        rejected=tuple(
            Rejected(reader=name, constraint=by.name, says=by.says) for name, by in again.rejected
        ),
        excluded=explanation.excluded if explanation else decision.why,
        advice=advise(considered, readers) if considered and nobody else (),
        chosen=decision.chosen,
        because=because,
        replayed=Replayed(same=not again.differs, differs=again.differs) if considered else None,
    )

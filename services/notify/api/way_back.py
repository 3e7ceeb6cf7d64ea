"""May an operator learn what something was called at the hospital? Yes, and it is written down."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.notify.domain.state import State, dossier_of
from services.notify.gateways.result import Purpose
from services.notify.gateways.way_back import NoWayBackError, WaysBack
from shared.contracts.base import CaseId
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.service import Core

MOST = 1000
Operator = Annotated[Principal, Depends(require("operator"))]
# A new UID, or the pseudonym of an accession number: neither names anybody.
NewName = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9.]{1,64}$")]


class Asked(BaseModel):
    """Which new names, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[NewName, ...] = Field(min_length=1, max_length=MOST)
    reason: Literal["partner_asked", "safety", "quality", "support"]


class Originals(BaseModel):
    """Old names by new ones; what is not known is left out."""

    case_id: UUID
    originals: dict[str, str]


@dataclass(frozen=True)
class WayBackEdge:
    """The handler and what it needs."""

    core: Core[State]
    ways_back: WaysBack

    async def originals(
        self, case_id: UUID, asked: Asked, who: Operator, response: Response
    ) -> Originals:
        """Give what the hospital called these UIDs and accession numbers; each use is recorded."""
        dossier = dossier_of(await self.core.runner.state(CaseId(case_id)))
        if dossier is None:
            raise Problem(404, "not-found", "There is no such case.")
        purpose = Purpose(who=who.subject, why=f"originals:{asked.reason}")
        try:
            found = await self.ways_back.originals(CaseId(case_id), dossier, asked.names, purpose)
        except NoWayBackError as error:
            raise Problem(503, "unavailable", MEND[error.cause]) from None
        response.headers["cache-control"] = "no-store"
        return Originals(case_id=case_id, originals=found)


MEND = {
    "map-corrupt": "The map is not what deid wrote: restore the object in sealed/.",
    "map-unreadable": "No key of NOTIFY_PRIVATE_KEYS opens the map: bring the older key back.",
}


def router(core: Core[State], ways_back: WaysBack) -> APIRouter:
    edge = WayBackEdge(core, ways_back)
    routes = APIRouter(tags=["operator"])
    routes.post("/v1/admin/cases/{case_id}/originals")(edge.originals)
    return routes

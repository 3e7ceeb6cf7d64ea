"""Which files are in force, and why is a newer one not?"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel

from services.matching.gateways.reload import Watched
from shared.runtime.auth import Principal, require

Who = Annotated[Principal, Depends(require("operator"))]


class File(BaseModel):
    """A file of the configuration. `faults`: why its present content is refused, line by line."""

    name: str
    in_force_since: AwareDatetime
    refused: bool
    faults: tuple[str, ...]


def router(files: Sequence[Watched[Any]]) -> APIRouter:
    routes = APIRouter(prefix="/v1/operations", tags=["operators"])

    @routes.get("/files")
    async def watched(who: Who) -> tuple[File, ...]:  # noqa: ARG001 - authorises
        """Show the configuration's files; a refused one leaves the old one in force."""
        return tuple(
            File(
                name=one.name,
                in_force_since=one.in_force_since,
                refused=bool(one.faults),
                faults=one.faults,
            )
            for one in files
        )

    return routes

"""How does a hospital's directory reach the roster? As a FHIR Bundle, checked whole."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ValidationError

from services.matching.domain.reader import Reader
from services.matching.domain.state import Matching
from services.matching.gateways import fhir
from services.matching.store import calendars, roster
from shared.contracts.base import ReaderId
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.http import invalid
from shared.runtime.service import Core

BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/fhir+json": {"schema": {"type": "object"}}},
    }
}
Who = Annotated[Principal, Depends(require("operator"))]


class NotTaken(BaseModel):
    """An entry of the Bundle that changed nobody."""

    pointer: str
    detail: str


class Taken(BaseModel):
    """The readers whose records changed, and the entries that matched nobody."""

    changed: tuple[ReaderId, ...]
    unmatched: tuple[NotTaken, ...]


def router(core: Core[Matching]) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["operators"])

    @routes.post("/admin/fhir", openapi_extra=BODY)
    async def take_over(request: Request, who: Who) -> Taken:
        """Lay a Bundle (PractitionerRole, Practitioner, Schedule, Slot) over the roster, whole."""
        try:
            bundle = fhir.parsed(await request.body())
        except ValidationError as error:
            raise invalid(error) from None
        now, changed = clock.now(), []
        async with core.pool.acquire() as db, db.transaction():
            laid = fhir.laid_over(bundle, await roster.readers(db))
            for reader_id in sorted(laid.changes):
                known = await calendars.lock(db, reader_id)
                after = _changed(known, laid, reader_id)
                if known is not None and after != known:
                    await roster.put(db, after, now)
                    text = after.model_dump_json()
                    await roster.record(db, who.subject, f"reader:{reader_id}", text, now)
                    changed.append(reader_id)
        unmatched = (
            NotTaken(pointer=f"#/entry/{one.entry}", detail=one.why) for one in laid.unmatched
        )
        return Taken(changed=tuple(changed), unmatched=tuple(unmatched))

    return routes


def _changed(known: Reader | None, laid: fhir.Laid, reader_id: ReaderId) -> Reader:
    fields = {} if known is None else known.model_dump()
    try:
        return Reader.model_validate(fields | laid.changes[reader_id])
    except ValidationError as error:
        raise invalid(error, at=f"#/entry/{laid.entries[reader_id]}") from None

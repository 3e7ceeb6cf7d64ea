"""Who looks, at which case, and is it written down? What all of deid's routes share."""

from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path
from pydantic import TypeAdapter, ValidationError

from services.deid import store
from services.deid.domain.decide import DEID
from services.deid.domain.inputs import DecideItems, PlanAgain
from services.deid.domain.on_review import NOT_FOUND
from services.deid.domain.on_sources import glance
from services.deid.domain.state import Cancelled, HeldInstance, Known, State, Text, Unknown
from services.deid.domain.text.kinds import Scrubbed
from services.deid.gateways.naming import KeyGoneError
from services.deid.gateways.vault import Vault
from services.deid.performers import Cleaning
from shared.contracts.base import CaseId, OpaqueId
from shared.contracts.envelope import derived_id
from shared.decider import Refused
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.http import idempotency_key, refusal
from shared.runtime.sandbox import Sandbox
from shared.runtime.service import Core

# Ids of what operators ask of deid are derived under this name.
REQUESTS = UUID("0d3a9be4-5f52-5c0c-8a2a-6b1f6a1c7d02")
_OPERATORS: TypeAdapter[OpaqueId] = TypeAdapter(OpaqueId)


def operator(who: Annotated[Principal, Depends(require("operator"))]) -> OpaqueId:
    """Give the token's subject: it is written down with each look and decision."""
    try:
        return _OPERATORS.validate_python(who.subject)
    except ValidationError:
        raise Problem(403, "not-an-operator", "The token's subject is no operator's id.") from None


CASE = "/v1/quarantine/{case_id}"
Case = Annotated[CaseId, Path(description="the case's id")]
Item = Annotated[OpaqueId, Path(description="the held item, from the case's list")]
Operator = Annotated[OpaqueId, Depends(operator)]
Key = Annotated[str, Depends(idempotency_key)]


@dataclass(frozen=True)
class Desk:
    """What the routes work with."""

    core: Core[State]
    vault: Vault
    sandbox: Sandbox
    reading: Cleaning

    async def known(self, case_id: CaseId) -> Known:
        """Give a case that has something in deid; raises Problem 404 for any other."""
        state = await self.core.runner.state(case_id)
        if isinstance(state, Unknown | Cancelled):
            raise refusal(NOT_FOUND)
        return state

    async def item(self, case_id: CaseId, item: OpaqueId) -> HeldInstance | Text:
        """Give a held instance or a document of the case."""
        dossier = (await self.known(case_id)).dossier
        things: tuple[HeldInstance | Text, ...] = (*dossier.held, *dossier.texts)
        for one in things:
            if one.item == item:
                return one
        raise Problem(404, "not-found", "No item of this name is held here.")

    async def scrubbed(self, case_id: CaseId, text: str, *, shift: bool) -> Scrubbed | None:
        """Say what of a text of the case names somebody; None when it can't be scrubbed."""
        plan = glance(case_id, (await self.known(case_id)).dossier)
        try:
            return await self.reading.read(plan, text, shift=shift)
        except KeyGoneError:
            raise Problem(
                409,
                "pseudonym-key-missing",
                "The key that named this case is missing: bring it back to DEID_KEYS.",
            ) from None

    async def record_look(
        self, case_id: CaseId, item: OpaqueId, by: OpaqueId, frame: int | None = None
    ) -> None:
        """Write down who looks before anything is shown."""
        look = store.Look(case_id, item, frame, by, clock.now())
        async with self.core.pool.acquire() as db:
            await store.record_look(db, look)

    async def ask(self, asked: DecideItems | PlanAgain, *key: object) -> State:
        """Have an input decided, once per key; raises Problem when it is refused.

        It is tried on the state as it stands first, so that a refusal does not use up the key.
        """
        now = clock.now()
        before = await self.core.runner.state(asked.case_id)
        _raise(DEID.step(before, asked, now).refused)
        input_id = derived_id(REQUESTS, asked.by, type(asked).__name__, asked.case_id, *key)
        outcome = await self.core.runner.submit(asked, input_id=input_id)
        _raise(outcome.refused)
        return outcome.state


def look_at(case_id: CaseId, item: OpaqueId) -> str:
    """Where an item is looked at."""
    return f"/v1/quarantine/{case_id}/items/{item}"


def _raise(refused: Refused | None) -> None:
    if refused is not None:
        field = f"#{refused.field}" if refused.field else None
        raise refusal(replace(refused, field=field))

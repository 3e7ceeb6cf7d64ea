"""How does the same request, sent again, get the same answer and have no second effect?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from uuid import UUID

from services.intake.api.answers import Taken, taken
from services.intake.api.edge import Edge
from services.intake.domain.state import Known, Unknown
from services.intake.gateways.digests import NAMESPACE
from services.intake.store import requests
from services.intake.store.requests import Made
from shared.contracts.base import CaseId
from shared.contracts.envelope import derived_id
from shared.decider import Refused
from shared.runtime import clock
from shared.runtime.errors import Problem
from shared.runtime.failpoints import failpoint
from shared.runtime.http import refusal
from shared.runtime.jobs import HasCase


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: whose, by which key, and a keyed digest of what it asks.

    `pointer` is where the data stand in the body, for the refusal's field.
    """

    owner: str
    key: str
    body: str
    pointer: str = "#"

    def input_id(self, made: Made) -> UUID:
        """Give the same id for the same request; a refused key used anew is another request."""
        made_at = made.made_at.isoformat()
        return derived_id(NAMESPACE, self.owner, self.key, self.body, made_at)


async def once(
    edge: Edge, asking: Asking, case_id: CaseId, to_input: Callable[[], Awaitable[HasCase]]
) -> Taken:
    """Submit an input once per key and body, and keep the answer.

    Raises Problem 409 when the key was used for something else.
    """
    async with edge.core.pool.acquire() as db:
        made = await requests.take(db, asking.owner, asking.key, asking.body, clock.now())
    if made.body != asking.body:
        raise Problem(
            409,
            "key-reused",
            "This key was used for another request. Send each new request with a key (event id "
            "or Idempotency-Key) of its own.",
        )
    if made.answer is not None:
        return Taken.model_validate(made.answer)
    state = await _submitted(edge, asking, made, to_input)
    answer = taken(case_id, state)
    await failpoint("intake.concluded")
    async with edge.core.pool.acquire() as db:
        kept = await requests.answer(db, asking.owner, asking.key, answer.model_dump(mode="json"))
    return Taken.model_validate(kept)


async def _submitted(
    edge: Edge, asking: Asking, made: Made, to_input: Callable[[], Awaitable[HasCase]]
) -> Known:
    """Submit; a refusal had no effect and frees the key for the mended request."""
    try:
        received = await to_input()
        await failpoint("intake.taken")
        outcome = await edge.core.runner.submit(received, input_id=asking.input_id(made))
        await failpoint("intake.decided")
        if outcome.refused:
            raise refusal(_pointed(outcome.refused, asking.pointer))
    except Problem as problem:
        if problem.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            await _release(edge, asking)
        raise
    await edge.attacher.of_case(received.case_id)
    state = await edge.core.runner.state(received.case_id)
    if isinstance(state, Unknown):  # a refusal whose answer a crash swallowed
        await _release(edge, asking)
        raise Problem(503, "unavailable", "Send it again.", headers={"Retry-After": "1"})
    return state


async def _release(edge: Edge, asking: Asking) -> None:
    async with edge.core.pool.acquire() as db:
        await requests.release(db, asking.owner, asking.key, asking.body)


def _pointed(refused: Refused, pointer: str) -> Refused:
    return replace(refused, field=f"{pointer}{refused.field}") if refused.field else refused

"""Who asks, what did they see, and did they ask before? What all of reporting's routes share."""

import re
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path
from pydantic import TypeAdapter, ValidationError

from services.reporting.domain.access import held
from services.reporting.domain.decide import REPORTING
from services.reporting.domain.inputs import FromReader
from services.reporting.domain.state import Held, State
from services.reporting.gateways import Library
from shared.contracts.base import CaseId, ReaderId
from shared.contracts.envelope import derived_id
from shared.decider import Refused
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem, WrongField
from shared.runtime.http import idempotency_key, refusal
from shared.runtime.service import Core

READERS: TypeAdapter[ReaderId] = TypeAdapter(ReaderId)
# Ids of what people ask of reporting are derived under this name.
REQUESTS = UUID("b3d5c7a2-6a0e-5d4c-9a54-0c0a8f1a6e01")


def reader(who: Annotated[Principal, Depends(require("reader"))]) -> ReaderId:
    """Give the token's subject, which is the reader's id."""
    try:
        return READERS.validate_python(who.subject)
    except ValidationError:
        raise Problem(403, "not-a-reader", "The token's subject is no reader's id.") from None


def seen_revision(
    if_match: Annotated[str | None, Header(description='the ETag that was read, e.g. "3"')] = None,
) -> int | None:
    """Give the revision that the asker has seen, where they say so."""
    if if_match is None:
        return None
    found = re.fullmatch(r'"(\d{1,9})"', if_match.strip())
    if found is None:
        raise _about_if_match(400, "bad-if-match", 'Give the ETag that was read, as in "3".')
    return int(found[1])


def needed_revision(seen: Annotated[int | None, Depends(seen_revision)]) -> int:
    """Demand to know what the asker has seen, because it will be replaced."""
    if seen is None:
        detail = "Say which revision this replaces: the ETag that was read."
        raise _about_if_match(428, "if-match-missing", detail)
    return seen


CASE = "/v1/cases/{case_id}"
Case = Annotated[CaseId, Path(description="the case's id")]
Key = Annotated[str, Depends(idempotency_key)]
Reader = Annotated[ReaderId, Depends(reader)]
Seen = Annotated[int | None, Depends(seen_revision)]
Needed = Annotated[int, Depends(needed_revision)]


@dataclass(frozen=True)
class Desk:
    """What the routes work with."""

    core: Core[State]
    library: Library

    async def held(self, case_id: CaseId, who: ReaderId) -> Held:
        """Give the case to the reader who holds it; raises Problem for anybody else."""
        return self._mine(await self.core.runner.state(case_id), who)

    async def ask(self, asked: FromReader, *key: object) -> Held:
        """Have an input decided, once per key; raises Problem when it is refused.

        It is tried on the state as it stands first, so that a refusal does not use up the key:
        what is refused now can be asked again, under the same key, when its time has come.
        """
        return self._mine(await self.decided(asked, *key), asked.reader)

    async def decided(self, asked: FromReader, *key: object) -> State:
        """Have an input decided likewise, of which the reader may lose the case."""
        answer_or_raise(await self.core.runner.state(asked.case_id), asked)
        name = type(asked).__name__
        input_id = derived_id(REQUESTS, asked.reader, name, asked.case_id, *key)
        outcome = await self.core.runner.submit(asked, input_id=input_id)
        if outcome.refused is not None:
            raise refused(outcome.refused)
        if outcome.duplicate and answer_or_raise(outcome.state, asked):
            detail = "This key was used when the case stood otherwise; ask again with a new one."
            raise Problem(409, "key-spent", detail)
        state: State = outcome.state
        return state

    def _mine(self, state: State, who: ReaderId) -> Held:
        mine = held(state, who)
        if isinstance(mine, Refused):
            raise refused(mine)
        return mine


def answer_or_raise(state: State, asked: FromReader) -> bool:
    """Say whether asking would change anything; raises Problem when it would be refused."""
    answers = REPORTING.decide(state, asked, clock.now())
    for answer in answers:
        if isinstance(answer, Refused):
            raise refused(answer)
    return bool(answers)


def refused(answer: Refused) -> Problem:
    """Give the Problem for a refusal; a stale revision is what 412 was made for."""
    if answer.code == "stale_revision":
        return _about_if_match(412, "stale-revision", answer.detail)
    field = f"#{answer.field}" if answer.field else None
    return refusal(replace(answer, field=field))


def _about_if_match(status: int, code: str, detail: str) -> Problem:
    return Problem(status, code, detail, errors=[WrongField(detail, parameter="If-Match")])

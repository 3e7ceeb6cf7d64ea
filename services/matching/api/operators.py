"""What may an operator do? Keep the roster and the contracts, and see every clock."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel

from services.matching.domain.contract import Contract
from services.matching.domain.reader import Reader
from services.matching.domain.stages import CaseStage
from services.matching.domain.state import Matching
from services.matching.store import board, contracts, roster
from services.matching.store.board import START, Line, Position
from shared.contracts.base import PartnerId, ReaderId
from shared.runtime import clock
from shared.runtime.auth import Principal, require
from shared.runtime.errors import Problem
from shared.runtime.service import Core

LARGEST_PAGE: Final = 500

Who = Annotated[Principal, Depends(require("operator"))]
Partner = Annotated[PartnerId, Path()]
Name = Annotated[ReaderId, Path()]
Running = Literal["in_time", "at_risk", "breached", "paused"]


class BoardLine(BaseModel):
    """One case's clock."""

    case_id: UUID
    partner: PartnerId
    service_level: str
    assignment: str
    stage: CaseStage
    clock: Running
    at_risk: bool
    breached: bool
    due_at: AwareDatetime


class BoardGroup(BaseModel):
    """How many clocks of a stage stand alike."""

    stage: CaseStage
    clock: Running
    cases: int
    next_due_at: AwareDatetime | None


class Board(BaseModel):
    """A page of running clocks, the most urgent first. `next` gives the following page."""

    cases: tuple[BoardLine, ...]
    summary: tuple[BoardGroup, ...]
    next: str | None


def router(core: Core[Matching]) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["operators"])
    office = Office(core)
    routes.get("/admin/readers/{reader_id}")(office.get_reader)
    routes.put("/admin/readers/{reader_id}")(office.put_reader)
    routes.get("/admin/contracts/{partner}")(office.get_contract)
    routes.put("/admin/contracts/{partner}")(office.put_contract)
    routes.get("/board")(office.board)
    return routes


class Office:
    """The routes; each method's docstring is the route's description."""

    def __init__(self, core: Core[Matching]) -> None:
        self.core = core

    async def get_reader(self, reader_id: Name, who: Who) -> Reader:  # noqa: ARG002 - authorises
        """Give the roster's record of a reader."""
        async with self.core.pool.acquire() as db:
            found = await roster.reader(db, reader_id)
        if found is None:
            raise Problem(404, "not-found", "The roster has no such reader.")
        return found

    async def put_reader(self, reader_id: Name, reader: Reader, who: Who) -> Reader:
        """Add or change a reader. Offers that no longer fit are withdrawn at once."""
        if reader.id != reader_id:
            raise Problem(422, "invalid-request", "The id is not that of the address.", "#/id")
        now = clock.now()
        async with self.core.pool.acquire() as db, db.transaction():
            await roster.put(db, reader, now)
            after = reader.model_dump_json()
            await roster.record(db, who.subject, f"reader:{reader.id}", after, now)
        return reader

    async def get_contract(self, partner: Partner, who: Who) -> Contract:  # noqa: ARG002 - authorises
        """Give a partner's service levels; those that are missing have the default terms."""
        async with self.core.pool.acquire() as db:
            found = await contracts.one(db, partner)
        if found is None:
            raise Problem(404, "not-found", "This partner has the default contract.")
        return found

    async def put_contract(self, partner: Partner, contract: Contract, who: Who) -> Contract:
        """Set a partner's terms. They hold for cases accepted, or changed in level, from now on."""
        if contract.partner != partner:
            detail = "The partner is not that of the address."
            raise Problem(422, "invalid-request", detail, "#/partner")
        now = clock.now()
        async with self.core.pool.acquire() as db, db.transaction():
            await contracts.put(db, contract, now)
            after = contract.model_dump_json()
            await roster.record(db, who.subject, f"contract:{partner}", after, now)
        return contract

    async def board(
        self,
        who: Who,  # noqa: ARG002 - authorises
        partner: PartnerId | None = None,
        standing: Annotated[Running | None, Query(alias="clock")] = None,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100,
    ) -> Board:
        """Show running clocks, the most urgent first, and how many stand how in each stage."""
        after = START if cursor is None else _position(cursor)
        async with self.core.pool.acquire() as db:
            lines = await board.board(db, partner, standing, after, limit)
            groups = await board.summary(db)
        return Board(
            cases=tuple(map(_shown, lines)),
            summary=tuple(
                BoardGroup(
                    stage=one.stage,
                    clock=one.standing,
                    cases=one.cases,
                    next_due_at=one.next_due_at,
                )
                for one in groups
            ),
            next=_cursor(lines[-1]) if len(lines) == limit else None,
        )


def _shown(line: Line) -> BoardLine:
    return BoardLine(
        case_id=line.case_id,
        partner=line.partner,
        service_level=line.service_level,
        assignment=line.assignment,
        stage=line.stage,
        clock=line.standing,
        at_risk=line.at_risk,
        breached=line.breached,
        due_at=line.due_at,
    )


def _cursor(line: Line) -> str:
    return base64.urlsafe_b64encode(f"{line.due_at.isoformat()} {line.case_id}".encode()).decode()


def _position(cursor: str) -> Position:
    try:
        due_at, case_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        return Position(datetime.fromisoformat(due_at), UUID(case_id))
    except (binascii.Error, ValueError):
        raise Problem(422, "invalid-request", "The cursor is none of ours: leave it out.") from None

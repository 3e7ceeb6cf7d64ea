"""What does the optimiser see? The waiting and the held cases, each read again when it changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from asyncpg import Record

from services.matching.domain.reader import Reader
from services.matching.domain.recall import Held, held
from services.matching.domain.rivals import Silent, silent
from services.matching.domain.staff import Staff, staffed
from services.matching.domain.state import Matching, Running, going
from services.matching.domain.track import Track
from services.matching.domain.waiting import Waiting, waiting
from services.matching.store import roster, tracks
from shared.contracts.base import ReaderId
from shared.runtime.postgres import Db

# The cases that want a reader asked.
WAITING = "SELECT case_id, revision, touched FROM cases WHERE wants_reader"
# Those of them that changed since, and a few that may have become visible late.
STIRRED = "SELECT case_id, revision, touched FROM cases WHERE wants_reader AND touched > $1"
# The cases that somebody holds.
HELD = """
    SELECT case_id, revision, touched FROM cases WHERE case_id IN (
        SELECT case_id FROM assignments WHERE standing IN ('offered', 'assigned'))
"""
# The cases of which somebody thinks.
OFFERED = """
    SELECT case_id, revision, touched FROM cases WHERE case_id IN (
        SELECT case_id FROM assignments WHERE standing = 'offered')
"""
STATES = "SELECT case_id, revision, state FROM cases WHERE case_id = ANY($1::uuid[])"
# Who looks at these has seen all that began to wait up to the highest number.
NEWS: Final = (WAITING, STIRRED)
# A number drawn this long ago by a transaction that is still open is found by the next whole look.
OVERLAP: Final = 200
TRACKED_EVERY: Final = timedelta(minutes=1)
# One leader at a time, for as long as its session lives.
LEAD = "SELECT pg_try_advisory_lock(hashtextextended('optimise', 0))"
# A leader that was stopped must not keep the others out: the server ends its silent session.
ONLY_WHILE_AWAKE = "SET idle_session_timeout = '30s'"


async def lead(db: Db) -> bool:
    """Become the leader with this connection, if nobody is."""
    leads: bool = await db.fetchval(LEAD)
    if leads:
        await db.execute(ONLY_WHILE_AWAKE)
    return leads


@dataclass(frozen=True, slots=True)
class Seen:
    """A case as it was at a revision."""

    revision: int
    waiting: tuple[Waiting, ...]
    held: tuple[Held, ...]
    silent: tuple[Silent, ...] = ()


@dataclass(slots=True)
class World:
    """What the leader remembers between rounds. Only the revision decides what is read again.

    So a look at thousands of waiting cases reads ids and numbers, and the states of the few that
    changed.
    """

    _roster_revision: int = -1
    version: str = ""
    staff: Staff = field(default_factory=lambda: Staff({}))
    _roster: dict[ReaderId, Reader] = field(default_factory=dict)
    _seen: dict[UUID, Seen] = field(default_factory=dict)
    _concerned: dict[str, frozenset[UUID]] = field(default_factory=dict)
    _touched: int = 0
    _tracks: dict[ReaderId, Track] = field(default_factory=dict)
    _tracked_at: datetime | None = None

    @property
    def readers(self) -> Mapping[ReaderId, Reader]:
        """The roster as it was last read."""
        return self._roster

    async def roster(self, db: Db) -> tuple[dict[ReaderId, Reader], bool]:
        """Give the roster, and whether it has changed."""
        revision = await roster.revision(db)
        changed = revision != self._roster_revision
        if changed:
            self._roster = await roster.readers(db)
            self.staff = staffed(self._roster)
            self.version = await roster.version(db)
            self._roster_revision = revision
        return self._roster, changed

    async def tracks(self, db: Db, now: datetime, *, changed: bool) -> dict[ReaderId, Track]:
        """Give the track records; they are counted again now and then, and for a new roster."""
        if changed or self._tracked_at is None or now - self._tracked_at >= TRACKED_EVERY:
            self._tracks = await tracks.tracks(db, self._roster.values(), now)
            self._tracked_at = now
        return self._tracks

    async def waiting(self, db: Db) -> list[Waiting]:
        """Give all that wait."""
        every, _ = await self._look(db, WAITING)
        return [each for one in every for each in one.waiting]

    async def stirred(self, db: Db) -> list[Waiting]:
        """Give those that began to wait, or wait for something else, since the last look."""
        _, fresh = await self._look(db, STIRRED, self._touched - OVERLAP)
        return [each for one in fresh for each in one.waiting]

    async def held(self, db: Db) -> list[Held]:
        every, _ = await self._look(db, HELD)
        return [held for one in every for held in one.held]

    async def silent(self, db: Db) -> list[Silent]:
        """Give those that have asked as many as they may, and wait for an answer."""
        every, _ = await self._look(db, OFFERED)
        return [each for one in every for each in one.silent]

    def forget(self) -> None:
        """Drop the cases that nobody waits for or holds any more."""
        concerned = frozenset[UUID]().union(*self._concerned.values())
        self._seen = {case_id: self._seen[case_id] for case_id in concerned & self._seen.keys()}

    async def _look(self, db: Db, query: str, *values: int) -> tuple[list[Seen], list[Seen]]:
        """Give what the query finds, and the part of it that is new."""
        rows = await db.fetch(query, *values)
        self._concerned[query] = frozenset(row["case_id"] for row in rows)
        if query in NEWS:
            self._touched = max([self._touched, *(row["touched"] for row in rows)])
        stale = [row["case_id"] for row in rows if not self._knows(row)]
        known = await tracks.seen_by(db, stale) if stale else {}
        for row in await db.fetch(STATES, stale) if stale else ():
            state, case_id = Matching.model_validate_json(row["state"]), row["case_id"]
            self._seen[case_id] = _seen(row["revision"], state, known.get(case_id, frozenset()))
        every = [self._seen[one] for one in self._concerned[query] if one in self._seen]
        return every, [self._seen[one] for one in stale if one in self._seen]

    def _knows(self, row: Record) -> bool:
        seen = self._seen.get(row["case_id"])
        return seen is not None and seen.revision == row["revision"]


def _seen(revision: int, state: Matching, known: frozenset[ReaderId]) -> Seen:
    due_at = state.clock.due_at if isinstance(state.clock, Running) else None
    wanted = waiting(state.assignment, due_at) if due_at else ()
    terms = clock.terms if (clock := going(state.clock)) else None
    return Seen(
        revision,
        tuple(replace(one, seen_by=known) for one in wanted),
        tuple(held(state.assignment, due_at, terms)),
        silent(state.assignment, due_at, known) if due_at else (),
    )

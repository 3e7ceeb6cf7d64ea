"""Was every event handled once, and in order? A sixth service that forgives nothing.

The five deciders shrug at a repetition, so a broken runner might go unseen behind them. This one
writes down each event it is told, rings for each of them by a timer, counts intake's by jobs, some
of whose first performers outlive their lease, and meets a bug in some cases until it is mended.
Two replicas of it run, so that one case's events are handled by both at once.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, Field
from pydantic_settings import SettingsConfigDict

from shared.contracts.base import CaseId, DeadlineReached, Event, Frozen
from shared.contracts.intake import CaseSubmitted
from shared.contracts.topics import EVENTS, SERVICES
from shared.decider import Deadline, Decider, Job
from shared.runtime import jobs
from shared.runtime.handle import Change
from shared.runtime.jobs import ClaimedJob
from shared.runtime.postgres import Db
from shared.runtime.service import Core, Edges, Service, run
from shared.runtime.settings import ServiceSettings, read

NAME = "bookkeeper"
RING_AFTER = timedelta(seconds=1)
# Shorter than a slow performance, so that there are zombies; longer than a worker's pause
# (jobs.IDLE_SECONDS), so that somebody has taken the job meanwhile.
LEASE = timedelta(seconds=0.5)
SLOW_SECONDS = 3.0
# One job in so many is slow at first, and one case in so many meets the bug.
SLOW_ONE_IN = 8
BUG_MEETS_ONE_IN = 3

LOAD = "SELECT case_id, book FROM books WHERE case_id = ANY($1::uuid[])"
SAVE = """
    INSERT INTO books (case_id, book) SELECT * FROM unnest($1::uuid[], $2::jsonb[])
    ON CONFLICT (case_id) DO UPDATE SET book = excluded.book
"""


class Book(Frozen):
    """What was noted about one case."""

    entries: tuple[str, ...] = ()
    ring_at: Mapping[str, AwareDatetime] = Field(default_factory=dict)
    rings: int = 0
    counts: int = 0


class Noted(Event):
    """An event was heard; private, as are the two below."""

    entry: str
    ring_at: AwareDatetime


class Rang(Event):
    """A deadline came."""

    kind: str


class Counted(Event):
    """The case's job was done."""


class Count(Frozen):
    """An input: what the performer found out."""

    case_id: CaseId


class Unmended(Exception):  # noqa: N818 - the state of the code, so to speak
    """The bug that some cases meet while the flag stands."""


class Settings(ServiceSettings):
    """Read by the bookkeeper only."""

    model_config = SettingsConfigDict(env_prefix="BOOKKEEPER_")

    bug: Path = Field(description="a file: while it exists, some cases meet a bug")


def entry(event: Event) -> str:
    """Name an event by its publisher and its content: the same on both sides."""
    content = f"{event.ce_type()} {event.model_dump_json()}".encode()
    return f"{event.publisher()}:{hashlib.sha256(content).hexdigest()[:16]}"


def meets_bug(case_id: CaseId) -> bool:
    return case_id.int % BUG_MEETS_ONE_IN == 0


def decider(bug: Path) -> Decider[Book, Any, Any]:
    def decide(_: Book, received: Any, now: datetime) -> list[Event]:
        match received:
            case DeadlineReached():
                return [Rang(case_id=received.case_id, kind=received.kind)]
            case Count():
                return [Counted(case_id=received.case_id)]
            # The first of intake's events: the later ones of its topic must not overtake it.
            case CaseSubmitted() if meets_bug(received.case_id) and bug.exists():
                raise Unmended
            case _:
                at = now + RING_AFTER
                return [Noted(case_id=received.case_id, entry=entry(received), ring_at=at)]

    return Decider(Book(), decide, evolve, deadlines, asked)


def evolve(book: Book, event: Any) -> Book:
    match event:
        case Rang():
            left = {kind: at for kind, at in book.ring_at.items() if kind != event.kind}
            return book.model_copy(update={"ring_at": left, "rings": book.rings + 1})
        case Counted():
            return book.model_copy(update={"counts": book.counts + 1})
        case _:
            entries = (*book.entries, event.entry)
            ring_at = {**book.ring_at, f"ring-{len(entries)}": event.ring_at}
            return book.model_copy(update={"entries": entries, "ring_at": ring_at})


def deadlines(book: Book) -> list[Deadline]:
    return [Deadline(kind, at) for kind, at in book.ring_at.items()]


def asked(event: Any) -> list[Job]:
    from_intake = isinstance(event, Noted) and event.entry.startswith("intake:")
    return [Job("count")] if from_intake else []


async def perform(job: ClaimedJob) -> Count:
    if job.attempt == 1 and job.id.int % SLOW_ONE_IN == 0:
        await asyncio.sleep(SLOW_SECONDS)
    return Count(case_id=job.case_id)


async def load(db: Db, cases: Sequence[CaseId]) -> Mapping[CaseId, Book]:
    rows = await db.fetch(LOAD, list(cases))
    return {CaseId(row["case_id"]): Book.model_validate_json(row["book"]) for row in rows}


async def save(db: Db, changes: Sequence[Change[Book]]) -> None:
    books = [one.state.model_dump_json() for one in changes]
    await db.execute(SAVE, [one.case_id for one in changes], books)


def edges(_: Core[Book]) -> Edges:
    return Edges(performers={"count": perform})


def service(bug: Path) -> Service[Book]:
    return Service(
        name=NAME,
        title="The storm's bookkeeper",
        decider=decider(bug),
        load=load,
        save=save,
        listens={
            name: [kind for kind in EVENTS.values() if kind.publisher() == name]
            for name in SERVICES
        },
        edges=edges,
        migrations=Path(__file__).parent / "migrations",
    )


if __name__ == "__main__":
    jobs.LEASE = LEASE
    settings = read(Settings)
    run(service(settings.bug), settings)

"""What does the storm's ledger say? Every loss, doubled effect and disorder, by the check."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from shared.contracts import intake, matching, reporting
from shared.contracts.topics import EVENTS
from shared.testing.storm.audit import Appended
from shared.testing.storm.bookkeeper import Book, entry

# What happens to a case of the storm exactly once.
ONCE = (
    intake.CaseSubmitted,
    intake.CaseAccepted,
    matching.CaseOpened,
    matching.ClockStarted,
    matching.AssignmentAccepted,
    reporting.OpinionLocked,
    reporting.ReportFinalized,
)


@dataclass(frozen=True)
class Published:
    """A record as any consumer may read it."""

    topic: str
    partition: int
    offset: int
    event_id: UUID
    type: str
    case_id: UUID
    value: bytes

    @property
    def publisher(self) -> str:
        return self.topic.rpartition(".")[2]


@dataclass(frozen=True)
class Evidence:
    """All that is known after the storm."""

    cases: Sequence[UUID]
    published: Sequence[Published]
    appended: Sequence[Appended]
    known: Mapping[str, set[UUID]]
    listens: Mapping[str, set[str]]
    books: Mapping[UUID, str]
    results: Mapping[UUID, int]
    left: Mapping[str, int]
    absorbed: int
    unset: Sequence[UUID] = ()


@dataclass
class Ledger:
    """The verdict. Each finding is a check's name and what it found, ids only."""

    accepted: int = 0
    finished: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    absorbed: int = 0
    events: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    seconds_to_drain: float = 0.0

    @property
    def flaws(self) -> list[str]:
        """Why this storm has failed; empty when it has not."""
        none = [] if self.absorbed else ["absorbed: no duplicate, so nothing was tried"]
        return [*self.lost, *self.doubled, *self.disordered, *none]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "flaws": self.flaws}


def balanced(evidence: Evidence) -> Ledger:
    """Hold what was committed, published, handled and delivered against each other."""
    first = first_occurrences(evidence.published)
    again = len(evidence.published) - len(first)
    return Ledger(
        accepted=len(evidence.cases),
        finished=sum(evidence.results.get(case, 0) > 0 for case in evidence.cases),
        lost=[
            *_undelivered(evidence),
            *_unpublished(evidence, first),
            *_unhandled(evidence, first),
            *_missing_in_books(evidence, first),
            *_without_deadlines(evidence),
            *_unfinished(evidence),
        ],
        doubled=[
            *_delivered_twice(evidence),
            *_decided_twice(first),
            *_changed(evidence.published),
            *_doubled_in_books(evidence, first),
        ],
        disordered=[*_overtaken(evidence, first), *_disordered_in_books(evidence, first)],
        absorbed=evidence.absorbed + again,
        events=len(first),
    )


def first_occurrences(published: Iterable[Published]) -> list[Published]:
    """Drop repetitions: an event published again has the same id."""
    found: dict[UUID, Published] = {}
    for one in published:
        found.setdefault(one.event_id, one)
    return list(found.values())


def _undelivered(evidence: Evidence) -> Iterator[str]:
    for case in evidence.cases:
        if not evidence.results.get(case):
            yield f"delivery: case {case} has no result"


def _delivered_twice(evidence: Evidence) -> Iterator[str]:
    for case, count in evidence.results.items():
        if count > 1:
            yield f"delivery: case {case} has {count} results"


def _unpublished(evidence: Evidence, first: Sequence[Published]) -> Iterator[str]:
    there = {one.event_id for one in first}
    for one in evidence.appended:
        if one.event_id not in there:
            yield f"outbox: {one.type} {one.event_id} was committed and never published"


def _unhandled(evidence: Evidence, first: Sequence[Published]) -> Iterator[str]:
    for service, wanted in evidence.listens.items():
        for one in first:
            if one.type in wanted and one.event_id not in evidence.known[service]:
                yield f"inbox: {service} never handled {one.type} {one.event_id}"


def _unfinished(evidence: Evidence) -> Iterator[str]:
    for what, count in evidence.left.items():
        if count:
            yield f"rest: {count} left in {what}"


def _decided_twice(first: Sequence[Published]) -> Iterator[str]:
    once = {kind.ce_type() for kind in ONCE}
    counts = Counter((one.case_id, one.type) for one in first if one.type in once)
    for (case, kind), count in counts.items():
        if count > 1:
            yield f"decisions: {kind} of case {case} was decided {count} times"


def _changed(published: Sequence[Published]) -> Iterator[str]:
    """One id must always mean one event."""
    contents: dict[UUID, set[bytes]] = defaultdict(set)
    for one in published:
        contents[one.event_id].add(one.type.encode() + one.value)
    for event_id, values in contents.items():
        if len(values) > 1:
            yield f"decisions: {event_id} names {len(values)} different events"


def _overtaken(evidence: Evidence, first: Sequence[Published]) -> Iterator[str]:
    """Each case's events stand in its topic in the order in which they were committed."""
    turn = {(one.service, one.event_id): one.seq for one in evidence.appended}
    last: dict[tuple[str, UUID], int] = {}
    for one in first:
        seq = turn.get((one.publisher, one.event_id), 0)
        if seq < last.get((one.publisher, one.case_id), 0):
            yield f"order: {one.type} {one.event_id} was overtaken in {one.topic}"
        last[one.publisher, one.case_id] = max(seq, last.get((one.publisher, one.case_id), 0))


@dataclass(frozen=True)
class _Kept:
    """A case's book beside what it should say, by publisher."""

    case_id: UUID
    book: Book
    told: dict[str, list[str]]

    def noted(self, publisher: str) -> list[str]:
        return [one for one in self.book.entries if one.startswith(f"{publisher}:")]


def _kept(evidence: Evidence, first: Sequence[Published]) -> Iterator[_Kept]:
    told: dict[UUID, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in first:
        event = EVENTS[one.type].model_validate_json(one.value)
        told[one.case_id][one.publisher].append(entry(event))
    for case, by_publisher in told.items():
        book = evidence.books.get(case)
        yield _Kept(case, Book.model_validate_json(book) if book else Book(), by_publisher)


def _missing_in_books(evidence: Evidence, first: Sequence[Published]) -> Iterator[str]:
    for kept in _kept(evidence, first):
        for publisher, told in kept.told.items():
            missing = sum((Counter(told) - Counter(kept.noted(publisher))).values())
            if missing:
                yield f"books: {missing} events of {publisher} missing for case {kept.case_id}"
        if kept.book.rings < len(kept.book.entries) or not kept.book.entries:
            yield f"books: a deadline of case {kept.case_id} never came"
        if kept.book.counts < len(kept.told["intake"]):
            yield f"books: a job of case {kept.case_id} was never done"


def _without_deadlines(evidence: Evidence) -> Iterator[str]:
    """A crash right then would have lost them, whether or not this storm had one."""
    for case in evidence.unset:
        yield f"deadlines: a book of case {case} was committed without them"


def _doubled_in_books(evidence: Evidence, first: Sequence[Published]) -> Iterator[str]:
    for kept in _kept(evidence, first):
        for publisher, told in kept.told.items():
            extra = sum((Counter(kept.noted(publisher)) - Counter(told)).values())
            if extra:
                yield f"books: {extra} events of {publisher} too many for case {kept.case_id}"
        if kept.book.rings > len(kept.book.entries):
            yield f"books: a deadline of case {kept.case_id} came twice"
        if kept.book.counts > len(kept.told["intake"]):
            yield f"books: a job of case {kept.case_id} was counted twice"


def _disordered_in_books(evidence: Evidence, first: Sequence[Published]) -> Iterator[str]:
    for kept in _kept(evidence, first):
        for publisher, told in kept.told.items():
            noted = kept.noted(publisher)
            if Counter(noted) == Counter(told) and noted != told:
                yield f"books: events of {publisher} in another order for case {kept.case_id}"

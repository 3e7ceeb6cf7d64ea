"""Does the storm's ledger see each kind of loss, doubled effect and disorder, and none in calm?"""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from shared.contracts.base import CaseId, Event
from shared.contracts.deid import DeidentificationFailed
from shared.contracts.envelope import derived_id
from shared.contracts.intake import InformationProvided
from shared.contracts.matching import CaseOpened
from shared.testing.storm import ledger
from shared.testing.storm.audit import Appended
from shared.testing.storm.bookkeeper import Book, entry
from shared.testing.storm.ledger import Evidence, Published, balanced

CASE = CaseId(UUID("0e2f7a2e-6c1c-5b7e-8f57-1d2f0c9a4b11"))
TOLD: list[Event] = [
    InformationProvided(case_id=CASE, partner="north"),
    InformationProvided(case_id=CASE, partner="south"),
    DeidentificationFailed(case_id=CASE, partner="north", reason="pixels"),
]


def published(event: Event, number: int) -> Published:
    topic = f"overread.{event.publisher()}"
    name = derived_id(CASE, "event", number)
    content = event.model_dump_json().encode()
    return Published(topic, 0, number, name, event.ce_type(), CASE, content)


RECORDS = [published(event, number) for number, event in enumerate(TOLD)]
CALM = Evidence(
    cases=[CASE],
    published=RECORDS,
    appended=[
        Appended(one.publisher, n, one.event_id, CASE, one.type) for n, one in enumerate(RECORDS, 1)
    ],
    known={"deid": {one.event_id for one in RECORDS[:2]}},
    listens={"deid": {InformationProvided.ce_type()}},
    books={
        CASE: Book(entries=tuple(map(entry, TOLD)), rings=3, counts=2).model_dump_json(),
    },
    results={CASE: 1},
    left={"outbox": 0, "parked": 0},
    absorbed=3,
)


def book(**changes: object) -> Callable[[Evidence], Evidence]:
    base = Book(entries=tuple(map(entry, TOLD)), rings=3, counts=2)
    return lambda one: replace(one, books={CASE: base.model_copy(update=changes).model_dump_json()})


LOST: dict[str, tuple[Callable[[Evidence], Evidence], str]] = {
    "no result came": (lambda one: replace(one, results={}), "delivery"),
    "never published": (lambda one: replace(one, published=RECORDS[:2]), "outbox"),
    "never handled": (lambda one: replace(one, known={"deid": set()}), "inbox"),
    "not in the books": (book(entries=tuple(map(entry, TOLD[:2])), rings=2), "books"),
    "no book at all": (lambda one: replace(one, books={}), "books"),
    "no deadline": (book(rings=2), "books"),
    "no job": (book(counts=1), "books"),
    "a state without its deadlines": (lambda one: replace(one, unset=[CASE]), "deadlines"),
    "something left": (lambda one: replace(one, left={"jobs": 2}), "rest"),
}
DOUBLED: dict[str, tuple[Callable[[Evidence], Evidence], str]] = {
    "two results": (lambda one: replace(one, results={CASE: 2}), "delivery"),
    "twice in the books": (book(entries=tuple(map(entry, [*TOLD, TOLD[0]])), rings=4), "books"),
    "two rings": (book(rings=4), "books"),
    "a job twice": (book(counts=3), "books"),
    "one id, two events": (
        lambda one: replace(one, published=[*RECORDS, replace(RECORDS[0], value=RECORDS[1].value)]),
        "decisions",
    ),
}


def test_a_calm_sea_has_no_flaw() -> None:
    drawn = balanced(CALM)

    assert drawn.flaws == []
    assert (drawn.accepted, drawn.finished, drawn.events, drawn.absorbed) == (1, 1, 3, 3)


@pytest.mark.parametrize("name", LOST)
def test_each_loss_is_seen(name: str) -> None:
    spoil, check = LOST[name]

    drawn = balanced(spoil(CALM))

    assert {flaw.partition(":")[0] for flaw in drawn.lost} == {check}


@pytest.mark.parametrize("name", DOUBLED)
def test_each_doubled_effect_is_seen(name: str) -> None:
    spoil, check = DOUBLED[name]

    drawn = balanced(spoil(CALM))

    assert {flaw.partition(":")[0] for flaw in drawn.doubled} == {check}
    assert drawn.lost == []


def test_what_is_decided_twice_is_seen() -> None:
    opened = CaseOpened(case_id=CASE, partner="north", role="second_reader")
    twice = [published(opened, number) for number in (7, 8)]

    assert len(list(ledger._decided_twice(twice))) == 1
    assert list(ledger._decided_twice(twice[:1])) == []


def test_a_repetition_is_absorbed_and_no_flaw() -> None:
    drawn = balanced(replace(CALM, published=[*RECORDS, RECORDS[0]]))

    assert drawn.flaws == []
    assert drawn.absorbed == CALM.absorbed + 1


def test_an_overtaken_event_is_seen_in_its_topic() -> None:
    drawn = balanced(replace(CALM, published=[RECORDS[1], RECORDS[0], RECORDS[2]]))

    assert any(flaw.startswith("order:") for flaw in drawn.disordered)


def test_another_order_in_the_books_is_seen() -> None:
    swapped = [TOLD[1], TOLD[0], TOLD[2]]

    drawn = balanced(book(entries=tuple(map(entry, swapped)))(CALM))

    assert drawn.lost == drawn.doubled == []
    assert [flaw.partition(":")[0] for flaw in drawn.disordered] == ["books"]


def test_a_storm_that_tried_nothing_has_failed() -> None:
    drawn = balanced(replace(CALM, absorbed=0))

    assert [flaw.partition(":")[0] for flaw in drawn.flaws] == ["absorbed"]


def test_events_across_publishers_may_come_in_any_order() -> None:
    drawn = balanced(book(entries=tuple(map(entry, [TOLD[2], TOLD[0], TOLD[1]])))(CALM))

    assert drawn.flaws == []

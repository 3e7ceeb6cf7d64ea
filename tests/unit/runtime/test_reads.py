"""Grouped reads: few queries, each answer as fresh as its question, a bad case alone at fault."""

import asyncio
from collections.abc import Collection, Mapping
from uuid import UUID

import pytest

from shared.contracts.base import CaseId
from shared.runtime.reads import QUERIES, Reads

CASES = [CaseId(UUID(int=n)) for n in range(50)]


class Table:
    """A table with a door: queries wait until it is open."""

    def __init__(self) -> None:
        self.version = 0
        self.queries: list[list[CaseId]] = []
        self.open = asyncio.Event()

    async def load(self, cases: Collection[CaseId]) -> Mapping[CaseId, int]:
        self.queries.append(list(cases))
        found = self.version
        await self.open.wait()
        if CASES[13] in cases:
            raise ValueError("a state that nobody can read")
        return dict.fromkeys(cases, found)


async def test_who_asks_while_queries_run_shares_the_next_one() -> None:
    table = Table()
    reads = Reads(table.load)

    early = [asyncio.create_task(reads.one(CASES[n])) for n in range(QUERIES)]
    await asyncio.sleep(0.01)

    late = [asyncio.create_task(reads.one(case)) for case in CASES[20:]]
    await asyncio.sleep(0.01)
    table.open.set()
    await asyncio.gather(*early, *late)

    assert [case for query in table.queries[:-1] for case in query] == CASES[:QUERIES]
    assert table.queries[-1] == CASES[20:]


async def test_an_answer_is_never_older_than_its_question() -> None:
    table = Table()
    reads = Reads(table.load)
    early = [asyncio.create_task(reads.one(CASES[n])) for n in range(QUERIES)]
    await asyncio.sleep(0.01)

    table.version = 1
    late = asyncio.create_task(reads.one(CASES[0]))
    await asyncio.sleep(0.01)
    table.open.set()

    assert await late == 1
    assert await asyncio.gather(*early) == [0] * QUERIES


async def test_one_bad_case_fails_only_who_asked_for_it() -> None:
    table = Table()
    reads = Reads(table.load)
    asking = [asyncio.create_task(reads.one(case)) for case in CASES[:20]]
    await asyncio.sleep(0.01)
    table.open.set()

    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert [n for n, answer in enumerate(answers) if isinstance(answer, ValueError)] == [13]
    assert answers.count(0) == 19


async def test_one_who_leaves_does_not_take_the_answer_along() -> None:
    table = Table()
    reads = Reads(table.load)
    leaving, staying = (asyncio.create_task(reads.one(CASES[0])) for _ in range(2))
    await asyncio.sleep(0.01)

    leaving.cancel()
    table.open.set()

    assert await staying == 0
    with pytest.raises(asyncio.CancelledError):
        await leaving

"""Promise 2: killed between any two steps, everything has happened or nothing, and once."""

import asyncio
import re
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.deid import DeidentificationFailed, DeidentificationPlanned
from shared.runtime import failpoints, timers
from shared.runtime.failpoints import Stumbled
from shared.runtime.feed import incoming
from shared.runtime.handle import Runner
from shared.runtime.postgres import Pool
from shared.runtime.wire import Readable, read
from tests.integration.runtime.broker import everything, tell
from tests.integration.runtime.child import SOON, exit_code, process
from tests.integration.runtime.live import drained, live
from tests.integration.runtime.messages import WANTED, message
from tests.integration.runtime.tally import case, told

ROOT = Path(__file__).parents[3]
POINT = re.compile(r'await failpoint\("([a-z_.]+)"\)')
POINTS = sorted(
    {
        name
        for file in (ROOT / "shared/runtime").rglob("*.py")
        for name in POINT.findall(file.read_text())
    }
)
# replay.* is a person's doing: test_parking.py.
WITHIN = [name for name in POINTS if name.startswith("runner.")]
PASSED = [name for name in POINTS if not name.startswith("replay.")]
ROWS = """
    SELECT (SELECT count(*) FROM tallies), (SELECT count(*) FROM inbox),
           (SELECT count(*) FROM outbox), (SELECT count(*) FROM timers), (SELECT count(*) FROM jobs)
"""
CASES = range(1, 9)
PARTNERS = ("north", "alarm", "work", "ignore", "south")
# "alarm" leads to a deadline and "work" to a job, each of them to one event more.
INPUTS_PER_CASE = len(PARTNERS) + 2
EVENTS_PER_CASE = INPUTS_PER_CASE - 1


def test_no_fail_point_is_forgotten() -> None:
    families = {name.partition(".")[0] for name in POINTS}

    assert families == {"runner", "consumer", "relay", "ticker", "job", "replay"}
    assert len(POINTS) >= 18


@pytest.mark.parametrize("point", WITHIN)
async def test_a_batch_that_stumbles_leaves_all_or_nothing(
    runner: Runner[Any], pool: Pool, point: str
) -> None:
    items = []
    for n, partner in enumerate(("alarm", "work", "north")):
        readable = read(message(told(n, 1, partner), n), WANTED)
        assert isinstance(readable, Readable)
        items.append(incoming(readable))
    failpoints.arm(f"{point}=raise#1")

    with pytest.raises(Stumbled):
        await runner.handle(items)
    left = list(await pool.fetchrow(ROWS) or ())
    await runner.handle(items)
    after = list(await pool.fetchrow(ROWS) or ())

    whole = [3, 3, 3, 1, 1]
    assert left == (whole if point == "runner.committed" else [0, 0, 0, 0, 0])
    assert after == whole


@pytest.mark.parametrize("point", PASSED)
async def test_a_service_that_stumbles_anywhere_has_each_effect_once(
    dsn: str, kafka: str, topics: str, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "HANDLING", SOON)
    passed = asyncio.Event()
    failpoints.arm(f"{point}=raise#1")
    failpoints.watch(point, passed.set)
    await tell(kafka, topics, _story())

    async with live(dsn, kafka, topics) as running:
        await drained(running.pool, len(CASES) * INPUTS_PER_CASE)
        await _each_effect_is_there_once(running.pool, kafka, topics)

    assert passed.is_set()


@pytest.mark.timeout(240)
async def test_a_process_killed_at_every_point_has_each_effect_once(
    dsn: str, pool: Pool, kafka: str, topics: str
) -> None:
    for turn, point in enumerate(PASSED):
        async with process(dsn, kafka, topics, f"{point}=kill#1") as child:
            await tell(kafka, topics, _story(turn))
            assert await exit_code(child) == -signal.SIGKILL, point

    async with process(dsn, kafka, topics):
        await drained(pool, len(PASSED) * len(CASES) * INPUTS_PER_CASE)
    await _each_effect_is_there_once(pool, kafka, topics, len(PASSED))


def _story(turn: int = 0) -> list[Any]:
    """Events of several cases, interleaved; each turn tells of cases of its own."""
    return [
        told(100 * turn + number, nth, partner)
        for nth, partner in enumerate(PARTNERS)
        for number in CASES
    ]


async def _each_effect_is_there_once(pool: Pool, kafka: str, prefix: str, turns: int = 1) -> None:
    counts = await pool.fetch("SELECT case_id, count FROM tallies")
    assert {row["count"] for row in counts} == {EVENTS_PER_CASE}
    assert {row["case_id"] for row in counts} == {
        case(100 * turn + number) for turn in range(turns) for number in CASES
    }
    first: dict[str, Any] = {}
    for record in await everything(kafka, f"{prefix}.deid"):
        first.setdefault(dict(record.headers)["ce_id"], record)  # a repetition has the same id
    assert Counter(one.key for one in first.values()) == {
        str(row["case_id"]).encode(): EVENTS_PER_CASE for row in counts
    }
    _in_the_order_decided(list(first.values()))


def _in_the_order_decided(records: list[Any]) -> None:
    """The tally writes its count into each plan: they must come in order, case by case."""
    last: dict[bytes, int] = {}
    kinds = {
        kind.ce_type().encode(): kind for kind in (DeidentificationPlanned, DeidentificationFailed)
    }
    for record in records:
        event = kinds[dict(record.headers)["ce_type"]].model_validate_json(record.value)
        if isinstance(event, DeidentificationPlanned):
            assert int(event.studies[0]) > last.get(record.key, 0)
            last[record.key] = int(event.studies[0])

"""How fast is matching? Rounds beside the raw solver, the next case, and the service at work.

`python -m benchmarks.matching [--quick] [--json]`; `--alone` leaves the servers out. Rounds and the
next case are in milliseconds of CPU, the others of the wall clock with real Kafka and Postgres. It
ends with 0 whether or not a target is reached, and says which are.
"""

import argparse
import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.measured import at_work, rounds
from benchmarks.measured.servers import servers


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: rounds as (cases, readers, milliseconds), offers, and deadlines.

    So many `cases` are offered one by one while so many others are `held`.
    """

    rounds: Sequence[tuple[int, int, float]]
    cases: int
    held: int
    timers: int


FULL = Size(((1_000, 200, 100.0), (10_000, 2_000, 2_000.0)), 300, 3_000, 1_000_000)
QUICK = Size(((200, 40, 100.0),), 10, 50, 10_000)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; `target` in words, and whether it was reached (None: no target)."""

    name: str
    value: float
    unit: str
    target: str = ""
    reached: bool | None = None


def below(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, value, unit, f"under {limit:g} {unit}", value < limit)


def figures_of_round(found: Mapping[str, float], limit: float) -> Iterator[Figure]:
    size = f"{found['cases']:,.0f} x {found['readers']:,.0f}"
    yield below(f"round, {size}", found["round_ms"], "ms", limit)
    yield Figure("  the first one, when nothing is kept yet", found["first_ms"], "ms")
    yield Figure("  of it in the solver", found["solver_ms"], "ms")
    yield Figure("  raw solver on the same matrix", found["raw_solver_ms"], "ms")
    share = 100 * found["solver_ms"] / found["round_ms"]
    yield Figure("  the solver's share", share, "%", "at least 50 %", share >= 50)
    yield Figure("  all reasons, written as it is decided", found["reasons_ms"], "ms")
    yield Figure("  pairs weighed", found["pairs"], "")
    yield Figure("  offers", found["offers"], "")
    yield Figure("  roster's columns, once a version", found["roster_ms"], "ms")
    yield Figure("  pool for the next case, once", found["pool_ms"], "ms")
    yield Figure("  next case", found["next_case_ms"], "ms")
    yield below("  peak of memory so far", found["peak_mb"], "MB", 1024)


def figures_at_work(found: Mapping[str, float]) -> Iterator[Figure]:
    yield Figure("event to offer, p50", found["offer_p50_ms"], "ms")
    yield below("event to offer, p95", found["offer_p95_ms"], "ms", 50)
    yield Figure("  cases offered", found["offered"], "")
    yield Figure("  beside others, held", found["held"], "")
    yield below("a changed roster is effective", found["roster_s"], "s", 5)
    yield Figure("tick, 100 due, none pending", found["tick_few_ms"], "ms")
    many, few = found["tick_many_ms"], found["tick_few_ms"]
    name = f"tick, 100 due, {found['pending']:,.0f} pending"
    yield Figure(name, many, "ms", "as without (twice at most)", many < 2 * few)


def measured(size: Size, *, alone: bool) -> list[Figure]:
    found = [
        figure
        for cases, readers, limit in size.rounds
        for figure in figures_of_round(rounds.measured(cases, readers), limit)
    ]
    if not alone:
        with servers() as both, asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
            at = loop.run(at_work.measure(both, size.cases, size.held, size.timers))
        found += figures_at_work(at)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything, as in CI")
    parser.add_argument("--alone", action="store_true", help="without Kafka and Postgres")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    found = measured(QUICK if asked.quick else FULL, alone=asked.alone)
    if asked.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
        return
    table = Table("figure", "value", "target", "reached")
    for one in found:
        reached = "" if one.reached is None else "yes" if one.reached else "no"
        table.add_row(one.name, f"{one.value:,.1f} {one.unit}", one.target, reached)
    Console().print(table)


if __name__ == "__main__":
    main()

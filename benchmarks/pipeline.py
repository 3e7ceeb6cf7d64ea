"""How fast does a case travel? One hop, all five services, the first offer, and memory, in one run.

Each figure stands beside a limit or a peer measured in the same minutes on the same machine.
`python -m benchmarks.pipeline [--json] [--quick]`; it ends with 0 whether or not a target is
reached, and says which are.
"""

import argparse
import asyncio
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.measured import hop, memory, travel
from benchmarks.measured.hop import Hop
from benchmarks.measured.memory import Memory
from benchmarks.measured.servers import servers
from benchmarks.measured.travel import Travel
from benchmarks.measured.whole import READERS
from shared.runtime import collector


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    events: int
    backlog: int
    warm_up: int
    cases: int
    paced: int


FULL = Size(rounds=5, events=10_000, backlog=100_000, warm_up=40, cases=400, paced=150)
QUICK = Size(rounds=1, events=2_000, backlog=1_000, warm_up=1, cases=6, paced=4)
PACE = 5.0  # cases a second
NOTES = f"""\
One hop: each event of 0.9 to 1.5 kB decides one of 1.1 kB. The raw limit consumes the same
messages with aiokafka, inserts the same rows in batches of 500 with asyncpg and produces the same
events with aiokafka, one after the other, in one process. A replica is a process of the service;
two of them share the two cores that the target is for, as a service scales. One by one is one
replica with one record a poll. Rounds alternate; the figures are medians.
A case: submitted with a clinical question and without a first report; one real CT with sixteen
pixels left of it is cleaned in deid's sandbox; offered to one of {READERS} readers, accepted,
drafted, locked, revealed and signed at once; delivered as FHIR by a signed webhook, without a mail.
The people act inside the services, behind HTTP: its parsing, the tokens and STOW are left out, and
no spans are collected. The offer's wait is between the times in the two events."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; `target` in words, and whether it was reached (None: no target)."""

    name: str
    value: float
    unit: str
    target: str = ""
    reached: bool | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="little of everything, as in CI")
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of topics not yet there
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    collector.rarely()  # as in a service
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        figures = loop.run(measured(QUICK if asked.quick else FULL))
    if asked.json:
        print(json.dumps([asdict(one) for one in figures], indent=2))
    else:
        show(figures)
        print(NOTES)
        print(f"{os.cpu_count()} cores; load average at the start: {load}")


async def measured(size: Size) -> list[Figure]:
    with servers() as pair:
        tell("one hop, in batches and one by one, and the raw limit")
        hops = await hop.measure(pair, size.rounds, size.events)
        tell(f"a backlog of {size.backlog:,} events")
        weighed = await memory.measure(pair, size.backlog)
        tell(f"{size.cases + size.paced} cases through all five services")
        travelled = await travel.measure(pair, size.warm_up, size.cases, size.paced, PACE)
    return [*_of_hop(hops), *_of_travel(travelled), *_of_memory(weighed, size)]


def tell(what: str) -> None:
    """Say what is being measured, beside the answer."""
    Console(stderr=True).print(f"measuring {what}")


def _of_hop(hops: Hop) -> list[Figure]:
    share, times = hops.of_limit(hops.shared), hops.times_single
    return [
        Figure("one hop, two replicas", median(hops.shared), "events/s"),
        Figure("one hop, one replica", median(hops.batched), "events/s"),
        Figure("raw limit, one after the other", median(o.all for o in hops.limits), "events/s"),
        Figure("  consume alone", median(one.consume for one in hops.limits), "events/s"),
        Figure("  insert alone", median(one.insert for one in hops.limits), "events/s"),
        Figure("  produce alone", median(one.produce for one in hops.limits), "events/s"),
        Figure("one message, one transaction", median(hops.single), "events/s"),
        Figure("two replicas / raw limit", share, "", "at least 0.6", share >= 0.6),
        Figure("one replica / raw limit", hops.of_limit(hops.batched), ""),
        Figure("one replica / one by one", times, "", "at least 5", times >= 5),
    ]


def _of_travel(travelled: Travel) -> list[Figure]:
    cases = travelled.cases_per_second
    half, most = travelled.percentile(50) * 1000, travelled.percentile(99) * 1000
    return [
        Figure("all five services", cases, "cases/s", "at least 40", cases >= 40),
        Figure("  processor time of a case", sum(travelled.cpu.values()), "ms"),
        *(Figure(f"    {name}", spent, "ms") for name, spent in travelled.cpu.items()),
        Figure(f"accepted to offer at {PACE:g}/s, p50", half, "ms", "under 150", half < 150),
        Figure(f"accepted to offer at {PACE:g}/s, p99", most, "ms", "under 500", most < 500),
    ]


def _of_memory(weighed: Memory, size: Size) -> list[Figure]:
    growth = weighed.growth
    name = f"memory, backlog of {size.backlog:,}"
    return [
        Figure(f"{name}: after a tenth", weighed.early / 2**20, "MiB"),
        Figure(f"{name}: at the end / after a tenth", growth, "", "at most 1.1", growth <= 1.1),
    ]


def show(figures: Sequence[Figure], title: str = "The pipeline on this machine") -> None:
    table = Table("figure", "value", "target", title=title)
    for one in figures:
        number = f"{one.value:,.2f}" if one.value < 100 else f"{one.value:,.0f}"
        reached = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}[one.reached]
        table.add_row(one.name, f"{number} {one.unit}", f"{one.target} {reached}")
    Console().print(table)


if __name__ == "__main__":
    main()

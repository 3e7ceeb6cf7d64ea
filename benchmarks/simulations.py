"""What do the policies make of every example? Ten seeds of each, kept as they are done.

`python -m benchmarks.simulations --out FILE [--scenario NAME]... [--policy NAME]... [--seeds N]
[--jobs N]` plays what FILE does not hold yet and adds a line of JSON for each run, so it may be
stopped at any time; `--table FILE...` prints the tables of docs/matching.md from such files, and
`--quick` those of two days of each example, which it plays at once.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any, Final, TypeAlias

import examples
from benchmarks.measured import promised
from benchmarks.measured.promised import CLAIM
from services.matching.domain.policy import Policy
from services.matching.simulation.bound import bound
from services.matching.simulation.run import DIRECTED, ON_CALL, POLICIES, result
from services.matching.simulation.scenario import read
from services.matching.simulation.world import World, draw

FOLDER: Final = Path(examples.__file__).parent / "simulation"
NAMES: Final = ("load-0.70", "load-0.85", "load-0.95", "surge", "thin-pool", "high-friction")
PROMISED: Final = ("promise", "limit", "worst example's", "example", "kept")
QUICK_DAYS: Final = 2
Line: TypeAlias = dict[str, Any]
Runs: TypeAlias = dict[str, dict[int, Line]]


@dataclass(frozen=True, slots=True)
class Task:
    """The policies that one seed of an example has still to be played under.

    `days` cuts the example short: its figures are no longer those of the example.
    """

    name: str
    seed: int
    policies: tuple[str, ...]
    days: int | None = None


def run(out: Path, tasks: Sequence[Task], jobs: int) -> None:
    """Play them, the first seeds first, and keep each as it is done."""
    with ProcessPoolExecutor(jobs) as workers, out.open("a", encoding="utf-8") as file:
        for done in as_completed([workers.submit(played, one) for one in tasks]):
            file.writelines(json.dumps(line) + "\n" for line in done.result())
            file.flush()


def missing(out: Path, names: Sequence[str], policies: Sequence[str], seeds: int) -> Iterator[Task]:
    kept = {(one["scenario"], one["seed"], one["policy"]) for one in lines([out])}
    for seed in range(1, seeds + 1):
        for name in names:
            wanted = tuple(one for one in policies if (name, seed, one) not in kept)
            if wanted:
                yield Task(name, seed, wanted)


def played(task: Task) -> list[Line]:
    scenario = read(FOLDER / f"{task.name}.json")
    if task.days is not None:
        scenario = scenario.model_copy(update={"days": task.days})
    world = draw(scenario, task.seed)
    least = asdict(bound(world))
    return [_line(world, task, one, least) for one in task.policies]


def _line(world: World, task: Task, policy: str, least: Line) -> Line:
    figures = asdict(result(world, policy, task.seed, Policy()).figures)
    known = {"scenario": task.name, "seed": task.seed, "policy": policy}
    return {**known, "bound": least, "figures": figures}


def lines(files: Sequence[Path]) -> list[Line]:
    read_in = [one.read_text(encoding="utf-8") for one in files if one.exists()]
    return [json.loads(line) for text in read_in for line in text.splitlines()]


def table(runs: Iterable[Line]) -> str:
    """Give the breaches in % by example and policy, the product's other figures, and promises."""
    runs = list(runs)
    found: defaultdict[str, Runs] = defaultdict(lambda: defaultdict(dict))
    for one in runs:
        found[one["scenario"]][one["policy"]][one["seed"]] = one
    rows = [_breaches(name, found[name]) for name in NAMES if name in found]
    more = [
        _figures(name, policy, found[name][policy])
        for name in NAMES
        for policy in (DIRECTED, ON_CALL)
        if found.get(name, {}).get(policy)
    ]
    heads = ["example (seeds)", "bound", *POLICIES]
    others = [
        "example", "policy", "right", "right, one there", "Gini", "offers a case", "pages", "p50",
        "p95", "p99", "tardiness", "unread",
    ]  # fmt: skip
    claims = [_claims(name, found[name]) for name in NAMES if found.get(name, {}).get(CLAIM)]
    versus = ["first to claim", *(f"over {one}" for one in (DIRECTED, ON_CALL))]
    each = ((heads, rows), (others, more), (versus, claims))
    kept = promised.rows(promised.promises(runs, NAMES))
    return "\n\n".join("\n".join(_rows(*one)) for one in (*each, (PROMISED, kept)))


def _rows(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(one)} |" for one in (heads, ["---"] * len(heads), *rows)]


def _breaches(name: str, runs: Runs) -> list[str]:
    most = max(map(len, runs.values()))
    bounds = {seed: one["bound"] for each in runs.values() for seed, one in each.items()}
    least = mean(one["breaches"] / one["cases"] for one in bounds.values())
    return [f"{name} ({most})", f"{least:.2%}", *(_of(runs.get(one, {})) for one in POLICIES)]


def _of(seeds: dict[int, Line]) -> str:
    """Give the mean over the seeds played, times the bound of these; their number if not ten."""
    if not seeds:
        return "-"
    breached = mean(one["figures"]["breached"] for one in seeds.values())
    least = mean(one["bound"]["breaches"] / one["bound"]["cases"] for one in seeds.values())
    times = f"{breached / least:.2f}" if least else "-"
    return f"{breached:.2%} ({times}; {len(seeds)})"


def _claims(name: str, runs: Runs) -> list[str]:
    return [name, *(_times(runs[CLAIM], runs.get(one, {})) for one in (DIRECTED, ON_CALL))]


def _times(theirs: dict[int, Line], ours: dict[int, Line]) -> str:
    """Give the breaches in the seeds that both have played, and how many times as many they are."""
    both = theirs.keys() & ours.keys()
    if not both:
        return "-"
    they, we = (sum(one[seed]["figures"]["breaches"] for seed in both) for one in (theirs, ours))
    times = f"{they / we:.1f} times" if we else "we have none"
    return f"{they} to {we} ({times}; {len(both)})"


def _figures(name: str, policy: str, seeds: dict[int, Line]) -> list[str]:
    each = [one["figures"] for one in seeds.values()]
    shown = [
        (f"{mean(one[key] for one in each):{how}}")
        for key, how in (
            ("right", ".1%"), ("right_there", ".1%"), ("gini", ".2f"), ("offers_a_case", ".2f"),
            ("pages", ".0f"), ("tat_p50", ".0f"), ("tat_p95", ".0f"), ("tat_p99", ".0f"),
            ("tardiness", ".3f"),
        )
    ]  # fmt: skip
    return [name, policy, *shown, str(sum(one["starved"] for one in each))]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path)
    asked.add_argument("--table", type=Path, nargs="+")
    asked.add_argument("--scenario", action="append", choices=NAMES)
    asked.add_argument("--policy", action="append", choices=POLICIES)
    asked.add_argument("--seeds", type=int, default=10)
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--quick", action="store_true")
    said = asked.parse_args()
    names, policies = said.scenario or NAMES, said.policy or POLICIES
    if said.out is not None:
        run(said.out, list(missing(said.out, names, policies, said.seeds)), said.jobs)
    if said.table is not None:
        print(table(lines(said.table)))
    if said.quick:
        tasks = [Task(one, 1, tuple(policies), QUICK_DAYS) for one in names]
        print(table(line for one in tasks for line in played(one)))


if __name__ == "__main__":
    main()

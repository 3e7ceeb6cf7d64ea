"""`overread simulate`: what would a policy do to weeks of cases, and what could anybody do?"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Annotated, Any, Final, get_args

import typer
from rich.console import Console
from rich.table import Table

from services.matching.domain.policy import Policy
from services.matching.gateways.policy_file import PolicyBroken, read_policy
from services.matching.simulation import scenario as scenarios
from services.matching.simulation.figures import Figures
from services.matching.simulation.run import POLICIES, Seed, simulate
from shared.contracts.base import ServiceLevel
from shared.runtime.local.failure import SetupError

LEVELS: Final[tuple[ServiceLevel, ...]] = get_args(ServiceLevel)
COLUMNS: Final[dict[str, tuple[Callable[[Figures], float], str]]] = {
    "breached %": (lambda one: one.breached * 100, ".2f"),
    "tardiness": (lambda one: one.tardiness, ".3f"),
    "p50 min": (lambda one: one.tat_p50, ".0f"),
    "p95": (lambda one: one.tat_p95, ".0f"),
    "p99": (lambda one: one.tat_p99, ".0f"),
    "right %": (lambda one: one.right * 100, ".1f"),
    "right there %": (lambda one: one.right_there * 100, ".1f"),
    "Gini": (lambda one: one.gini, ".3f"),
    "offers": (lambda one: one.offers_a_case, ".2f"),
    "pages": (lambda one: one.pages, ".0f"),
    "unread": (lambda one: one.starved, ".0f"),
}


def simulation(
    scenario: Annotated[Path, typer.Option(help="A scenario file; examples/simulation has some.")],
    policy: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(POLICIES)}; all when left out.")
    ] = None,
    policy_file: Annotated[
        Path | None, typer.Option(help="The directed policy's weights; the default's if left out.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="How many worlds are drawn.")] = 1,
    as_json: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--json", help="Print every figure as JSON.")
    ] = False,
) -> None:
    """Play matching policies over weeks of virtual time, beside a bound that knows the future."""
    names = policy or list(POLICIES)
    if strange := sorted(set(names) - set(POLICIES)):
        raise SetupError(f"no policy is called {', '.join(strange)}: {', '.join(POLICIES)}")
    try:
        world = scenarios.read(scenario)
        weights = Policy() if policy_file is None else read_policy(policy_file)
    except (scenarios.ScenarioBroken, PolicyBroken) as error:
        raise SetupError("the simulation can't begin", quote=str(error)) from None
    played = list(simulate(world, names, range(1, seeds + 1), weights))
    if as_json:
        print(json.dumps({"scenario": world.name, "seeds": list(map(asdict, played))}, indent=2))
    else:
        _show(world.name, names, played)


def _show(name: str, names: Sequence[str], played: Sequence[Seed]) -> None:
    cases = mean(one.bound.cases for one in played)
    least = mean(one.bound.breached for one in played)
    heading = f"{name}: {cases:.0f} cases, mean of {len(played)} seed(s)"
    table = Table(title=f"{heading}; nobody could breach less than {least * 100:.2f} %")
    table.add_column("policy")
    there = {level for one in played for r in one.results for level in r.figures.breached_by_level}
    levels = [level for level in LEVELS if level in there]
    for column in (*COLUMNS, *(f"{level} %" for level in levels), "x bound"):
        table.add_column(column, justify="right")
    for policy in names:
        of = [r.figures for one in played for r in one.results if r.policy == policy]
        table.add_row(policy, *_row(of, least, levels))
    Console(width=190).print(table)


def _row(of: Sequence[Figures], least: float, levels: Sequence[ServiceLevel]) -> list[str]:
    shown: list[Any] = [format(mean(map(read, of)), how) for read, how in COLUMNS.values()]
    for level in levels:
        late = mean(one.breached_by_level.get(level, 0.0) for one in of)
        shown.append(f"{late * 100:.2f}")
    breached = mean(one.breached for one in of)
    return [*shown, f"{breached / least:.2f}" if least else "-"]

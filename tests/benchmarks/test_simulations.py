"""What was played is not played again, and the tables say what the lines hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measured.promised import CLAIM, promises
from benchmarks.simulations import NAMES, Task, lines, missing, played, table
from services.matching.simulation.run import DIRECTED, ON_CALL

KEPT = lines([Path(__file__).parents[2] / "docs" / "simulations.jsonl"])


def line(policy: str, seed: int, breaches: int) -> str:
    names = (
        "right", "right_there", "gini", "offers_a_case", "pages", "tat_p50", "tat_p95", "tat_p99",
        "tardiness", "starved",
    )  # fmt: skip
    figures = dict.fromkeys(names, 0) | {"breached": breaches / 1000, "breaches": breaches}
    least = {"cases": 1000, "impossible": 10, "breaches": 10.0}
    known = {"scenario": "surge", "seed": seed, "policy": policy}
    return json.dumps({**known, "bound": least, "figures": figures})


def test_only_what_is_missing_is_played(tmp_path: Path) -> None:
    out = tmp_path / "runs.jsonl"
    out.write_text(line(DIRECTED, 1, 12) + "\n")

    left = list(missing(out, ["surge"], [DIRECTED, ON_CALL], 2))

    assert [(one.seed, one.policies) for one in left] == [(1, (ON_CALL,)), (2, (DIRECTED, ON_CALL))]


def test_the_tables_give_means_and_multiples_of_the_bound(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_text(line(DIRECTED, 1, 12) + "\n" + line(DIRECTED, 2, 14) + "\n")
    two.write_text(line(ON_CALL, 1, 2) + "\n")

    kept = lines([one, two, tmp_path / "not-there.jsonl"])
    told = table(kept)

    assert len(kept) == 3
    assert "| surge (2) | 1.00% | 1.30% (1.30; 2) | 0.20% (0.20; 1) | - |" in told


def test_claiming_is_compared_over_the_seeds_that_both_have_played() -> None:
    claimed = [line(CLAIM, 1, 40), line(CLAIM, 2, 50)]
    runs = [*claimed, line(DIRECTED, 1, 12), line(DIRECTED, 3, 99), line(ON_CALL, 2, 0)]

    told = table(map(json.loads, runs))

    assert "| surge | 40 to 12 (3.3 times; 1) | 50 to 0 (we have none; 1) |" in told


def test_a_day_of_an_example_is_played_as_the_whole_is() -> None:
    """Claiming breaches most, and who is on call saves what nobody on shift could."""
    policies = (DIRECTED, ON_CALL, CLAIM)

    runs = {one["policy"]: one for one in played(Task("load-0.95", 1, policies, days=1))}

    least = runs[DIRECTED]["bound"]["breaches"]
    breaches = [runs[one]["figures"]["breaches"] for one in (ON_CALL, DIRECTED, CLAIM)]
    assert breaches[0] <= least <= breaches[1] < breaches[2]
    assert all(one["figures"]["starved"] == 0 for one in runs.values())
    assert "| load-0.95 (1) |" in table(runs.values())


def broken(runs: list[dict[str, Any]]) -> set[str]:
    return {one.name for one in promises(runs, NAMES) if not one.kept}


def test_the_runs_that_are_kept_keep_what_is_promised() -> None:
    assert broken(KEPT) == set()


@pytest.mark.parametrize(
    ("policy", "key", "value", "name"),
    [
        (DIRECTED, "breached", 0.02, "directed: breaches, times the bound"),
        (DIRECTED, "gini", 0.5, "directed: Gini of work"),
        (ON_CALL, "right", 0.5, "directed_with_pages: read by the right subspecialist"),
        (ON_CALL, "starved", 1, "directed_with_pages: cases left unread"),
        (CLAIM, "breaches", 10, "first to claim over directed, breaches"),
    ],
)
def test_a_worse_run_breaks_it(policy: str, key: str, value: float, name: str) -> None:
    worse = [
        one | {"figures": one["figures"] | {key: value}} if one["policy"] == policy else one
        for one in KEPT
    ]

    assert name in broken(worse)


def test_a_seed_that_was_not_played_breaks_it() -> None:
    fewer = [one for one in KEPT if (one["scenario"], one["seed"]) != ("surge", 10)]

    assert broken(fewer) == {"directed: seeds", "directed_with_pages: seeds"}


def test_the_runs_that_are_kept_are_those_of_this_version() -> None:
    """A change of the policy makes them stale: play them again (`--out` of an empty file)."""
    [kept] = [
        one
        for one in KEPT
        if (one["scenario"], one["seed"], one["policy"]) == ("thin-pool", 1, DIRECTED)
    ]

    [now] = played(Task("thin-pool", 1, (DIRECTED,)))

    assert now == kept

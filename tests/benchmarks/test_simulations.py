"""What was played is not played again, and the tables say what the lines hold."""

import json
from pathlib import Path

from benchmarks.simulations import CLAIM, Task, lines, missing, played, table
from services.matching.simulation.run import DIRECTED, ON_CALL


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

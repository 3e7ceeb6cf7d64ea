"""What was played is not played again, and the tables say what the lines hold."""

import json
from pathlib import Path

from benchmarks.simulations import lines, missing, table
from services.matching.simulation.run import DIRECTED, ON_CALL


def line(policy: str, seed: int, breaches: int) -> str:
    names = (
        "right", "right_there", "gini", "offers_a_case", "pages", "tat_p50", "tat_p95", "tat_p99",
        "tardiness", "starved",
    )  # fmt: skip
    figures = dict.fromkeys(names, 0) | {"breached": breaches / 1000}
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

    told = table([one, two, tmp_path / "not-there.jsonl"])

    assert len(lines([one, two])) == 3
    assert "| surge (2) | 1.00% | 1.30% (1.30; 2) | 0.20% (0.20; 1) | - |" in told

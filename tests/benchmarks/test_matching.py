"""The matching benchmark measures what it says, on a small world."""

from benchmarks.matching import figures_at_work, figures_of_round
from benchmarks.measured.rounds import measured


def test_a_small_world_is_measured() -> None:
    found = measured(40, 20)

    assert found["cases"] == 40
    assert found["readers"] == 20
    assert found["proposals"] >= found["offers"] >= 1
    assert found["pairs"] >= 1
    assert found["first_ms"] > 0
    assert found["round_ms"] >= found["solver_ms"] > 0
    assert (
        min(found[name] for name in ("raw_solver_ms", "reasons_ms", "pool_ms", "next_case_ms")) > 0
    )


def test_what_misses_its_target_says_so() -> None:
    found = measured(40, 20) | {"round_ms": 3000.0, "solver_ms": 30.0}
    work = {
        "offered": 3, "held": 9, "offer_p50_ms": 9, "offer_p95_ms": 51, "roster_s": 0.2,
        "pending": 10**6, "tick_few_ms": 2, "tick_many_ms": 3,
    }  # fmt: skip

    told = {one.name.strip(): one.reached for one in figures_of_round(found, 2000)}
    told |= {one.name: one.reached for one in figures_at_work(work)}

    assert told["round, 40 x 20"] is False
    assert told["the solver's share"] is False
    assert told["event to offer, p95"] is False
    assert told["a changed roster is effective"] is True
    assert told["tick, 100 due, 1,000,000 pending"] is True

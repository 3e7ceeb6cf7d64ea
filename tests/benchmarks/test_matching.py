"""The matching benchmark measures what it says, on a small world."""

from benchmarks.matching import measured


def test_a_small_world_is_measured() -> None:
    found = measured(40, 20)

    assert found["cases"] == 40
    assert found["readers"] == 20
    assert found["proposals"] >= 1
    assert min(found[name] for name in ("round_ms", "pool_ms", "next_case_ms")) > 0

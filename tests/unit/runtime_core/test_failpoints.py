"""Does a fail point do nothing in production, and exactly what it was armed for in a test?"""

from collections.abc import Iterator

import pytest

from shared.runtime.failpoints import Stumbled, arm, disarm, failpoint, watch


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    disarm()


async def passes(name: str, times: int) -> list[bool]:
    """Give for each passing whether it stumbled."""
    stumbles = []
    for _ in range(times):
        try:
            await failpoint(name)
        except Stumbled:
            stumbles.append(True)
        else:
            stumbles.append(False)
    return stumbles


async def test_nothing_armed_nothing_happens() -> None:
    assert not any(await passes("runner.saved", 100))


async def test_the_nth_passing_stumbles_and_no_other() -> None:
    arm("runner.saved=raise#3")

    assert await passes("runner.saved", 5) == [False, False, True, False, False]
    assert not any(await passes("runner.locked", 5))


async def test_a_probability_is_one_and_a_seed_repeats_it() -> None:
    arm("a=raise@0.2", seed=1)
    first = await passes("a", 500)
    arm("a=raise@0.2", seed=1)
    second = await passes("a", 500)

    assert first == second
    assert 60 < sum(first) < 140


async def test_a_watcher_hears_each_passing() -> None:
    heard: list[str] = []
    watch("a", lambda: heard.append("a"))

    await passes("a", 3)

    assert heard == ["a"] * 3


@pytest.mark.parametrize("spec", ["a=explode", "a", "a=kill@often", "a=raise#"])
def test_a_wrong_spec_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        arm(spec)

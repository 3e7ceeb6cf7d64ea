"""Does waiting grow, stay below its cap, and end with the weather?"""

import asyncio

import pytest

from shared.runtime import patience
from shared.runtime.patience import Patience, for_ever


def test_pauses_double_up_to_a_cap_with_jitter() -> None:
    one = Patience(first=0.1, longest=10)

    pauses = [one.next_pause() for _ in range(100)]

    for n, pause in enumerate(pauses):
        ceiling = min(10, 0.1 * 2**n)
        assert ceiling / 2 <= pause <= ceiling
    assert len(set(pauses)) > 90


def test_good_weather_makes_patient_again() -> None:
    one = Patience()
    for _ in range(10):
        one.next_pause()

    one.reset()

    assert one.next_pause() <= one.first


async def test_for_ever_outlasts_weather_and_lets_a_bug_fly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "FIRST_SECONDS", 0)
    monkeypatch.setattr(Patience, "pause", _no_pause)
    answers = [ConnectionError(), None, TimeoutError(), OSError(), None, ZeroDivisionError()]
    taken = []

    async def step() -> None:
        taken.append(answers.pop(0))
        if taken[-1] is not None:
            raise taken[-1]

    with pytest.raises(ZeroDivisionError):
        await for_ever(step, "test")

    assert len(taken) == 6


async def _no_pause(_: Patience) -> None:
    await asyncio.sleep(0)

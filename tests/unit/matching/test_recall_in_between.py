"""A look over all that is held keeps nobody waiting who stirs meanwhile."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from services.matching.optimiser import Optimiser, Rounds
from services.matching.store.cases import ROUND
from shared.runtime.postgres import Wakeups

seen: list[str] = []


class Noting(Optimiser):
    """Notes what it would do."""

    async def _round(self, rounds: Rounds, *, thorough: bool) -> None:
        del rounds
        seen.append("thorough round" if thorough else "round")

    async def _submit(self, proposals: Sequence[Any]) -> None:
        seen.extend(f"recall {one}" for one in proposals)


@dataclass
class Room:
    """As much of a service as the look needs."""

    wakeups: Wakeups = field(default_factory=lambda: Wakeups("nowhere", "matching"))


@dataclass
class Held:
    """Three chunks of held cases; while the one of `stirs_at` is looked over, something stirs."""

    wakeups: Wakeups
    stirs_at: int

    async def recalled(self, _now: datetime) -> AsyncIterator[list[int]]:
        for chunk in range(3):
            if chunk == self.stirs_at:
                self.wakeups.wake(ROUND)
            yield [chunk]


async def looked(stirs_at: int) -> tuple[list[str], Wakeups]:
    seen.clear()
    room = Room()
    optimiser = Noting(cast("Any", room), cast("Any", None))
    await optimiser._recall(cast("Any", Held(room.wakeups, stirs_at)))
    return list(seen), room.wakeups


async def test_what_stirs_is_answered_between_two_chunks() -> None:
    log, wakeups = await looked(stirs_at=1)

    assert log == ["recall 0", "recall 1", "round", "recall 2"]
    assert not wakeups.woken(ROUND)


async def test_nothing_stirs_and_no_round_is_made() -> None:
    log, _ = await looked(stirs_at=9)

    assert log == ["recall 0", "recall 1", "recall 2"]

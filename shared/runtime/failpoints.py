"""Where can a test make the program die, stumble or stall? At named points between two steps.

Production never arms one: `failpoint()` then looks at two empty tables. A test arms them through
`arm()` or, for a child process, the variable OVERREAD_FAILPOINTS:
`runner.saved=kill@0.01,relay.published=raise#3` (action, then probability, or which passing).
"""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["kill", "raise", "stall"]
STALL_SECONDS = 60.0


class Stumbled(ConnectionError):  # noqa: N818 - what the program did, not an error of it
    """The failure that an armed point raises; it is weather to whoever meets it."""


@dataclass(slots=True)
class Point:
    """What happens at one name: with `probability`, or at the `nth` passing only."""

    action: Action
    probability: float = 1.0
    nth: int | None = None
    dice: random.Random = field(default_factory=random.Random)
    passed: int = 0

    def strikes(self) -> bool:
        self.passed += 1
        if self.nth is not None:
            return self.passed == self.nth
        return self.dice.random() < self.probability


_armed: dict[str, Point] = {}
_watchers: dict[str, Callable[[], None]] = {}


def arm(spec: str, seed: int = 0) -> None:
    """Arm points from `name=action@probability` or `name=action#nth`, comma separated."""
    for entry in filter(None, spec.split(",")):
        name, _, effect = entry.partition("=")
        action, sign, number = effect.partition("#" if "#" in effect else "@")
        if action not in {"kill", "raise", "stall"}:
            raise ValueError(f"{name}: unknown action {action!r}; use kill, raise or stall")
        nth = int(number) if sign == "#" else None
        chance = float(number) if sign == "@" else 1.0
        _armed[name] = Point(action, chance, nth, random.Random(f"{seed}:{name}:{os.getpid()}"))  # type: ignore[arg-type]  # noqa: S311 - dice of a test


def disarm() -> None:
    _armed.clear()
    _watchers.clear()


def watch(name: str, callback: Callable[[], None]) -> None:
    """Call back each time the point is passed, so that a test can wait for a signal."""
    _watchers[name] = callback


async def failpoint(name: str) -> None:
    """Do what a test armed here; nothing in production."""
    if not _armed and not _watchers:
        return
    if name in _watchers:
        _watchers[name]()
    point = _armed.get(name)
    if point is None or not point.strikes():
        return
    if point.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if point.action == "stall":
        await asyncio.sleep(STALL_SECONDS)
        return
    raise Stumbled(name)

"""How did an attempt end? In codes only: what the other end says may quote what it was sent."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt's end. `impossible` means that trying again can't help."""

    outcome: Literal["delivered", "failed", "impossible"]
    cause: str
    retry_after: timedelta | None = None


def failed(cause: str, retry_after: timedelta | None = None) -> Ended:
    return Ended("failed", cause, retry_after)


def impossible(cause: str) -> Ended:
    return Ended("impossible", cause)

"""What time is it? The only file that reads a clock, so that nothing else is surprised by it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def _wall() -> datetime:
    return datetime.now(UTC)


_clock: Clock = _wall


def now() -> datetime:
    """Give the time in UTC, timezone-aware."""
    return _clock()


def ticks() -> float:
    """Give seconds on a clock that never steps back: for durations, never for dates."""
    return time.monotonic()


@contextmanager
def running_on(clock: Clock) -> Iterator[None]:
    """Let the whole interpreter live by another clock: for tests and the simulator only.

    A module-level swap and no context variable, because a task that was started before the swap
    must see the new time too.
    """
    global _clock  # noqa: PLW0603 - one clock for the whole interpreter is the point
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before

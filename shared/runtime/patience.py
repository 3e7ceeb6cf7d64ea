"""How long to wait before trying again? Longer each time, capped, never in step with others."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import structlog

from shared.runtime import clock
from shared.runtime.errors import is_weather
from shared.runtime.telemetry import metrics

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 10.0
# A tenth of the wait that an offer may take.
LONGEST_REST_SECONDS = 0.05
LOG = structlog.get_logger()


@dataclass(slots=True)
class Patience:
    """Exponential back-off with full jitter above half; seconds."""

    first: float = FIRST_SECONDS
    longest: float = LONGEST_SECONDS
    tries: int = 0

    def next_pause(self) -> float:
        ceiling = min(self.longest, self.first * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    async def pause(self) -> None:
        """Sleep, unless we are to end: an error of a clean-up may have hidden that."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
        await asyncio.sleep(self.next_pause())

    def reset(self) -> None:
        self.tries = 0


@dataclass(slots=True)
class Pace:
    """Lets a loop rest as long as its last turn took, so that under load more is done in each.

    Who comes alone hardly waits: a turn takes a few milliseconds then. In a crowd turns get
    longer, and so do the rests, in which the inputs gather that one commit then serves.
    """

    longest: float = LONGEST_REST_SECONDS
    _rests_until: float = 0.0

    def skip_rest(self) -> None:
        """Go on at once: the turn was full, so more is waiting than a turn can take."""
        self._rests_until = 0.0

    async def rest(self) -> None:
        """Wait until the next turn may begin."""
        left = self._rests_until - clock.ticks()
        if left > 0:
            await asyncio.sleep(left)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Do a turn's work within this."""
        began = clock.ticks()
        try:
            yield
        finally:
            ended = clock.ticks()
            self._rests_until = ended + min(ended - began, self.longest)


async def for_ever(step: Callable[[], Awaitable[object]], where: str) -> NoReturn:
    """Repeat a step. Bad weather is waited out, ever more slowly; a bug flies."""
    patience = Patience()
    while True:
        started = clock.ticks()
        try:
            await step()
        except Exception as error:
            if not is_weather(error):
                raise
            tell_weather(where, error)
            if clock.ticks() - started > patience.longest:
                patience.reset()
            await patience.pause()
        else:
            patience.reset()


def tell_weather(where: str, error: Exception) -> None:
    metrics.WEATHER.labels(where).inc()
    LOG.warning("weather", loop=where, cause=type(error).__name__)

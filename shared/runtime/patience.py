"""How long to wait before trying again? Longer each time, capped, never in step with others."""

import asyncio
import random
from dataclasses import dataclass

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 10.0


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
        await asyncio.sleep(self.next_pause())

    def reset(self) -> None:
        self.tries = 0

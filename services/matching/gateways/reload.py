"""Is the file on the disk the one in force? A broken one is refused, and the old one stays."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Generic, TypeVar

from prometheus_client import Counter, Gauge

from shared.runtime import clock, telemetry

LOOK_SECONDS: Final = 3.0
REFUSED = Gauge(
    "overread_matching_file_refused",
    "1 while a changed file is refused and an old one in force",
    ["name"],
)
RELOADS = Counter(
    "overread_matching_file_reloads_total", "Files taken over while running", ["name"]
)
log = telemetry.logger(__name__)
Content = TypeVar("Content")


@dataclass(slots=True)
class Watched(Generic[Content]):
    """A file that is read again when it changes.

    `read` raises ValueError with every fault in it (lines and fields); `apply` puts what was read
    in force. `name` is the file's in figures and answers; `in_force_since` is when the content that
    holds now was taken over, `faults` why a newer one is not.
    """

    name: str
    path: Path
    read: Callable[[Path], Content]
    apply: Callable[[Content], Awaitable[None]]
    in_force_since: datetime = field(default_factory=clock.now)
    faults: tuple[str, ...] = ()
    _seen: str = ""

    def __post_init__(self) -> None:
        self._seen = _digest(self.path)

    async def run(self) -> None:
        """Look at it for ever."""
        REFUSED.labels(self.name).set(0)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Take the file over if it changed and is sound."""
        seen = _digest(self.path)
        if seen == self._seen:
            return
        try:
            content = self.read(self.path)
        except ValueError as error:
            self._refuse(tuple(str(error).splitlines()))
        else:
            await self.apply(content)
            self.in_force_since, self.faults = clock.now(), ()
            REFUSED.labels(self.name).set(0)
            RELOADS.labels(self.name).inc()
            log.info("file_reloaded", name=self.name)
        self._seen = seen

    def _refuse(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        REFUSED.labels(self.name).set(1)
        log.error("file_refused", name=self.name, count=len(faults))


def _digest(path: Path) -> str:
    """Give the content's digest; a file that is gone differs from every other."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""

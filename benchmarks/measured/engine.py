"""What does our own engine take for the same files?"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from services.deid.domain.identity import Key
from services.deid.gateways.children import batches, cleaned
from services.deid.gateways.instance import Receipt, Task, clean_instance
from services.deid.gateways.policies import SHIPPED, load_policy
from shared.runtime.sandbox import Sandbox


def task() -> Task:
    """The full policy of a second opinion."""
    return Task(Key("bench", b"k" * 32), "bench", None, load_policy(SHIPPED))


def clean(source: Path, target: Path) -> None:
    """As the command line does it: the raw file is hashed, too."""
    _checked(clean_instance(source, target, _TASK))


def fetched(files: Sequence[Path]) -> Callable[[Path, Path], None]:
    """As the service does it: who fetched the raw files made sure of their hashes."""
    hashes = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in files}
    known = replace(_TASK, hashes=hashes)
    return lambda source, target: _checked(clean_instance(source, target, known))


def _checked(receipt: Receipt) -> None:
    assert not receipt.doubts, receipt.doubts


_TASK = task()
_WARM = 4  # instances a child


@dataclass(frozen=True, slots=True)
class Ran:
    """Instances a second by the clock on the wall; CPU an instance; the largest child's memory."""

    rate: float
    milliseconds: float
    mebibytes: float


async def pool(files: Sequence[Path], out: Path, workers: int) -> Ran:
    """Clean all in a pool of sandboxed children, which have warmed up with a few."""
    sized = _sized(files, out)
    few = workers * _WARM
    async with Sandbox(workers) as sandbox:

        async def all_of(waiting: list[list[Path]]) -> None:
            async def worker() -> None:
                while waiting:
                    pairs = [(one, out / one.name) for one in waiting.pop()]
                    assert not any(one.doubts for one in await cleaned(sandbox, pairs, _TASK))

            await asyncio.gather(*(worker() for _ in range(workers + 1)))

        await all_of(list(batches(sized[:few], workers)))
        waiting, count = list(batches(sized[few:], workers)), len(sized) - few
        family = [psutil.Process(), *psutil.Process().children()]
        spent, began = _seconds(family), time.perf_counter()
        await all_of(waiting)
        rate = count / (time.perf_counter() - began)
        most = max(one.memory_info().rss for one in family[1:])
        return Ran(rate, (_seconds(family) - spent) / count * 1000, most / (1 << 20))


def _sized(files: Sequence[Path], out: Path) -> list[tuple[Path, int]]:
    out.mkdir()
    return [(file, file.stat().st_size) for file in files]


def _seconds(processes: Sequence[psutil.Process]) -> float:
    times = [one.cpu_times() for one in processes]
    return sum(one.user + one.system for one in times)

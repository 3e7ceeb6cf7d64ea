"""What does our own engine take for the same files?"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

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


async def pool(files: list[Path], out: Path, workers: int) -> float:
    """Instances a second through a pool of sandboxed children, by the clock on the wall."""
    sized = [(file, file.stat().st_size) for file in files]
    async with Sandbox(workers) as sandbox:

        async def all_of(waiting: list[list[Path]]) -> None:
            async def worker() -> None:
                while waiting:
                    pairs = [(one, out / one.name) for one in waiting.pop()]
                    assert not any(one.doubts for one in await cleaned(sandbox, pairs, _TASK))

            await asyncio.gather(*(worker() for _ in range(workers + 1)))

        await all_of(list(batches(sized[: workers * 4], workers)))  # children start, and warm up
        waiting = list(batches(sized, workers))
        began = time.perf_counter()
        await all_of(waiting)
        return len(files) / (time.perf_counter() - began)

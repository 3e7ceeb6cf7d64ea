"""How are several files cleaned at once? In one call of a child: a call costs as much as a file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from services.deid.domain.pixels import Doubt
from services.deid.gateways.instance import Receipt, Task, clean_instances
from shared.runtime.dicom import UnreadableError
from shared.runtime.sandbox import Sandbox

_FILES, _BYTES = 16, 32 << 20  # of one call: small files together, large ones alone
T = TypeVar("T")


async def cleaned(
    sandbox: Sandbox, pairs: Sequence[tuple[Path, Path]], task: Task
) -> tuple[Receipt, ...]:
    """Clean each source into its target.

    When the child meets its limits, the files are tried one by one. A child that met its limits
    for one file proves nothing but that this file is not to be trusted: it is unreadable.
    """
    try:
        return await sandbox.run(clean_instances, pairs, task)
    except UnreadableError as error:
        if len(pairs) == 1:
            doubt = Doubt("unreadable", error.detail)
            return (Receipt("", "", "", "", 0, (), (doubt,)),)
    return tuple([(await cleaned(sandbox, [pair], task))[0] for pair in pairs])


def batches(sized: Sequence[tuple[T, int]], workers: int) -> Iterator[list[T]]:
    """Things with their sizes in bytes, in groups for one call each, so that no worker idles."""
    most = max(1, min(_FILES, -(-len(sized) // workers)))
    batch: list[T] = []
    size = 0
    for one, length in sized:
        if batch and (len(batch) >= most or size + length > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += length
    if batch:
        yield batch

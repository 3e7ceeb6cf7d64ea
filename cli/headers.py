"""Whom and what do the files of a run know? Their headers are read first, side by side."""

from collections.abc import Sequence
from pathlib import Path

from anyio import create_task_group

from services.deid.gateways.instance import Task
from services.deid.gateways.known import Told
from services.deid.gateways.patients import Patients, told_by_all
from shared.runtime.sandbox import Sandbox

_BATCH = 64  # headers of one call


async def patients_of(paths: Sequence[Path], task: Task, sandbox: Sandbox, jobs: int) -> Patients:
    """Of each patient of a run; in memory is what differs, not what a series repeats."""
    told: dict[Path, Told] = {}
    same: dict[Told, Told] = {}
    waiting = (paths[at : at + _BATCH] for at in range(0, len(paths), _BATCH))
    async with create_task_group() as group:

        async def worker() -> None:
            for batch in waiting:
                found = await told_by_all(sandbox, batch, task)
                told.update(
                    (path, same.setdefault(one, one))
                    for path, one in zip(batch, found, strict=True)
                    if one
                )

        for _ in range(jobs + 1):
            group.start_soon(worker)
    return Patients.of(told)

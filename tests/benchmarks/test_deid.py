"""Does the benchmark of de-identification measure what it says? A little of everything."""

import asyncio
import json
import sys

import pytest

pytestmark = pytest.mark.timeout(240)


async def test_it_prints_every_figure_beside_its_target() -> None:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.deid", "--quick", "--json"),
        stdout=asyncio.subprocess.PIPE,
    )
    answer, _ = await running.communicate()

    assert running.returncode == 0
    figures = {one["name"]: one for one in json.loads(answer)}
    assert all(one["value"] > 0 for one in figures.values())
    assert {"overread", "file copy", "pydicom: read, change, write"} <= figures.keys()
    assert figures["multi-frame of 20 MB: memory"]["reached"]
    times = figures["  pydicom / overread"]
    assert times["reached"] == (times["value"] >= 4)

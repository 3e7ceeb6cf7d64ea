"""Does the benchmark measure what it says? It runs on a little of everything, timing nothing."""

import asyncio
import json
import os
import sys

import pytest

from benchmarks.measured import servers as measured
from shared.testing import fixtures

pytestmark = pytest.mark.timeout(400)  # it ends itself when nothing moves for a minute


def test_it_locks_no_test_beside_it_out_of_their_postgres() -> None:
    assert measured.PASSWORDS == fixtures.PASSWORDS


async def test_it_prints_every_figure_beside_its_target(kafka: str, postgres_server: str) -> None:
    servers = {"OVERREAD_KAFKA": kafka, "OVERREAD_POSTGRES": postgres_server}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.pipeline", "--quick", "--json"),
        env={**os.environ, **servers},  # noqa: TID251 - handed on to a child
        stdout=asyncio.subprocess.PIPE,
    )
    answer, _ = await running.communicate()

    assert running.returncode == 0
    figures = {one["name"]: one for one in json.loads(answer)}
    assert all(one["value"] > 0 for one in figures.values())
    assert {one["target"] for one in figures.values()} >= {
        "at least 0.6",
        "at least 5",
        "at least 40",
        "under 150",
        "under 500",
        "at most 1.1",
    }
    share = figures["two replicas / raw limit"]
    assert share["reached"] == (share["value"] >= 0.6)

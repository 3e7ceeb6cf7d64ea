"""Does the benchmark of de-identification measure what it says? A little of everything."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from benchmarks.measured import series, tools
from benchmarks.peers.same_rules import SameRules

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
    assert figures["compressed multi-frame of 20 MB: memory"]["reached"]
    assert figures["pool of 1: memory of a worker"]["reached"]
    for ours in ("overread", "overread, raw hash known"):
        times = figures[f"  pydicom / {ours}"]
        assert times["reached"] == (times["value"] >= 4)


def test_pydicom_by_the_same_rules_leaves_nobody(tmp_path: Path) -> None:
    [raw] = series.written(tmp_path / "raw", series.made(), range(1, 2))
    target = tmp_path / "clean.dcm"

    SameRules().clean(raw, target)

    content = target.read_bytes().lower()
    words = (b"hartigan", b"7712345", b"brannigan", b"brigid", b"19670314", b"ct-west", b"2.999.4")
    assert [word for word in words if word in content] == []
    assert [word for word in words if word in raw.read_bytes().lower()] == list(words)


@pytest.mark.parametrize("name", tools.TOOLS)
def test_a_program_that_is_here_cleans_what_it_is_given(name: str, tmp_path: Path) -> None:
    files = series.written(tmp_path / "raw", series.made(), range(1, 4))
    tool = tools.found(name, tmp_path)
    if tool is None:
        pytest.skip(f"{name} is not installed")

    ran = tool.clean(tmp_path / "raw", tmp_path / "out")

    assert (ran.skipped, ran.faults) == ("", ())
    for one in files:
        assert b"HARTIGAN^ROSALIND" not in (tmp_path / "out" / one.name).read_bytes()


def test_a_program_that_is_not_here_is_no_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert [tools.found(name, tmp_path) for name in tools.TOOLS] == [None, None]

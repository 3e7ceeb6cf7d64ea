"""How much does a CT instance cost to de-identify? Beside file copy, pydicom and three peers.

`python -m benchmarks.deid [--json] [--quick] [--no-peers]`; processor time, so that a busy machine
says nearly the same as an idle one. It ends with 0 whether or not a target is reached.
"""

import argparse
import asyncio
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.measured import engine, large, peers
from benchmarks.measured.series import written
from benchmarks.pipeline import Figure, show

ROUNDS = 7
PEERS = ("pydicom", "dicom-anonymizer", "dicognito", "deid")
NOTES = """\
CT instances of 0.53 MB with over 100 attributes in the header, made here; milliseconds of CPU an
instance, the median of rounds that alternate, when all is warm. Ours: walked, cleaned by the whole
policy, hashed before and after, searched for every identifier of its header, walked and judged
again. The pydicom loop removes private tags and changes names, dates and UIDs; the peers do what
their documentation begins with. The pool's rate is by the clock on the wall, on what is idle."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="little of everything, as in CI")
    parser.add_argument("--no-peers", action="store_true", help="install nothing")
    asked = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    with tempfile.TemporaryDirectory(prefix="bench-deid-") as folder:
        names = () if asked.no_peers else PEERS[: 1 if asked.quick else None]
        figures = measured(Path(folder), names, quick=asked.quick)
    if asked.json:
        print(json.dumps([asdict(one) for one in figures], indent=2))
    else:
        show(figures, "De-identification on this machine")
        print(NOTES)
        print(f"{os.cpu_count()} cores; load average at the start: {load}")


def measured(folder: Path, names: tuple[str, ...], *, quick: bool) -> list[Figure]:
    files = written(folder / "series", 12 if quick else 100)
    ours, copy = _beside_copy(files, folder / "out", 2 if quick else ROUNDS)
    unit = "ms CPU"
    figures = [
        Figure("file copy", copy, unit),
        Figure("overread", ours, unit, "at most 2.0", ours <= 2.0),
        *_of_peers(files, folder, names, ours),
        *asyncio.run(_of_pool(files, folder / "out")),
    ]
    seconds, most = large.measured(folder, 40 if quick else 4000)
    name = "20 MB" if quick else "2 GB"
    return [
        *figures,
        Figure(f"multi-frame of {name}", seconds * 1000, unit),
        Figure(f"multi-frame of {name}: memory", most, "MiB", "under 300", most < 300),
    ]


def _beside_copy(files: list[Path], out: Path, rounds: int) -> tuple[float, float]:
    out.mkdir()
    engine.spent(engine.clean, files, out)
    ours, copy = [], []
    for _ in range(rounds):
        ours.append(engine.spent(engine.clean, files, out))
        copy.append(engine.spent(shutil.copyfile, files, out))
    return median(ours), median(copy)


def _of_peers(files: list[Path], folder: Path, names: tuple[str, ...], ours: float) -> list[Figure]:
    few = folder / "few"  # a peer's pass takes seconds
    few.mkdir()
    for file in files[:20]:
        shutil.copyfile(file, few / file.name)
    figures = []
    for name in names:
        ran = peers.run(name, few, folder / "peer")
        if ran.skipped or ran.faults:
            print(f"not measured: {ran.skipped or f'{name} failed on {len(ran.faults)} files'}")
            continue
        each = ran.seconds / len(list(few.iterdir())) * 1000
        wanted = {"pydicom": 4, "dicognito": 10}.get(name)
        label = "pydicom: read, change, write" if name == "pydicom" else name
        figures.append(Figure(label, each, "ms CPU"))
        if wanted:
            times = each / ours
            figures.append(Figure(f"  {name} / overread", times, "", f"at least {wanted}",
                                  times >= wanted))  # fmt: skip
    return figures


async def _of_pool(files: list[Path], out: Path) -> list[Figure]:
    rates = {count: await engine.pool(files, out, count) for count in (1, os.cpu_count() or 1)}
    return [Figure(f"pool of {count}", rate, "instances/s") for count, rate in rates.items()]


if __name__ == "__main__":
    main()

"""How much does a CT instance cost to de-identify? Beside file copy, pydicom and other peers.

`python -m benchmarks.deid [--json] [--quick] [--no-peers]`; processor time, so that a busy machine
says nearly the same as an idle one. It ends with 0 whether or not a target is reached.
"""

import argparse
import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measured import cores, engine, large, series
from benchmarks.measured.race import COPY, FETCHED, LOOP, OURS, Race
from benchmarks.pipeline import Figure, show


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured; `few` instances a round for peers, `pooled` for the pool."""

    rounds: int
    each: int
    few: int
    pooled: int
    frames: int


FULL = Size(rounds=7, each=40, few=10, pooled=200, frames=4000)
QUICK = Size(rounds=1, each=6, few=3, pooled=48, frames=40)
# Peer -> how many times as long it should take, at least.
PEERS: Mapping[str, int] = {
    "pydicom": 4, "pydicom, same rules": 4, "dcmanon": 0, "dicom-anonymizer": 0, "dicognito": 10,
    "deid": 0, "gdcmanon": 0, "dcmodify": 0,
}  # fmt: skip
_MOST_MS, _MOST_MIB = 2.0, 300
_MEMORY, _ROOM = Path("/dev/shm"), 2 << 30  # noqa: S108 - a place in memory, with names of our own
_FRAME_MIB = 0.5
NOTES = """\
CT instances of 0.53 MB with a header made here of 121 attributes, and then with the one of a
scanner (262, with its private ones); milliseconds of CPU an instance, when all is warm, each
instance seen once. The contenders take turns in each round, each in a new folder; the figures are
medians of rounds, the ratios medians of the rounds' own. Ours: walked, cleaned by the whole policy,
hashed before and after, searched for every identifier of its header, walked and judged again; a
service knows the raw hash from whoever fetched the file. No peer hashes, searches or judges.
The short loop of pydicom reads, removes private tags, changes names, dates and UIDs, and writes;
the other one has our own rules for each element at any depth, and no proof. The peers do what their
documentation begins with; gdcmanon (libgdcm-tools) its Basic Profile, dcmodify (dcmtk) the changes
of the short loop at top level; both are taken where they are installed, without their start.
CTP comes in no package and is not measured. The pool's rate is by the clock on the wall, on what is
idle, its CPU that of children and parent; below it stands what a second process is worth here.
The loop of Python is a fixed piece of work, and tells how fast the machine was."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="little of everything, as in CI")
    parser.add_argument("--no-peers", action="store_true", help="install nothing")
    asked = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    names = () if asked.no_peers else tuple(PEERS)[: 1 if asked.quick else None]
    figures = measured(names, QUICK if asked.quick else FULL)
    if asked.json:
        print(json.dumps([asdict(one) for one in figures], indent=2))
    else:
        show(figures, "De-identification on this machine")
        print(NOTES)
        where = "in memory" if _in_memory() else "on the disk"
        print(f"Files {where}; {os.cpu_count()} cores; load average at the start: {load}")


def measured(names: tuple[str, ...], size: Size) -> list[Figure]:
    figures: list[Figure] = []
    for whose in ("", "scanner's header: "):
        with tempfile.TemporaryDirectory(prefix="bench-deid-", dir=_in_memory()) as folder:
            figures += _raced(Path(folder), names, size, whose)
    with tempfile.TemporaryDirectory(prefix="bench-deid-", dir=_in_memory()) as folder:
        figures += asyncio.run(_of_pool(Path(folder), size.pooled))
    with tempfile.TemporaryDirectory(prefix="bench-deid-") as folder:
        return [*figures, *_of_large(Path(folder), size.frames)]


def _in_memory() -> Path | None:
    """Where a file costs the same whatever was deleted before; None: on the disk all the same.

    Where many files have just been deleted, ext4 looks for up to a millisecond until it makes a new
    one: as long as we take for all the rest.
    """
    there = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    return _MEMORY if there else None


def _raced(folder: Path, names: tuple[str, ...], size: Size, whose: str = "") -> Iterator[Figure]:
    race = Race(folder, names, size.each, size.few)
    race.run(series.scanners() if whose else series.made(), size.rounds)
    if not whose:
        yield Figure(LOOP, race.typical(LOOP), "ms CPU")
        yield Figure(COPY, race.typical(COPY), "ms CPU")
    for name in (OURS, FETCHED):
        ours = race.typical(name)
        yield Figure(whose + name, ours, "ms CPU", f"at most {_MOST_MS}", ours <= _MOST_MS)
    for name in names:
        if name in race.skipped:
            print(f"not measured: {whose}{name} {race.skipped[name]}")
        else:
            yield from _beside(race, name, whose)


def _beside(race: Race, name: str, whose: str) -> Iterator[Figure]:
    """What a peer takes, and how many times ours that is."""
    label = "pydicom: read, change, write" if name == "pydicom" else name
    yield Figure(whose + label, race.typical(name), "ms CPU")
    least = PEERS[name]
    for ours in (OURS, FETCHED):
        times = race.times(name, ours)
        target = (f"at least {least}", times >= least) if least else ("", None)
        yield Figure(f"  {whose}{name} / {ours}", times, "", *target)


async def _of_pool(folder: Path, count: int) -> list[Figure]:
    files = series.written(folder / "source", series.made(), range(1, count + 1))
    alone, *more = [
        (workers, await engine.pool(files, folder / f"out-{workers}", workers))
        for workers in sorted({1, os.cpu_count() or 1})
    ]
    figures = [*_pooled(*alone)]
    for workers, ran in more:
        figures += _pooled(workers, ran)
        gain = ran.rate / alone[1].rate
        figures.append(Figure(f"  pool of {workers} / pool of 1", gain, ""))
        most = cores.gain(files, folder / f"copied-{workers}", workers)
        figures.append(Figure(f"  copies and hashes by {workers} processes / by 1", most, ""))
    return figures


def _pooled(workers: int, ran: engine.Ran) -> Iterator[Figure]:
    yield Figure(f"pool of {workers}", ran.rate, "instances/s")
    yield Figure(f"pool of {workers}: each", ran.milliseconds, "ms CPU")
    yield Figure(
        f"pool of {workers}: memory of a worker", ran.mebibytes, "MiB",
        f"under {_MOST_MIB}", ran.mebibytes < _MOST_MIB,
    )  # fmt: skip


def _of_large(folder: Path, frames: int) -> list[Figure]:
    size = frames * _FRAME_MIB
    name = (
        f"multi-frame of {size / 1000:.0f} GB" if size > 1000 else f"multi-frame of {size:.0f} MB"
    )
    return [
        *_large(name, large.measured(folder, frames)),
        *_large(f"compressed {name}", large.compressed(folder, int(size * 1_000_000))),
    ]


def _large(name: str, measured: tuple[float, float]) -> Iterator[Figure]:
    seconds, most = measured
    yield Figure(name, seconds * 1000, "ms CPU")
    yield Figure(f"{name}: memory", most, "MiB", f"under {_MOST_MIB}", most < _MOST_MIB)


if __name__ == "__main__":
    main()

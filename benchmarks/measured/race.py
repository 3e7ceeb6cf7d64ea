"""Who cleans the same instances in less time?

All take turns, round by round, so that the machine's ups and downs meet everybody. No round shows a
file twice: a series goes through a de-identifier once, and so must each here.
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from pydicom.dataset import FileDataset

from benchmarks.measured import engine, peers, tools
from benchmarks.measured.peers import Peer
from benchmarks.measured.series import written
from benchmarks.measured.tools import Tool

OURS, FETCHED = "overread", "overread, raw hash known"
COPY, LOOP = "file copy", "a loop of Python"
Contender = Peer | Tool
_TURNS = 100_000  # of that loop


@dataclass
class Race:
    """`names`: the peers. Of each round they get the first `few`: a pass of theirs takes seconds.

    Programs, whose start is taken off, get all.
    `rounds`: milliseconds of processor time an instance by contender, for each round. The first
    round of all warms up and is not kept.
    """

    folder: Path
    names: Sequence[str]
    each: int
    few: int
    rounds: list[Mapping[str, float]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def run(self, series: FileDataset, rounds: int) -> None:
        with ExitStack() as running:
            at_work = [self._enter(running, name) for name in self.names]
            ready = [one for one in at_work if one is not None]
            for number in range(rounds + 1):
                times = self._round(number, series, ready)
                if number:
                    self.rounds.append(times)

    def typical(self, name: str) -> float:
        return median(one[name] for one in self.rounds)

    def times(self, name: str, ours: str = OURS) -> float:
        """How many times as long it takes as ours, in the same round."""
        return median(one[name] / one[ours] for one in self.rounds)

    def _enter(self, running: ExitStack, name: str) -> Contender | None:
        if name in tools.TOOLS:
            tool = tools.found(name, self.folder)
            if tool is None:
                self.skipped[name] = "is not here"
            return tool
        peer = running.enter_context(peers.started(name))
        if peer is None:
            self.skipped[name] = "can't be installed here"
        return peer

    def _round(
        self, number: int, series: FileDataset, ready: Sequence[Contender]
    ) -> Mapping[str, float]:
        """Each in folders of its own, and nothing is deleted before the race ends."""
        folder = self.folder / str(number)
        first = 1 + number * self.each
        files = written(folder / "source", series, range(first, first + self.each))
        few = folder / "few"
        few.mkdir()
        for one in files[: self.few]:
            (few / one.name).hardlink_to(one)
        times = {
            LOOP: _loop(),
            COPY: spent(shutil.copyfile, files, folder / "copied"),
            OURS: spent(engine.clean, files[::2], folder / "ours"),
            FETCHED: spent(engine.fetched(files), files[1::2], folder / "fetched"),
        }
        for peer in ready:
            if peer.name not in self.skipped:
                given = folder / "source" if peer.name in tools.TOOLS else few
                times[peer.name] = self._of(peer, given, folder / peer.name.replace(" ", "-"))
        return times

    def _of(self, peer: Contender, source: Path, out: Path) -> float:
        out.mkdir()
        ran = peer.clean(source, out)
        if ran.skipped or ran.faults:
            self.skipped[peer.name] = ran.skipped or f"failed on {len(ran.faults)} files"
        return ran.seconds / len(list(source.iterdir())) * 1000


def spent(work: Callable[[Path, Path], object], files: Sequence[Path], out: Path) -> float:
    """Milliseconds of processor time a file, into a new folder."""
    out.mkdir(parents=True)
    began = time.process_time()
    for file in files:
        work(file, out / file.name)
    return (time.process_time() - began) / len(files) * 1000


def _loop() -> float:
    """What a fixed piece of work takes on this machine in this moment."""
    began, total = time.process_time(), 0
    for number in range(_TURNS):
        total += number * number & 7
    return (time.process_time() - began) * 1000

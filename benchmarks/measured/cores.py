"""How much more do several processes get done on this machine than one, whatever they do?

They copy files and hash them twice, as a de-identifier must at the least, and share nothing.
"""

import hashlib
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

ROUNDS = 3


def gain(files: Sequence[Path], out: Path, workers: int) -> float:
    """Give how many times as many files a second so many processes copy and hash as one does."""
    out.mkdir()
    return _rate(files, out, workers) / _rate(files, out, 1)


def _rate(files: Sequence[Path], out: Path, workers: int) -> float:
    with get_context("spawn").Pool(workers) as pool:
        pairs = [(one, out / f"{n}") for n, one in enumerate(files)]
        pool.map(_copied, pairs, chunksize=4)  # all are warm
        began = perf_counter()
        for _ in range(ROUNDS):
            pool.map(_copied, pairs, chunksize=4)
        return ROUNDS * len(files) / (perf_counter() - began)


def _copied(pair: tuple[Path, Path]) -> None:
    source, target = pair
    content = source.read_bytes()
    hashlib.sha256(content).digest()
    target.write_bytes(content)
    hashlib.sha256(content).digest()

"""Does anything of the patient survive in the bytes? Ours beside three peers, in one run.

`python -m benchmarks.canaries [--json] [--no-peers]` plants a canary in each row of PS3.15 Table
E.1-1 at four depths, in three kinds of sequences and six transfer syntaxes, in each place that no
row speaks of, and in compressed pixels beside the image. It ends with 1 when one of ours survives
the Basic Profile.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measured import peers
from services.deid.domain.identity import Key
from services.deid.domain.policy import BASIC
from services.deid.gateways.instance import Task, clean_instance, table
from shared.testing.canaries import Planted, planted

PEERS = ("dicom-anonymizer", "deid", "dicognito")


@dataclass(frozen=True, slots=True)
class Score:
    """What one de-identifier left. `refused` are files it gave no output for."""

    name: str
    planted: int
    survivors: int
    at_top: int
    nested: int
    elsewhere: int
    files: int
    refused: int
    places: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--no-peers", action="store_true", help="install nothing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="canaries-") as folder:
        scores = measured(Path(folder), () if asked.no_peers else PEERS)
    if asked.json:
        print(json.dumps([asdict(one) for one in scores], indent=2))
    else:
        show(scores)
    if scores[0].survivors or scores[0].refused:
        raise SystemExit(1)


def measured(folder: Path, names: Sequence[str]) -> list[Score]:
    """Our score first."""
    files = list(planted(table().rows))
    source, ours = folder / "raw", folder / "overread"
    for one in (source, ours):
        one.mkdir()
    task = Task(Key("canaries", b"k" * 32), "canaries", None, BASIC)
    for number, file in enumerate(files):
        (source / _name(number)).write_bytes(file.content)
        receipt = clean_instance(source / _name(number), ours / _name(number), task)
        if receipt.doubts:
            (ours / _name(number)).unlink(missing_ok=True)  # held, so it goes nowhere
    scores = [_score("overread", files, ours)]
    for name in names:
        ran = peers.run(name, source, folder / name)
        if ran.skipped:
            print(f"not measured: {ran.skipped}")
        else:
            scores.append(_score(name, files, folder / name))
    return scores


def _name(number: int) -> str:
    return f"{number:03d}.dcm"


def _score(name: str, files: list[Planted], out: Path) -> Score:
    found: Counter[str] = Counter()
    places: set[str] = set()
    refused = 0
    for number, file in enumerate(files):
        clean = out / _name(number)
        if not clean.exists():
            refused += 1
            continue
        left = file.survivors(clean.read_bytes())
        found[file.name.split()[0]] += len(left)
        places.update(one.place for one in left if one.place != "row")
    nested = sum(found[kind] for kind in ("listed", "unlisted", "private"))
    elsewhere = found["elsewhere"] + found["streams"]
    planted_all = sum(len(file.canaries) for file in files)
    return Score(
        name, planted_all, found.total(), found["top"], nested, elsewhere,
        len(files), refused, tuple(sorted(places)),
    )  # fmt: skip


def show(scores: list[Score]) -> None:
    table = Table(
        "", "planted", "survivors", "top level", "in sequences", "elsewhere", "files refused",
        title="Canaries that survive in the bytes",
    )  # fmt: skip
    for one in scores:
        numbers = (one.planted, one.survivors, one.at_top, one.nested, one.elsewhere)
        refused = f"{one.refused} of {one.files}"
        table.add_row(one.name, *(f"{number:,}" for number in numbers), refused)
    Console().print(table)
    for one in scores:
        if one.places:
            print(f"{one.name}: also in {', '.join(one.places)}")


if __name__ == "__main__":
    main()

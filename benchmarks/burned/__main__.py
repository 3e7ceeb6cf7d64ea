"""How much burned-in text is hidden or held? `python -m benchmarks.burned` prints it.

Each of 2,000 generated frames becomes a DICOM file, is cleaned as in the service and read back.
`--frames N` does fewer; `--results FILE` keeps what was measured and goes on after a stop; with
`--part 0/2` and `--part 1/2` two processes share the frames, into a file each, and `--results A B`
without `--part` puts them together. `--table` prints what is known and measures nothing.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.burned.looked import Frame, frame
from benchmarks.burned.score import figures
from benchmarks.measured.engine import task
from benchmarks.pipeline import show

FRAMES = 2000
EVERY = 20  # frames between two lines of progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--results", type=Path, nargs="*", default=[])
    parser.add_argument("--part", default="0/1", help="which of how many processes this one is")
    parser.add_argument("--table", action="store_true", help="measure nothing more")
    asked = parser.parse_args()
    part, of = (int(one) for one in asked.part.split("/"))
    known = {one.number: one for path in asked.results for one in _read(path)}
    missing = [n for n in range(part, asked.frames, of) if n not in known]
    wanted = [] if asked.table else missing
    for one in _measured(wanted, asked.results[0] if asked.results else None):
        known[one.number] = one
    frames = [one for number, one in sorted(known.items()) if number < asked.frames]
    show(figures(frames), f"Burned-in text, {len(frames)} generated frames")


def _measured(wanted: list[int], results: Path | None) -> list[Frame]:
    measured = []
    with tempfile.TemporaryDirectory(prefix="bench-burned-") as folder:
        order = task()
        for number in wanted:
            measured.append(frame(number, Path(folder), order))
            if results is not None:
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(measured[-1].dumped()) + "\n")
            if len(measured) % EVERY == 0:
                print(f"{len(measured)} of {len(wanted)} frames", file=sys.stderr, flush=True)
    return measured


def _read(path: Path) -> list[Frame]:
    """What was measured before; a last line that a stop cut off is measured again."""
    if not path.exists():
        return []
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    path.write_text(whole + "\n" * bool(whole), encoding="utf-8")
    return [Frame.loaded(json.loads(line)) for line in whole.splitlines()]


if __name__ == "__main__":
    main()

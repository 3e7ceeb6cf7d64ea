"""How fast is an uncompressed loop blanked, and in how much memory? `python -m benchmarks.loops`.

Ultrasound of 800 x 600 in RGB, three boxes in all frames. `--quick` takes few frames.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.measured import loops
from benchmarks.pipeline import Figure, show

RATIO, MOST_MS, MOST_MIB = 1.5, 2.0, 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything, as in CI")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-loops-") as folder:
        show(measured(Path(folder), quick=asked.quick), "Blanking a loop on this machine")


def measured(folder: Path, *, quick: bool) -> list[Figure]:
    plain, blanked, arrays = loops.costs(folder, 10 if quick else 100, 5 if quick else 7)
    ratio = blanked / plain
    most = loops.memory(folder, 20 if quick else 1500)
    unit = "ms CPU a frame"
    return [
        Figure("written as it is", plain, unit),
        Figure("blanked and written", blanked, unit, "at most 2.0", blanked <= MOST_MS),
        Figure("  blanked / as it is", ratio, "", "at most 1.5", ratio <= RATIO),
        Figure("pydicom: arrays", arrays, unit),
        Figure(
            f"{'29 MB' if quick else '2.2 GB'} cleaned and blanked: memory",
            most, "MiB", "under 300", most < MOST_MIB,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main()

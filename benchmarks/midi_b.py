"""Would our de-identification have won MIDI-B? Ten kinds of actions on patients of our own.

`python -m benchmarks.midi_b [--patients 300]`. Exit code 1 unless every removal, UID, date and
patient ID is right, no file is missing, and at least 99.95 % of all actions are right.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.midi.run import run


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--patients", type=int, default=300)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--jobs", type=int, default=2)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="midi-") as folder:
        result = run(Path(folder), asked.patients, asked.seed, asked.jobs)
    print(f"{result.patients} patients, {result.files} files, seed {asked.seed}")
    print("\n".join(result.score.lines()))
    for code, count in result.summary["reasons"].items():
        print(f"  held {count:7} files: {code}")
    print("passed" if result.score.passed else "failed: see above")
    return 0 if result.score.passed else 1


if __name__ == "__main__":
    sys.exit(main())

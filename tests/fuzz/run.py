"""Can any bytes make the walker or the cleaner fail in a way that nobody foresaw? Search for some.

`python -m tests.fuzz.run [--minutes 10]`: begins with the corpus beside this file, works in a copy
of it, and leaves what it found under .overread/fuzz. Exit code 0: nothing was found.
"""

import argparse
import shutil
import sys
from pathlib import Path

import atheris
from pydicom.pixels.decoders import base

with atheris.instrument_imports(include=["services.deid", "shared.runtime.dicom"]):
    from tests.fuzz.target import attempt

CORPUS = Path(__file__).parent / "corpus"
PLACE = Path(".overread") / "fuzz"
_LARGEST = 16 << 10  # bytes of an input
_SLOW = 25  # seconds that one input may take, instrumented and on a busy machine


def found(content: bytes) -> None:
    attempt(content)


def without_aborts() -> None:
    """Leave out the one decoder that ends the program instead of raising: the sandbox's matter."""
    for decoder in base._PIXEL_DATA_DECODERS.values():
        if "gdcm" in decoder[0].available_plugins:
            decoder[0].remove_plugin("gdcm")


def main() -> None:
    without_aborts()
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=10)
    minutes = asked.parse_args().minutes
    work = PLACE / "corpus"
    shutil.copytree(CORPUS, work, dirs_exist_ok=True)
    options = {
        "max_total_time": int(minutes * 60),
        "max_len": _LARGEST,
        "timeout": _SLOW,
        "rss_limit_mb": 1024,
        "artifact_prefix": f"{PLACE}/",
        "print_final_stats": 1,
        "verbosity": 1,
    }
    argv = [sys.argv[0], str(work), *(f"-{name}={value}" for name, value in options.items())]
    atheris.Setup(argv, found)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""How much memory does a multi-frame of two gigabytes take?

Uncompressed it is made sparse: zeros cost no disk. Compressed it has a comment in each frame and
bytes behind it, so that all lengths change.
"""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.measured.series import multi_frame_compressed, multi_frame_header

_CHILD = """
import json, resource, sys, time
from pathlib import Path
from benchmarks.measured.engine import task
from services.deid.gateways.instance import clean_instance
began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
receipt = clean_instance(Path(sys.argv[1]), Path(sys.argv[2]), task())
assert not receipt.doubts, receipt.doubts
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([time.process_time() - began, before, after]))
"""


def measured(folder: Path, frames: int) -> tuple[float, float]:
    """Give seconds of processor time, and the most MiB resident in the process that cleaned."""
    header, pixels = multi_frame_header(frames)
    with _source(folder).open("wb") as file:
        file.write(header)
        file.truncate(len(header) + pixels)
    return _cleaned(folder, pixels)


def compressed(folder: Path, size: int) -> tuple[float, float]:
    """The same of a file of about `size` bytes."""
    with _source(folder).open("wb") as file:
        left = multi_frame_compressed(file, size)
    return _cleaned(folder, left)


def _source(folder: Path) -> Path:
    return folder / "large.dcm"


def _cleaned(folder: Path, least: int) -> tuple[float, float]:
    """And its pixels have at least so many bytes afterwards."""
    source, target = _source(folder), folder / "large.clean.dcm"
    done = subprocess.run(  # noqa: S603 - our own argv, no shell
        [sys.executable, "-c", _CHILD, str(source), str(target)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, _, most = json.loads(done.stdout)
    assert target.stat().st_size > least
    for one in (source, target):
        one.unlink()
    return seconds, most / 1024

"""How much memory does a multi-frame of two gigabytes take? Made sparse: zeros cost no disk."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.measured.series import multi_frame_header

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
    source, target = folder / "large.dcm", folder / "large.clean.dcm"
    header, pixels = multi_frame_header(frames)
    with source.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + pixels)
    done = subprocess.run(  # noqa: S603 - our own argv, no shell
        [sys.executable, "-c", _CHILD, str(source), str(target)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, _, most = json.loads(done.stdout)
    assert target.stat().st_size > pixels
    for one in (source, target):
        one.unlink()
    return seconds, most / 1024

"""What do other de-identifiers make of the same files? Each in an environment of its own."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Versions that were measured before, so that a figure in the README can be got again.
PACKAGES = {
    "dicognito": "dicognito==0.19.0",
    "deid": "deid==0.4.13",
    "dicom-anonymizer": "dicom-anonymizer==2.1.0",
}
_SCRIPT = Path(__file__).parents[1] / "peers" / "one.py"
_INSTALL_SECONDS, _RUN_SECONDS = 600, 1800


@dataclass(frozen=True, slots=True)
class Ran:
    """What a peer did: seconds of processor time for all files; or why it wasn't run."""

    name: str
    seconds: float = 0.0
    faults: tuple[str, ...] = ()
    skipped: str = ""


def run(name: str, source: Path, out: Path) -> Ran:
    """Let a peer clean a folder into another; what it can't do is told, never raised."""
    python = _python(name)
    if python is None:
        return Ran(name, skipped=f"{PACKAGES[name]} can't be installed here")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    command = [str(python), str(_SCRIPT), name, str(source), str(out)]
    try:
        done = _call(command, _RUN_SECONDS)
        told = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError):
        return Ran(name, skipped=f"{name} failed on these files")
    return Ran(name, told["seconds"], tuple(told["faults"]))


def _python(name: str) -> Path | None:
    """The peer's own Python, made the first time; None when that fails."""
    if name not in PACKAGES:
        return Path(sys.executable)
    folder = ROOT / ".overread" / "peers" / name
    python = folder / "bin" / "python"
    ready = folder / PACKAGES[name].replace("==", "-")
    try:
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _call([sys.executable, "-m", "venv", str(folder)], _INSTALL_SECONDS)
            pip = [str(python), "-m", "pip", "install", "--quiet", PACKAGES[name]]
            _call(pip, _INSTALL_SECONDS)
            ready.touch()
    except (subprocess.SubprocessError, OSError):
        return None
    return python


def _call(command: list[str], seconds: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own argv, no shell
        command, capture_output=True, text=True, check=True, timeout=seconds
    )

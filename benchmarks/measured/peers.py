"""What do other de-identifiers make of the same files? Each in an environment of its own."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Versions that were measured before, so that a figure in the README can be got again.
PACKAGES = {
    "dicognito": "dicognito==0.19.0",
    "deid": "deid==0.4.13",
    "dicom-anonymizer": "dicom-anonymizer==2.1.0",
    "dcmanon": "dcmanon==0.3.1",
}
_SCRIPT = Path(__file__).parents[1] / "peers" / "one.py"
_INSTALL_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Ran:
    """What a peer did: seconds of processor time for all files; or why it wasn't run."""

    name: str
    seconds: float = 0.0
    faults: tuple[str, ...] = ()
    skipped: str = ""


@dataclass(frozen=True)
class Peer:
    """One that is running, with its libraries loaded; it waits for folders."""

    name: str
    child: "subprocess.Popen[str]"

    def clean(self, source: Path, out: Path) -> Ran:
        """Let it clean a folder into another; what it can't do is told, never raised."""
        out.mkdir(parents=True, exist_ok=True)
        try:
            print(json.dumps([str(source), str(out)]), file=self.child.stdin, flush=True)
            told = json.loads(self.child.stdout.readline() if self.child.stdout else "")
        except (OSError, ValueError):
            return Ran(self.name, skipped=f"{self.name} failed on these files")
        return Ran(self.name, told["seconds"], tuple(told["faults"]))


@contextmanager
def started(name: str) -> Iterator[Peer | None]:
    """Give a peer at work; None when it can't be installed."""
    python = _python(name)
    if python is None:
        yield None
        return
    with subprocess.Popen(  # noqa: S603 - our own argv, no shell
        [str(python), str(_SCRIPT), name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as child:  # fmt: skip
        yield Peer(name, child)


def run(name: str, source: Path, out: Path) -> Ran:
    """Let a peer clean one folder once."""
    with started(name) as peer:
        if peer is None:
            return Ran(name, skipped=f"{PACKAGES[name]} can't be installed here")
        return peer.clean(source, out)


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


def _call(command: list[str], seconds: int) -> None:
    subprocess.run(  # noqa: S603 - our own argv, no shell
        command, capture_output=True, check=True, timeout=seconds
    )

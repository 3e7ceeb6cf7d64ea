"""What does this machine need before Overread runs here, and how does it get there once?

Run by bin/setup with the system's Python, so it and all it imports use the standard library only.
What was installed is stamped: the second run needs no network and takes a fraction of a second.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import deque
from collections.abc import Sequence

from shared.runtime.local.failure import SetupError
from shared.runtime.local.kafka.jars import CACHE, POM, fetch_jars, find_java, find_maven, has_jars
from shared.runtime.local.places import CHECKOUT, Places

VENV = CHECKOUT / ".venv"
STAMP = VENV / "overread.stamp"
LOCK = CHECKOUT / "requirements.lock"
OWN = ("benchmarks", "cli", "examples", "services", "shared")
MINIMUM_FREE = 2 * 10**9  # bytes: .venv has 0.9 GB, its wheels pass through the disk too
OFFLINE = re.compile(
    r"name resolution|NewConnectionError|Network is unreachable|Connection refused|timed out|"
    r"Max retries|Could not connect|from versions: none"
)


def main() -> int:
    try:
        _set_up()
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        if error.quote:
            print(error.quote, file=sys.stderr)
        return 1
    return 0


def _set_up() -> None:
    Places(CACHE.parent).root.mkdir(mode=0o700, exist_ok=True)
    with (CACHE.parent / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_complete():
            _compile()
            return
        _demand_room()
        find_java()
        if not has_jars():
            find_maven()
        _demand_venv_module()
        _make_venv()
        _install()
        _say("fetching Kafka by Maven (44 MB, once)")
        fetch_jars(tell=_progress)
        _prepare_fast_start()
        _compile()
        STAMP.write_text(_fingerprint(), encoding="utf-8")
        _say("the set-up is complete")


def _is_complete() -> bool:
    return has_jars() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == _fingerprint()


def _fingerprint() -> str:
    """Of all that decides what is installed, and where: a moved checkout is installed anew."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = (
        str(CHECKOUT),
        sys.version,
        LOCK.read_text(encoding="utf-8"),
        POM.read_text(encoding="utf-8"),
        repr((project["project"], project["tool"]["setuptools"])),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _demand_room() -> None:
    free = shutil.disk_usage(CHECKOUT).free
    if free < MINIMUM_FREE:
        needed = MINIMUM_FREE // 10**6
        raise SetupError(
            f"the disk is full: {free // 10**6} MB are free, the set-up needs {needed} MB",
            mend=f"make room where {CHECKOUT} stands",
        )


def _demand_venv_module() -> None:
    """Debian keeps it in a package of its own; root gets it, others are told."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    apt = shutil.which("apt-get")
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if apt is None or os.geteuid() != 0:
        raise SetupError(
            "Python's venv module is missing", mend=f"`apt-get install {package}`, as root"
        )
    _say(f"installing {package}")
    for argv in ((apt, "-qq", "update"), (apt, "-qq", "install", "-y", package)):
        _run(argv, f"{package} could not be installed")


def _make_venv() -> None:
    if _venv_works():
        return
    _say("making .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    _run((sys.executable, "-m", "venv", str(VENV)), "no virtual environment could be made")


def _venv_works() -> bool:
    """Not when it was moved, or made by a Python that is gone or another one."""
    python = VENV / "bin" / "python"
    if not python.exists():
        return False
    asked = (str(python), "-c", "import pip, sys; print(sys.prefix, sys.version_info[:2])")
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return told.stdout.strip() == f"{VENV} {sys.version_info[:2]}"


def _install() -> None:
    """Exactly the locked packages, each checked by its hash; then ourselves, without a download.

    The lock is complete, so nothing is resolved: Debian's pip would look for the newest release
    of what a package asks for with an extra, and refuse it for standing in no lock.
    """
    pip = (str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
    install = (*pip, "install", "--progress-bar=off", "--retries=2", "--timeout=20")
    count = len(re.findall(r"^\S+==", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    _say(f"installing {count} packages into .venv (once)")
    locked = ("--no-deps", "--require-hashes", "-r", str(LOCK))
    _run((*install, *locked), "the packages could not be installed")
    own = ("--no-deps", "--no-build-isolation", "-e", str(CHECKOUT))
    _run((*install, "-q", *own), "overread itself could not be installed")


def _prepare_fast_start() -> None:
    """A matter of speed alone, so a failure is told and forgotten."""
    _say("preparing Kafka's fast start (once)")
    module = "shared.runtime.local.kafka.archive"
    try:
        _run((str(VENV / "bin" / "python"), "-m", module), "it stays slow")
    except SetupError as error:
        _say(str(error))


def _compile() -> None:
    """Write the bytecode that is missing: a process that may not would compile us at each start."""
    own = [str(CHECKOUT / name) for name in OWN]
    argv = (str(VENV / "bin" / "python"), "-m", "compileall", "-q", *own)
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def _run(argv: Sequence[str], failed: str) -> None:
    """Run it, showing that it moves; raises SetupError with its last words."""
    last: deque[str] = deque(maxlen=15)
    collected = 0
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        for line in child.stdout or ():
            last.append(line.rstrip())
            if line.startswith("Collecting "):
                collected += 1
                _progress(f"{collected} {line.split()[1].partition('=')[0]}")
    if child.returncode != 0:
        offline = any(OFFLINE.search(line) for line in last)
        mend = "is the network there? The first set-up needs it" if offline else ""
        raise SetupError(failed, mend=mend, quote="\n".join(last))


def _say(sentence: str) -> None:
    print(f"set-up: {sentence}", flush=True)


def _progress(sentence: str) -> None:
    """On a terminal one line that changes; in a log every tenth would say no more than none."""
    if sys.stdout.isatty():
        print(f"\r  {sentence:<60}", end="\r", flush=True)


if __name__ == "__main__":
    sys.exit(main())

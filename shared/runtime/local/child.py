"""How does one server run as an operating-system child, and how is every trace of it removed?"""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.runtime import clock
from shared.runtime.local.failure import SetupError

LARGE_LOG = 50 * 10**6  # bytes
POLL_SECONDS = 0.02  # an existing process is asked for its state: cheap, so asked often


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `environment` is the child's whole environment; None hands on our own."""

    name: str
    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    folder: Path | None = None


class Child:
    """One child, in a session of its own so that a terminal's Ctrl-C does not reach it.

    `record` names the running process on disk, so that a later start can remove what a crash left.
    """

    def __init__(self, command: Command, record: Path) -> None:
        self.command = command
        self.record = record
        self._started: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._started is None:
            raise SetupError(f"{self.command.name} has not been started")
        return self._started.pid

    @property
    def is_alive(self) -> bool:
        return self._started is not None and self._started.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self._started is None else self._started.poll()

    def start(self) -> None:
        """Start it, after removing what an earlier crash left of it."""
        if self.is_alive:
            return
        remove_leftover(self.record)
        turn_over(self.command.log)
        self.record.parent.mkdir(parents=True, exist_ok=True)
        with self.command.log.open("ab") as log:
            self._started = subprocess.Popen(
                self.command.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if self.command.environment is None else dict(self.command.environment),
                cwd=self.command.folder,
                start_new_session=True,
            )
        write_record(self.record, self._started.pid)

    def await_ready(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `is_ready`; raises SetupError, quoting the log, when it dies or is slow."""
        deadline = clock.ticks() + seconds
        while not is_ready():
            if not self.is_alive:
                raise SetupError(
                    f"{self.command.name} ended with code {self.exit_code} while starting",
                    mend=f"its last words are in {self.command.log}",
                    quote=last_lines(self.command.log),
                )
            if clock.ticks() > deadline:
                raise SetupError(
                    f"{self.command.name} was not ready after {seconds:.0f} s",
                    mend=f"read {self.command.log}",
                    quote=last_lines(self.command.log),
                )
            time.sleep(POLL_SECONDS)

    def stop(self, sign: signal.Signals = signal.SIGTERM, seconds: float = 20) -> None:
        """Ask it to end, and end it with all its children when it does not within `seconds`."""
        if self._started is None:
            return
        if self.is_alive:
            self._started.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._started.wait(seconds)
        self.kill9()

    def kill9(self) -> None:
        """End it and all its children at once, as a power cut would."""
        if self._started is None:
            return
        kill_tree(self._started.pid)
        self._started.wait()
        self.record.unlink(missing_ok=True)


def write_record(record: Path, pid: int) -> None:
    started = psutil.Process(pid).create_time()
    record.write_text(json.dumps({"pid": pid, "started": started}), encoding="utf-8")


def recorded_process(record: Path) -> psutil.Process | None:
    """The process a record names, if it still runs; the start time tells a reused pid apart."""
    try:
        entry = json.loads(record.read_text(encoding="utf-8"))
        process = psutil.Process(int(entry["pid"]))
        same = abs(process.create_time() - float(entry["started"])) < 1
        return process if same and _runs(process) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError, psutil.Error):
        return None


def remove_leftover(record: Path) -> None:
    """End the process that a record names, with its children, and forget the record."""
    process = recorded_process(record)
    if process is not None:
        kill_tree(process.pid)
    record.unlink(missing_ok=True)


def kill_tree(pid: int) -> None:
    """SIGKILL a process and all its descendants, and wait until each is gone.

    Descendants are listed first: Postgres's backends make sessions of their own, so a process
    group would miss them, and orphans can't be found by their parent any more.
    """
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    await_end(family, seconds=10)


def await_end(processes: Sequence[psutil.Process], seconds: float) -> None:
    """Wait until each has ended. A zombie has: some containers' init reaps only now and then."""
    deadline = clock.ticks() + seconds
    while clock.ticks() < deadline and any(_runs(process) for process in processes):
        time.sleep(POLL_SECONDS)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def turn_over(log: Path) -> None:
    """Begin a new log when the last one has grown large; the one before it is kept as `.1`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LARGE_LOG:
        log.rename(log.with_suffix(".log.1"))


def last_lines(log: Path, count: int = 12) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-count:])

"""Who keeps a stack running when nobody looks? One detached process, and how others speak to it.

`launch` starts it, `status` reads what it says of itself, `halt` ends it. It restarts whatever
dies, later each time, and forgets the past of what has run well for a while.
"""

import fcntl
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from shared.runtime import clock
from shared.runtime.local.child import (
    Child,
    await_end,
    recorded_process,
    remove_leftover,
    write_record,
)
from shared.runtime.local.failure import SetupError
from shared.runtime.local.files import write_private
from shared.runtime.local.places import CHECKOUT, Places
from shared.runtime.local.stack import Plan, Stack

Phase = Literal["starting", "running", "stopping", "failed"]
LOOK_SECONDS = 0.25
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
SOUND_SECONDS = 60.0  # who has run this long starts with a clean slate
LAUNCH_SECONDS = 420  # servers and services may take 180 s each on a busy machine
HALT_SECONDS = 120
POLL_SECONDS = 0.1
STEPS_KEPT = 200


@dataclass(frozen=True, slots=True)
class Status:
    """What the supervisor says of itself. `steps` are sentences, oldest first."""

    phase: Phase
    steps: tuple[str, ...] = ()
    what: str = ""
    mend: str = ""
    quote: str = ""


_STATUS = TypeAdapter(Status)
_PLAN = TypeAdapter(Plan)


@dataclass(slots=True)
class Watch:
    """One child's past: when it may be started again, and how long the wait is next time."""

    child: Child
    wait: float = FIRST_WAIT_SECONDS
    started: float = field(default_factory=clock.ticks)
    due: float | None = None

    def look(self, tell: Callable[[str], None]) -> None:
        now = clock.ticks()
        if self.child.is_alive:
            if now - self.started > SOUND_SECONDS:
                self.wait = FIRST_WAIT_SECONDS
            return
        if self.due is None:
            self.due = now + self.wait
            name, code = self.child.command.name, self.child.exit_code
            tell(f"{name} ended with code {code}: again in {self.wait:g} s")
            return
        if now >= self.due:
            self.child.start()
            self.started, self.due = now, None
            self.wait = min(self.wait * 2, LONGEST_WAIT_SECONDS)


def supervise(stack: Stack, ended: threading.Event, tell: Callable[[str], None]) -> None:
    """Restart what dies until `ended` is set. Nothing waits for readiness: programs retry."""
    watches = [Watch(child) for child in stack.children.values()]
    while not ended.wait(LOOK_SECONDS):
        for watch in watches:
            watch.look(tell)


def launch(plan: Plan, tell: Callable[[str], None]) -> None:
    """Start a detached supervisor and wait until all is ready; harmless when one runs.

    Raises SetupError with what the supervisor said when it could not start all.
    """
    places = Places(plan.folder.absolute())
    places.make()
    # Of two that start at once, the second finds the first one's supervisor and follows it.
    with (places.run / "launch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = status(places)
        if not is_supervised(places):
            before = None
            sweep(places)
            places.status.unlink(missing_ok=True)
            _spawn(places, plan)
    _follow(places, tell, len(before.steps) if before else 0)


def halt(places: Places) -> bool:
    """Stop all in order, and end what a crash may have left; says whether anything ran."""
    supervisor = recorded_process(places.supervisor)
    if supervisor is not None:
        supervisor.send_signal(signal.SIGTERM)
        await_end([supervisor], HALT_SECONDS)
    leftover = sweep(places)
    places.status.unlink(missing_ok=True)
    return supervisor is not None or bool(leftover)


def sweep(places: Places) -> list[str]:
    """End every process that a record names; gives the names of those that still ran."""
    records = places.records()
    running = [path for path in records if recorded_process(path) is not None]
    for record in records:
        remove_leftover(record)
    return [_child_of(path) for path in running]


def running_children(places: Places) -> dict[str, int]:
    """Of each child that runs, the pid; without the supervisor itself."""
    found = {_child_of(path): recorded_process(path) for path in places.records()}
    return {name: one.pid for name, one in found.items() if one and name != "supervisor"}


def is_supervised(places: Places) -> bool:
    return recorded_process(places.supervisor) is not None


def status(places: Places) -> Status | None:
    try:
        return _STATUS.validate_json(places.status.read_bytes())
    except FileNotFoundError:
        return None


def _child_of(record: Path) -> str:
    return record.parent.name if record.stem == "pid" else record.stem


def _spawn(places: Places, plan: Plan) -> None:
    places.logs.mkdir(parents=True, exist_ok=True)
    with places.log("supervisor").open("ab") as log:
        spawned = subprocess.Popen(
            [sys.executable, "-m", "shared.runtime.local.supervisor"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=CHECKOUT,
        )
    write_record(places.supervisor, spawned.pid)
    if spawned.stdin is None:
        raise SetupError("the supervisor takes no plan")
    # Through a pipe, as an external server's address holds a password and argv is public.
    spawned.stdin.write(_PLAN.dump_json(replace(plan, folder=places.root)))
    spawned.stdin.close()
    # It outlives us on purpose; forgetting it here keeps Python from warning of that.
    spawned.returncode = 0


def _follow(places: Places, tell: Callable[[str], None], shown: int) -> None:
    deadline = clock.ticks() + LAUNCH_SECONDS
    while clock.ticks() < deadline:
        now = status(places)
        for step in now.steps[shown:] if now else ():
            tell(step)
            shown += 1
        if now and now.phase == "running":
            return
        if now and now.phase == "failed":
            raise SetupError(now.what, mend=now.mend, quote=now.quote)
        if not is_supervised(places):
            raise SetupError("the supervisor ended", mend=f"read {places.log('supervisor')}")
        time.sleep(POLL_SECONDS)
    raise SetupError(f"not ready after {LAUNCH_SECONDS} s", mend=f"read {places.logs}")


class _Teller:
    """Keeps what the supervisor has said on disk, where `status` reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._status = Status("starting")
        self._write(self._status)

    def step(self, sentence: str) -> None:
        self._write(replace(self._status, steps=(*self._status.steps, sentence)[-STEPS_KEPT:]))

    def phase(self, phase: Phase) -> None:
        self._write(replace(self._status, phase=phase))

    def failed(self, error: SetupError) -> None:
        told = replace(self._status, what=error.what, mend=error.mend, quote=error.quote)
        self._write(replace(told, phase="failed"))

    def _write(self, status: Status) -> None:
        self._status = status
        write_private(self._path, _STATUS.dump_json(status).decode())


def _end(*_: object) -> None:
    """Leave whatever is going on, once: a second signal must not cut short the stopping."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def main() -> None:
    plan = _PLAN.validate_json(sys.stdin.buffer.read())
    teller = _Teller(Places(plan.folder).status)
    signal.signal(signal.SIGTERM, _end)
    stack = None
    try:
        stack = Stack(plan, teller.step)
        stack.start()
        teller.phase("running")
        supervise(stack, threading.Event(), teller.step)
    except SetupError as error:
        teller.failed(error)
    finally:
        if stack is not None:
            stack.stop()


if __name__ == "__main__":
    main()

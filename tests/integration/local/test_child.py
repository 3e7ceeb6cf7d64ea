"""Is a child ended with all its children, and is what a crash left found and told apart?"""

import os
import sys
from pathlib import Path
from traceback import format_exception

import psutil
import pytest

from shared.runtime.local import child as children
from shared.runtime.local.child import Child, Command, recorded_process, remove_leftover
from shared.runtime.local.failure import SetupError

SLEEPS = "import time; time.sleep(60)"
# A child in a session of its own, as Postgres's backends are: out of reach of a group's signal.
WITH_CHILD = f"""
import subprocess, sys
inner = subprocess.Popen([sys.executable, "-c", {SLEEPS!r}], start_new_session=True)
print(inner.pid, flush=True)
inner.wait()
"""


def child_of(folder: Path, code: str) -> Child:
    command = Command("sleeper", (sys.executable, "-c", code), folder / "sleeper.log")
    return Child(command, folder / "sleeper.json")


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_kill_ends_children_that_made_a_session_of_their_own(tmp_path: Path) -> None:
    child = child_of(tmp_path, WITH_CHILD)
    child.start()
    child.await_ready(lambda: bool(child.command.log.read_text()), seconds=120)
    inner = int(child.command.log.read_text())

    child.kill9()

    assert not is_running(inner)
    assert not child.is_alive
    assert not child.record.exists()


def test_a_child_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
    child = child_of(tmp_path, f"{deaf}\n{SLEEPS}")
    child.start()
    child.await_ready(lambda: "deaf" in child.command.log.read_text(), seconds=120)

    child.stop(seconds=0.2)

    assert not child.is_alive


def test_start_ends_what_an_earlier_start_left(tmp_path: Path) -> None:
    forgotten, again = child_of(tmp_path, SLEEPS), child_of(tmp_path, SLEEPS)
    forgotten.start()

    again.start()

    assert not forgotten.is_alive
    assert again.is_alive
    again.kill9()


@pytest.mark.parametrize(
    "record",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"pid": "x", "started": 1}',
        '{"pid": 999999999, "started": 1}',
        '{"pid": OURS, "started": 1}',
    ],
)
def test_a_record_that_names_nobody_or_a_stranger_ends_nobody(tmp_path: Path, record: str) -> None:
    """The last one: our own pid with another start time, as when a pid was given out again."""
    path = tmp_path / "x.json"
    path.write_text(record.replace("OURS", str(os.getpid())))

    assert recorded_process(path) is None
    remove_leftover(path)

    assert not path.exists()


def test_a_child_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = child_of(tmp_path, "raise SystemExit('out of luck')")
    child.start()

    with pytest.raises(SetupError, match="sleeper ended with code 1") as raised:
        child.await_ready(lambda: False, seconds=120)

    assert raised.value.quote == "out of luck"
    assert "out of luck" in "".join(format_exception(raised.value)), "a failed test shows it too"


def test_a_child_that_is_never_ready_is_told(tmp_path: Path) -> None:
    child = child_of(tmp_path, SLEEPS)
    child.start()

    with pytest.raises(SetupError, match="sleeper was not ready after 0 s"):
        child.await_ready(lambda: False, seconds=0.1)

    child.kill9()


def test_a_large_log_is_turned_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "LARGE_LOG", 3)
    child = child_of(tmp_path, SLEEPS)
    child.command.log.write_text("yesterday")

    child.start()
    child.kill9()

    assert child.command.log.read_text() == ""
    assert (tmp_path / "sleeper.log.1").read_text() == "yesterday"

"""What can't be read is held and told; what can't be written, or isn't there, is one sentence."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from cli.cleaning import Asked, Run
from cli.faults import copied, told_clearly
from services.deid.domain.identity import Keyring
from services.deid.domain.policy import SECOND_OPINION
from shared.runtime.local.failure import SetupError
from tests.integration.cli.test_deid import ct, held, overread
from tests.unit.deid.files import KEY

LONG = "d" * 250
FULL = 30_000  # bytes that a file may have; a clean CT has more


@pytest.fixture
def given(tmp_path: Path) -> Path:
    folder = tmp_path / "given"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.dcm").write_bytes(ct(number))
    return folder


def reasons(output: Path) -> dict[str, str]:
    told = [json.loads(one.read_text()) for one in (output / "quarantine").glob("*.json")]
    return {one["source"]: one["reasons"][0]["detail"] for one in told}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_that_can_not_be_read_is_held_and_its_neighbours_go(
    given: Path, tmp_path: Path, jobs: str
) -> None:
    (given / "b.dcm").symlink_to("/proc/self/mem")
    (tmp_path / "report.txt").write_text("No fracture.")
    report = ("--report", tmp_path / "report.txt")

    done = overread(given, tmp_path / "out", "--jobs", jobs, *report)

    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert held(tmp_path / "out") == {"b.dcm": ["not_opened"]}
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 2


def test_a_folder_that_can_not_be_listed_is_told(given: Path, tmp_path: Path) -> None:
    """Its path is too long for the system, which root can't overrule as it does permissions."""
    deep = os.open(given, os.O_RDONLY)
    for _ in range(18):
        os.mkdir(LONG, dir_fd=deep)
        deeper = os.open(LONG, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(os.open("unseen.dcm", os.O_CREAT | os.O_WRONLY, dir_fd=deep))
    os.close(deep)

    done = overread(given, tmp_path / "out")

    assert done.returncode == 3, done.stderr
    ((name, detail),) = reasons(tmp_path / "out").items()
    assert set(name) == {"d", "/"}
    assert detail == "a folder that can't be listed: File name too long"
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 2
    subprocess.run(["rm", "-rf", given], check=True)  # noqa: S603, S607 - pathlib can't either


async def test_a_file_that_is_gone_when_its_turn_comes_is_held(given: Path, tmp_path: Path) -> None:
    asked = Asked(given, tmp_path / "out", Keyring((KEY,)), "local", SECOND_OPINION)
    (given / "gone.dcm").write_bytes(ct(7))

    class Hasty(Run):
        async def _clean(self, *rest: object) -> None:
            (given / "gone.dcm").unlink()
            await super()._clean(*rest)  # type: ignore[arg-type]

    summary = await Hasty(asked).finish()

    assert (summary.released, summary.quarantined) == (2, 1)
    assert reasons(tmp_path / "out") == {"gone.dcm": "can't be read: No such file or directory"}


def test_where_the_disk_is_full_one_sentence_says_so(given: Path, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "cli", "deid", str(given), str(tmp_path / "out")]

    done = subprocess.run(  # noqa: S603
        program,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # noqa: TID251
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, FULL)),
    )

    assert done.returncode == 1
    assert done.stderr.startswith("overread: OUTPUT can't be written: File too large")
    assert "not complete" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").rglob("certificate.json"))


@pytest.mark.parametrize("kind", ["folder", "zip", "pipe"])
def test_where_there_is_nothing_to_clean_it_says_so(tmp_path: Path, kind: str) -> None:
    given, says = tmp_path / "given", "holds no file"
    if kind == "folder":
        (given / "deep").mkdir(parents=True)
    elif kind == "zip":
        ZipFile(given, "w").close()
    else:
        os.mkfifo(given)
        says = "neither a file nor a folder"

    done = overread(given, tmp_path / "out")

    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_reason_names_the_member_of_a_zip_and_the_terminal_does_not(tmp_path: Path) -> None:
    archive = tmp_path / "disc.zip"
    with ZipFile(archive, "w", ZIP_DEFLATED) as opened:
        opened.writestr("IMG/HARTIGAN^SEAN\x1b.dcm", b"no image")
        opened.writestr("one.dcm", ct(1))

    done = overread(archive, tmp_path / "out")

    (file,) = (tmp_path / "out" / "quarantine").glob("*.json")
    told = json.loads(file.read_text())
    assert (told["source"], told["member"]) == ("disc.zip, file 1", "IMG/HARTIGAN^SEAN\x1b.dcm")
    assert "\x1b" not in file.read_text()
    assert "HARTIGAN" not in done.stdout + done.stderr
    assert done.returncode == 3


def test_a_copy_ends_where_its_file_says(tmp_path: Path) -> None:
    copied(Path("/proc/self/status"), tmp_path / "copy")  # it says that it has no bytes
    copied(tmp_path / "nothing", tmp_path / "none")

    assert (tmp_path / "copy").read_bytes() == b""
    assert not (tmp_path / "none").exists()


def test_a_mistake_of_ours_keeps_its_trace() -> None:
    both = ExceptionGroup("", [OSError(28, "full"), KeyError("ours")])

    with pytest.raises(ExceptionGroup), told_clearly():
        raise both
    with pytest.raises(SetupError, match="No space left"), told_clearly():
        raise ExceptionGroup("", [ExceptionGroup("", [OSError(28, "full")])])

"""Is a clean file as valid as the raw one was? Judged by dciodvfy, on every file pydicom brings.

`.ci/run` installs Debian's dicom3tools where dciodvfy is missing; elsewhere that test is skipped.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pydicom
import pytest

from services.deid.domain.policy import SECOND_OPINION
from services.deid.gateways.instance import clean_instance
from tests.unit.deid.files import task

VALIDATOR = shutil.which("dciodvfy")
DATA = Path(pydicom.__file__).parent / "data"
FILES = sorted(one for one in DATA.rglob("*") if one.is_file() and one.suffix in {".dcm", ""})
UNREADABLE = "read failed"  # it reads no deflated data set, and nothing it then says is about it

pytestmark = pytest.mark.timeout(600)


def errors(file: Path) -> set[str]:
    """What is wrong with a file, without the UIDs, which are meant to differ."""
    done = subprocess.run([str(VALIDATOR), str(file)], capture_output=True, check=False, timeout=60)  # noqa: S603
    told = (done.stdout + done.stderr).decode("latin-1").splitlines()
    return {_without_uids(one) for one in told if one.startswith("Error") or UNREADABLE in one}


def _without_uids(line: str) -> str:
    return re.sub(r"<?\b[\d.]{7,}\b>?|\b0$", "UID", re.sub(r"\s+", " ", line))


# A few at each run, all of them with `pytest -m slow`.
EXTENT = [
    pytest.param(FILES[::4], id="some"),
    pytest.param(FILES, id="all", marks=pytest.mark.slow),
]


@pytest.mark.skipif(VALIDATOR is None, reason="dciodvfy is missing: install dicom3tools")
@pytest.mark.parametrize("files", EXTENT)
def test_no_file_gets_an_error_it_did_not_have(files: Sequence[Path], tmp_path: Path) -> None:
    clean, compared, worse = tmp_path / "clean.dcm", 0, {}
    for file in files:
        clean_instance(file, clean, task(SECOND_OPINION))
        if not clean.exists():
            continue  # no sound DICOM: held
        before, after = errors(file), errors(clean)
        if not any(UNREADABLE in one for one in before):
            compared += 1
            if after - before:
                worse[file.name] = after - before
        clean.unlink()

    assert worse == {}
    assert compared > 0.6 * len(files)


@pytest.mark.parametrize("files", EXTENT)
def test_cleaning_a_cleaned_file_changes_nothing(files: Sequence[Path], tmp_path: Path) -> None:
    once, twice, seen = tmp_path / "once.dcm", tmp_path / "twice.dcm", 0
    for file in files:
        first = clean_instance(file, once, task(SECOND_OPINION))
        if once.exists() and not first.doubts:  # what is held is not clean yet
            clean_instance(once, twice, task(SECOND_OPINION))
            assert twice.read_bytes() == once.read_bytes(), file.name
            seen += 1
        once.unlink(missing_ok=True)

    assert seen > 0.3 * len(files)  # many show a head, or do not say of what they are

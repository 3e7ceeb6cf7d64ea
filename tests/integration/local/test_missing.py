"""What is a person told when something is missing? One sentence with the mend, no stack trace."""

import importlib.util
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.runtime.local import ports, preflight, setup
from shared.runtime.local.failure import SetupError
from shared.runtime.local.kafka.jars import fetch_jars
from shared.runtime.local.places import CHECKOUT, Places
from shared.runtime.local.stack import LISTENERS

NEEDED = ("pyproject.toml", "requirements.lock", "bin", "shared/__init__.py")
TOOLS = ("sh", "dirname", "java", "mvn", "setpriv")
NOWHERE = "http://127.0.0.1:9/simple"  # nobody listens there: as without a network
OUTER = dict(os.environ)  # noqa: TID251 - what the programs under test would see
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a fresh clone as the set-up looks at, on a machine that has nothing yet."""
    copy = tmp_path / "clone"
    (copy / "shared" / "runtime").mkdir(parents=True)
    for name in NEEDED:
        origin = CHECKOUT / name
        (shutil.copytree if origin.is_dir() else shutil.copy)(origin, copy / name)
    shutil.copy(CHECKOUT / "shared/runtime/__init__.py", copy / "shared/runtime")
    shutil.copytree(CHECKOUT / "shared/runtime/local", copy / "shared/runtime/local")
    return copy


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH of our own: the tools a machine would have, to take some away."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    (folder / "python3").symlink_to(sys.executable)
    return folder


def run(argv: list[str], tools: Path, folder: Path, **more: str) -> Done:
    environment = {**OUTER, "PATH": str(tools), "PYTHONDONTWRITEBYTECODE": "1", **more}
    return subprocess.run(  # noqa: S603 - argv is ours
        argv, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def assert_one_sentence(done: Done, *said: str) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for part in said:
        assert part in done.stderr


def test_no_java_stops_the_setup_before_anything_is_downloaded(checkout: Path, tools: Path) -> None:
    (tools / "java").unlink()

    done = run(["bin/setup"], tools, checkout)

    assert_one_sentence(done, "Java is missing: install Java 17", "apt-get install openjdk-17")
    assert not (checkout / ".venv").exists()


def test_an_old_java_is_told_by_its_number(checkout: Path, tools: Path) -> None:
    (tools / "java").unlink()
    (tools / "java").write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    (tools / "java").chmod(0o755)

    done = run(["bin/setup"], tools, checkout)

    assert_one_sentence(done, "Java 11 is too old for Kafka", "Java 17 or newer")


def test_no_maven_stops_the_setup_before_anything_is_downloaded(
    checkout: Path, tools: Path
) -> None:
    (tools / "mvn").unlink()

    done = run(["bin/setup"], tools, checkout)

    assert_one_sentence(done, "Maven is missing", "apt-get install maven")
    assert not (checkout / ".venv").exists()


def test_no_python_that_is_new_enough_is_told(checkout: Path, tools: Path) -> None:
    (tools / "python3").unlink()

    done = run(["bin/setup"], tools, checkout)

    assert_one_sentence(done, "no Python 3.11 or newer was found")


def test_no_network_at_the_first_setup_is_told(checkout: Path, tools: Path) -> None:
    done = run(["bin/setup"], tools, checkout, PIP_INDEX_URL=NOWHERE, PIP_NO_CACHE_DIR="1")

    assert_one_sentence(done, "could not be installed: is the network there?")
    assert not (checkout / ".venv" / setup.STAMP.name).exists()


def test_no_network_for_maven_is_told_and_leaves_no_half_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = f"-Dmaven.repo.local={tmp_path / 'repository'} -Duser.home={tmp_path}"
    monkeypatch.setenv("MAVEN_OPTS", repository)
    (tmp_path / ".m2").mkdir()
    mirror = f"<mirror><id>x</id><mirrorOf>*</mirrorOf><url>{NOWHERE}</url></mirror>"
    settings = f"<settings><mirrors>{mirror}</mirrors></settings>"
    (tmp_path / ".m2" / "settings.xml").write_text(settings)

    with pytest.raises(SetupError, match=r"Maven could not fetch Kafka: is the network there\?"):
        fetch_jars(tmp_path / "cache")

    assert list((tmp_path / "cache").iterdir()) == []


def test_a_python_without_venv_tells_an_ordinary_user_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    with pytest.raises(SetupError, match=f"apt-get install python{version}-venv"):
        setup._demand_venv_module()


def test_a_second_setup_needs_neither_network_nor_a_second(tools: Path) -> None:
    if not setup._is_complete():
        pytest.skip("this .venv was made by hand, not by bin/setup")
    (tools / "mvn").unlink()
    before = _spent_by_children()

    done = run([str(CHECKOUT / "bin/setup")], tools, CHECKOUT, PIP_INDEX_URL=NOWHERE)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert _spent_by_children() - before < 2


def _spent_by_children() -> float:
    """CPU seconds: how long they had to wait for a core is the machine's business."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def up(folder: Path, tools: Path, **more: str) -> Done:
    chosen = zip(LISTENERS, ports.free_ports(len(LISTENERS)), strict=True)
    variables = {preflight.PORT_VARIABLES[name]: str(port) for name, port in chosen}
    external = {"OVERREAD_KAFKA": "", "OVERREAD_POSTGRES": ""}
    argv = [sys.executable, "-m", "cli", "up", "--folder", str(folder)]
    return run(argv, tools, CHECKOUT, **{**variables, **external, **more})


@pytest.mark.parametrize(
    "variable", ["INTAKE_PORT", "OVERREAD_KAFKA_PORT", "OVERREAD_POSTGRES_PORT"]
)
def test_a_taken_port_is_told_with_its_holder_and_the_variable_that_changes_it(
    tmp_path: Path, tools: Path, taken: int, variable: str
) -> None:
    done = up(tmp_path / "o", tools, **{variable: str(taken)})

    assert_one_sentence(done, f"port {taken} for", "is taken by", f"another port with {variable}")


def test_a_port_that_is_none_is_told(tmp_path: Path, tools: Path) -> None:
    assert_one_sentence(up(tmp_path / "o", tools, DEID_PORT="http"), "DEID_PORT=http is no port")


def test_up_without_java_is_one_sentence(tmp_path: Path, tools: Path) -> None:
    (tools / "java").unlink()

    assert_one_sentence(up(tmp_path / "o", tools), "Java is missing", "openjdk-17")


def test_a_full_disk_is_told_in_megabytes(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"the disk is full: \d+ MB are free, 1000000000 MB"):
        preflight.demand_room(Places(tmp_path), minimum=10**15)


def test_a_damaged_key_file_is_told_without_its_content(tmp_path: Path, tools: Path) -> None:
    places = Places(tmp_path / "o")
    places.make()
    places.keys.write_text('{"postgres_admin": "hush"}')

    done = up(tmp_path / "o", tools)

    assert_one_sentence(done, "keys.json is damaged", "sealing")
    assert "hush" not in done.stderr


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path, tools: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    assert_one_sentence(up(file / "o", tools), f"{file / 'o'} can't be made", "OVERREAD_FOLDER")

"""Where are the broker's jars, and how do they get there once?"""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from shared.runtime.local.failure import SetupError

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).parents[4] / ".overread" / "cache"
MINIMUM_JAVA = 17  # Kafka 4: "brokers require Java 17"


def _silent(_: str) -> None:
    pass


def jars_folder(cache: Path = CACHE) -> Path:
    """Where the jars of this version stand; raises SetupError when the set-up has not run."""
    folder = _target(cache)
    if not has_jars(cache):
        raise SetupError("Kafka's jars are not here", mend="run `make setup`")
    return folder


def has_jars(cache: Path = CACHE) -> bool:
    return _target(cache).is_dir()


def fetch_jars(cache: Path = CACHE, tell: Callable[[str], None] = _silent) -> Path:
    """Copy the jars by Maven, unless they are here. A broken download leaves nothing behind."""
    folder = _target(cache)
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    argv = [find_maven(), "-B", "-f", str(POM), "dependency:copy-dependencies"]
    argv += ["-DincludeScope=runtime", f"-DoutputDirectory={unfinished}"]
    errors = []
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as maven:
        for line in maven.stdout or ():
            if " Downloaded from " in line:
                tell(line.partition(": ")[2].rpartition("/")[2].strip())
            if line.startswith("[ERROR]"):
                errors.append(line.strip())
    if maven.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise SetupError(
            "Maven could not fetch Kafka",
            mend="is the network there? The first set-up needs it; see also Maven's settings.xml",
            quote="\n".join(errors[:2]),
        )
    unfinished.rename(folder)
    return folder


def find_maven() -> str:
    maven = shutil.which("mvn")
    if maven is None:
        raise SetupError("Maven is missing", mend="install it, e.g. `apt-get install maven`")
    return maven


def find_java() -> str:
    """The path of a Java that Kafka accepts; raises SetupError when there is none."""
    java = shutil.which("java")
    if java is None:
        raise SetupError("Java is missing", mend=_java_mend())
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    number = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    if number is None or int(number[1]) < MINIMUM_JAVA:
        found = number[1] if number else "unknown"
        raise SetupError(f"Java {found} is too old for Kafka", mend=_java_mend())
    return java


def archive_file(cache: Path = CACHE) -> Path:
    """Where the archive of loaded classes for these jars stands (archive.py)."""
    folder = _target(cache)
    return folder.with_name(f"{folder.name}.jsa")


def _java_mend() -> str:
    return (
        f"install Java {MINIMUM_JAVA} or newer, e.g. "
        f"`apt-get install openjdk-{MINIMUM_JAVA}-jre-headless`"
    )


def _target(cache: Path) -> Path:
    version = re.search(r"<kafka.version>(.+?)</kafka.version>", POM.read_text(encoding="utf-8"))
    if version is None:
        raise SetupError(f"{POM.name} names no kafka.version", mend="restore it from git")
    return cache / f"kafka-{version[1]}"

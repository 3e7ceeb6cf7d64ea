"""What does each service's HTTP edge promise? OpenAPI from the routers that really run.

Each app is put together as its process does it, with throw-away keys and addresses where nobody
listens, and asked for its description before anything could connect.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from shared.contracts.topics import SERVICES
from shared.runtime.local.environment import Addresses, outer_environment, service_environment
from shared.runtime.local.keys import read_or_make_keys
from shared.runtime.service import running
from shared.runtime.settings import read

NOBODY = "127.0.0.1:9"  # the discard port


def render() -> dict[str, str]:
    """Give each service's description as JSON; it runs in a process with settings of its own."""
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run(
            [sys.executable, "-m", "cli.openapi"],
            env=_environment(Path(folder)),
            capture_output=True,
            check=False,
            text=True,
        )
    if said.returncode:
        raise RuntimeError(said.stderr[-2000:])
    described: Mapping[str, Any] = json.loads(said.stdout)
    return {
        service: json.dumps(one, indent=1, sort_keys=True) + "\n"
        for service, one in described.items()
    }


def _environment(folder: Path) -> dict[str, str]:
    addresses = Addresses(
        kafka=NOBODY,
        postgres={service: f"postgresql://{service}@{NOBODY}/none" for service in SERVICES},
        objects="memory:",
        issuer=f"http://{NOBODY}",
        ports=dict.fromkeys((*SERVICES, "issuer"), 9),
    )
    keys = read_or_make_keys(folder / "keys.json")
    environment = outer_environment()
    for service in SERVICES:
        environment |= service_environment(service, addresses, keys)
    return environment


async def _describe(name: str) -> dict[str, Any]:
    settings = read(import_module(f"services.{name}.settings").Settings)
    program = import_module(f"services.{name}.__main__")
    # Intake's rules have hours in them, which its settings give.
    service = program.SERVICE if hasattr(program, "SERVICE") else program.service(settings)
    async with running(service, settings) as (app, _):
        described: dict[str, Any] = app.openapi()
    return described


async def _describe_all() -> dict[str, Any]:
    return {service: await _describe(service) for service in SERVICES}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_describe_all())))

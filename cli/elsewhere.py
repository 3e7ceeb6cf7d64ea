"""How does Overread run on servers that others keep: Docker Compose, or a cluster of one's own?"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from shared.contracts.topics import SERVICES
from shared.runtime.local import environment
from shared.runtime.local.chosen import DEFAULT_PORTS, chosen_plan
from shared.runtime.local.clients import make_clients
from shared.runtime.local.database import service_dsn
from shared.runtime.local.failure import SetupError
from shared.runtime.local.files import write_private
from shared.runtime.local.keys import Keys, read_or_make_keys
from shared.runtime.local.places import CHECKOUT, Places
from shared.runtime.local.prepare import prepare_kafka, prepare_postgres
from shared.runtime.local.stack import Plan

SETTINGS = "environment.json"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - in a container only the mapped ports are reachable
MODULES = {**{name: f"services.{name}" for name in SERVICES}, "issuer": "shared.runtime.issuer"}


def init(
    folder: Annotated[Path, typer.Argument(help="where keys and each program's settings go")],
) -> None:
    """Prepare servers that run already: roles, schemas, topics, keys, and settings per program.

    OVERREAD_KAFKA, OVERREAD_POSTGRES, OVERREAD_OBJECTS and OVERREAD_ISSUER name the servers.
    Twice is harmless: keys and secrets that are there stay.
    """
    plan = chosen_plan(folder)
    servers = _servers(plan)
    keys = read_or_make_keys(Places(folder).keys)
    make_clients(Places(folder))
    asyncio.run(_prepare(servers, keys, plan))
    for name, variables in _settings(servers, keys, plan).items():
        write_private(folder / name / SETTINGS, json.dumps(variables, indent=2))
    typer.echo(f"roles, schemas and topics are there; settings are in {folder}")


def run(
    program: Annotated[str, typer.Argument(help=f"one of {', '.join(MODULES)}")],
    folder: Annotated[Path, typer.Argument(help="its folder among those that `init` wrote")],
) -> None:
    """Become one program, with the settings that `overread init` wrote for it.

    Its own variables in the environment (INTAKE_QUIET_SECONDS=2, ...) go over those.
    """
    if program not in MODULES:
        raise SetupError(f"no program is named {program}", mend=f"one of {', '.join(MODULES)}")
    try:
        written = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SetupError(f"{folder / SETTINGS} is missing", mend="run `overread init`") from None
    variables = environment.outer_environment() | written | environment.own_settings(program)
    os.chdir(CHECKOUT)
    os.execve(sys.executable, (sys.executable, "-m", MODULES[program]), variables)  # noqa: S606 - becoming it is the point


@dataclass(frozen=True, slots=True)
class _Servers:
    kafka: str
    postgres: str
    objects: str
    issuer: str


def _servers(plan: Plan) -> _Servers:
    told = {name: getattr(plan, name) for name in _Servers.__dataclass_fields__}
    missing = [f"OVERREAD_{name.upper()}" for name, address in told.items() if address is None]
    if missing:
        raise SetupError(f"{', '.join(missing)} not set", mend="say where these servers are")
    return _Servers(**told)


async def _prepare(servers: _Servers, keys: Keys, plan: Plan) -> None:
    await prepare_postgres(servers.postgres, keys.passwords, plan.database)
    await prepare_kafka(servers.kafka, plan.topic_prefix)


def _settings(servers: _Servers, keys: Keys, plan: Plan) -> dict[str, dict[str, str]]:
    logins = {
        service: service_dsn(servers.postgres, service, password, plan.database)
        for service, password in keys.passwords.items()
    }
    addresses = environment.Addresses(
        kafka=servers.kafka,
        postgres=logins,
        objects=servers.objects,
        issuer=servers.issuer,
        ports=DEFAULT_PORTS,
        topic_prefix=plan.topic_prefix,
        host=EVERYWHERE,
    )
    issuer = environment.issuer_environment(addresses, Places(plan.folder.absolute()).issuer)
    services = {name: environment.service_environment(name, addresses, keys) for name in SERVICES}
    return {**services, "issuer": issuer}

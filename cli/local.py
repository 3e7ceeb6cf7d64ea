"""How does a person start, stop and look at the Overread on this machine?"""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from shared.contracts.topics import SERVICES
from shared.runtime.local import preflight, supervisor
from shared.runtime.local.chosen import chosen_plan
from shared.runtime.local.places import DEFAULT_ROOT, Places
from shared.runtime.local.ports import HOST
from shared.runtime.local.stack import Plan

Folder = Annotated[
    Path, typer.Option(help="where keys, data and logs stand", envvar="OVERREAD_FOLDER")
]


def up(folder: Folder = DEFAULT_ROOT) -> None:
    """Start everything on this machine, and leave it running. Twice is harmless."""
    plan = chosen_plan(folder)
    places = Places(folder.absolute())
    places.make()
    if not supervisor.is_supervised(places):
        for name in supervisor.sweep(places):
            typer.echo(f"  ended {name}, which an earlier crash had left")
        preflight.check(plan)
    supervisor.launch(plan, lambda step: typer.echo(f"  {step}"))
    _show_addresses(plan, places)


def down(folder: Folder = DEFAULT_ROOT) -> None:
    """Stop everything in order. Data stay."""
    places = Places(folder.absolute())
    ran = supervisor.halt(places)
    typer.echo(f"stopped; data stay in {places.root}" if ran else "nothing was running")


def status(folder: Folder = DEFAULT_ROOT) -> None:
    """Say what runs, where, and what has been restarted. Ends with 1 when something is missing."""
    plan = chosen_plan(folder)
    places = Places(folder.absolute())
    told = supervisor.status(places)
    running = supervisor.running_children(places)
    typer.echo(f"supervisor: {told.phase if told else 'not running'}")
    for name, pid in sorted(running.items()):
        typer.echo(f"  {name:<10} pid {pid}")
    for step in told.steps[-5:] if told else ():
        typer.echo(f"  last: {step}")
    if told is None or told.phase != "running" or not supervisor.is_supervised(places):
        raise typer.Exit(1)
    _show_addresses(plan, places)


def _show_addresses(plan: Plan, places: Places) -> None:
    here = {name: f"{HOST}:{port}" for name, port in plan.ports.items()}
    kafka = plan.kafka or here["kafka"]
    postgres = urlsplit(plan.postgres).hostname if plan.postgres else here["postgres"]
    typer.echo("")
    for name in SERVICES:
        typer.echo(f"  {name:<10} http://{here[name]}")
    typer.echo(f"  issuer     {plan.issuer or 'http://' + here['issuer']}")
    typer.echo(f"  Kafka      {kafka}")
    typer.echo(f"  Postgres   {postgres}")
    typer.echo(f"  logs       {places.logs}")
    typer.echo(f"  secrets    {places.clients} (the issuer's clients)")

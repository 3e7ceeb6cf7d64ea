"""How does a command here act as a client of the Overread that `overread up` started?"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx
import typer

from cli.players import Answered, Operator, Partner, Player
from shared.contracts.topics import SERVICES
from shared.runtime.local.chosen import chosen_plan
from shared.runtime.local.failure import SetupError
from shared.runtime.local.places import DEFAULT_ROOT, Places
from shared.runtime.local.ports import HOST

P = TypeVar("P", bound=Player)
Folder = Annotated[
    Path, typer.Option(help="where keys, data and logs stand", envvar="OVERREAD_FOLDER")
]
Service = Annotated[str, typer.Argument(help="intake, deid, matching, reporting or notify")]
parked = typer.Typer(help="See and mend what a service could not handle.", no_args_is_help=True)


def submit(
    event: Annotated[Path, typer.Argument(help="a CloudEvent as JSON, see examples/cases")],
    image: Annotated[list[Path] | None, typer.Option(help="a DICOM file to send along")] = None,
    client: Annotated[str, typer.Option(help="the partner's client id")] = "st-brigid",
    folder: Folder = DEFAULT_ROOT,
) -> None:
    """Submit a case and its images as a partner would: the event as it stands in its file."""
    sent = _read(event)
    images = [_read(one) for one in image or []]

    async def go(partner: Partner) -> None:
        answer = await partner.send(sent)
        if images:
            await partner.store(images)
            answer = await partner.case(answer["case_id"])
        typer.echo(json.dumps(answer, indent=2))

    _as(Partner, client, folder, go)


def watch(
    client: Annotated[str, typer.Option(help="the partner's client id")] = "st-brigid",
    folder: Folder = DEFAULT_ROOT,
) -> None:
    """Follow the partner's cases through all services, until Ctrl-C."""

    async def go(partner: Partner) -> None:
        async for told in partner.timeline():
            entry = told["data"]
            typer.echo(f"{entry['at']}  {entry['case_id']}  {entry['type']}")

    _as(Partner, client, folder, go)


@parked.command("list")
def list_parked(service: Service, folder: Folder = DEFAULT_ROOT) -> None:
    """List what is parked in a service, oldest first."""

    async def go(operator: Operator) -> None:
        rows = await operator.parked(service)
        for row in rows:
            held = "waits" if row["behind"] else row["cause"]
            typer.echo(f"{row['id']:>6}  {row['case_id']}  {row['type']}  {held}")
        typer.echo(f"{len(rows)} parked")

    _as(Operator, "operator", folder, go, service)


@parked.command("replay")
def replay_parked(service: Service, number: int, folder: Folder = DEFAULT_ROOT) -> None:
    """Replay the queue of a parked event's case, in order; ends with 1 if one fails again."""
    path = f"/v1/operations/parked/{number}/replay"
    _told(_post(service, path, None, folder))


@parked.command("discard")
def discard_parked(
    service: Service,
    number: int,
    reason: Annotated[str, typer.Option(help="why; kept with your name")],
    folder: Folder = DEFAULT_ROOT,
) -> None:
    """Give a parked event up; what waited behind it is replayed."""
    path = f"/v1/operations/parked/{number}/discard"
    _told(_post(service, path, {"reason": reason}, folder))


def _post(service: str, path: str, body: Any, folder: Path) -> dict[str, Any]:
    async def go(operator: Operator) -> dict[str, Any]:
        return dict((await operator.ask("POST", service, path, json=body)).json())

    return _as(Operator, "operator", folder, go, service)


def _told(done: dict[str, Any]) -> None:
    typer.echo(f"replayed: {done['replayed'] or 'nothing'}")
    for again in done["parked_again"]:
        typer.echo(f"parked again: {again['id']}: {again['cause']}")
    if done["parked_again"]:
        raise typer.Exit(1)


T = TypeVar("T")


def _as(
    kind: type[P],
    client: str,
    folder: Path,
    go: Callable[[P], Awaitable[T]],
    service: str = "intake",
) -> T:
    """Run as one client of the local set-up; what is refused is one sentence."""
    if service not in SERVICES:
        raise SetupError(f"no service {service!r}", mend=f"take one of {', '.join(SERVICES)}")
    plan = chosen_plan(folder)
    urls = {name: f"http://{HOST}:{port}" for name, port in plan.ports.items()}
    secrets = _secrets(Places(folder.absolute()))
    if client not in secrets:
        raise SetupError(f"no client {client!r}", mend="take one of examples/clients.yaml")

    async def act() -> T:
        async with kind(urls, client, secrets[client]) as player:
            return await go(player)

    try:
        return asyncio.run(act())
    except Answered as answered:
        raise _refused(answered) from None
    except httpx.ConnectError:
        raise SetupError("nothing listens there", mend="start it: overread up") from None
    except httpx.TransportError:
        mend = "see whether all runs: overread status"
        raise SetupError("the answer broke off", mend=mend) from None


def _refused(answered: Answered) -> SetupError:
    """The problem's sentence, and below it each wrong field, as docs/problems.md has them."""
    problem = answered.problem
    fields = [
        f"{one.get('pointer') or one.get('parameter')}: {one['detail']}"
        for one in problem.get("errors", ())
    ]
    return SetupError(problem.get("detail") or str(answered.status), quote="\n".join(fields))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise SetupError(f"{file} can't be read", mend="look at its path") from None


def _secrets(places: Places) -> dict[str, str]:
    if not places.clients.exists():
        raise SetupError("no set-up here", mend="start it: overread up")
    return dict(json.loads(places.clients.read_text(encoding="utf-8")))

"""Are the published contracts what the code says? Writes them, and refuses what breaks others.

docs/asyncapi.yaml              every topic and event
docs/openapi/<service>.json     every HTTP edge
tests/contract/schemas/*.json   the golden schema of each event, which only ever grows
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from cli import asyncapi, openapi
from cli.compatibility import breaks
from shared.contracts.topics import EVENTS

ROOT = Path(__file__).parents[1]
SCHEMAS = Path("tests/contract/schemas")
MESSAGES = Path("tests/contract/messages")
ASYNCAPI = Path("docs/asyncapi.yaml")
OPENAPI = Path("docs/openapi")


def contracts(
    *, check: Annotated[bool, typer.Option(help="Write nothing; fail where one is stale.")] = False
) -> None:
    """Write AsyncAPI, OpenAPI and the golden schemas; refuse an incompatible change."""
    broken = list(incompatible(ROOT))
    for line in broken:
        typer.secho(line, fg="red", err=True)
    if broken:
        typer.echo("Add a v2 beside it instead (docs of contracts: CONTRIBUTING.md).", err=True)
        raise typer.Exit(1)
    stale = {at: text for at, text in rendered(ROOT).items() if _read(ROOT / at) != text}
    for at, text in stale.items():
        typer.echo(f"{'stale' if check else 'wrote'} {at}")
        if not check:
            (ROOT / at).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / at).write_text(text)
    if check and stale:
        raise typer.Exit(1)


def rendered(root: Path) -> dict[Path, str]:
    """Give every generated file as it should be."""
    edges = {OPENAPI / f"{service}.json": text for service, text in openapi.render().items()}
    return {**golden_schemas(), ASYNCAPI: asyncapi.render(root / MESSAGES), **edges}


def golden_schemas() -> dict[Path, str]:
    return {
        SCHEMAS / f"{short(kind)}.json": json.dumps(event.model_json_schema(), indent=1) + "\n"
        for kind, event in EVENTS.items()
    }


def incompatible(root: Path) -> Iterator[str]:
    """Compare each golden schema with the code; an event that is gone breaks, too."""
    today: Mapping[Path, str] = golden_schemas()
    for golden in sorted((root / SCHEMAS).glob("*.json")):
        at = golden.relative_to(root)
        if at not in today:
            yield f"{golden.stem}: the event is gone"
            continue
        for line in breaks(json.loads(golden.read_text()), json.loads(today[at])):
            yield f"{golden.stem} {line}"


def short(kind: str) -> str:
    return kind.removeprefix("org.overread.")


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None

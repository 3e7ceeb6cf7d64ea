"""How is a file, a folder or a ZIP de-identified without any server? `overread deid IN OUT`."""

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.certified import verified
from cli.cleaning import Asked, Run, Summary
from cli.faults import told_clearly
from cli.keyring import read_keyring
from services.deid.domain.policy import Policy
from services.deid.gateways.policies import SHIPPED, PolicyBroken, load_policy
from shared.runtime.local.failure import SetupError

_QUARANTINED = 3
Source = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT", help="a DICOM file, a folder or a ZIP; with --verify a certificate"
    ),
]
Target = Annotated[
    Path,
    typer.Argument(
        metavar="OUTPUT", help="a new or empty folder; with --verify what the certificate is about"
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        help="a file with base64 of at least 32 bytes, or the keys.json that `overread keys` "
        "keeps; without it a key is made up and forgotten, and nothing joins with another run; "
        "with --verify the certificate's seal is asked too"
    ),
]
PolicyFile = Annotated[
    Path | None, typer.Option(help="a policy as YAML; without it what a second opinion needs")
]
Reports = Annotated[
    list[Path] | None,
    typer.Option(help="a plain text on INPUT's one patient; may be given several times"),
]
_CHANGED = 1


def deid(  # noqa: PLR0913, PLR0917 - a command has as many options as it has
    source: Source,
    target: Target,
    key: KeyFile = None,
    policy: PolicyFile = None,
    partner: Annotated[str, typer.Option(help="whose patients these are")] = "local",
    report: Annotated[
        list[Path] | None,
        typer.Option(help="a text that belongs to INPUT, of one patient; may be given again"),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="processes")] = os.cpu_count() or 1,
    as_json: Annotated[bool, typer.Option("--json", help="print the summary as JSON")] = False,  # noqa: FBT002
    verify: Annotated[bool, typer.Option("--verify", help="has a byte changed since?")] = False,  # noqa: FBT002
) -> None:
    """De-identify images and their texts, and never touch the input.

    Ends with 3 when something was quarantined.
    """
    if verify:
        _verify(source, target, key)
        return
    asked = Asked(
        source=source,
        output=target,
        keys=read_keyring(key),
        partner=partner,
        policy=read_policy(policy),
        reports=tuple(report or ()),
        jobs=jobs,
    )
    with told_clearly():
        asked.check()
        summary = _watched(asked, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(asdict(summary), indent=2))
    else:
        _say(summary, target)
    if summary.quarantined:
        raise typer.Exit(_QUARANTINED)


def read_policy(file: Path | None) -> Policy:
    try:
        return load_policy(file or SHIPPED)
    except PolicyBroken as error:
        raise SetupError(f"--policy: {error}") from None


def _watched(asked: Asked, *, quiet: bool) -> Summary:
    """Run, with a bar for people. It goes to stderr, and only to a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=quiet or not console.is_terminal
    ) as progress:
        bar = progress.add_task("cleaning", total=None)

        def moved(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        return asyncio.run(Run(asked, moved).finish())


def _say(summary: Summary, target: Path) -> None:
    texts = f", {summary.reports} texts" if summary.reports else ""
    typer.echo(
        f"{summary.released} of {summary.files} released: {summary.patients} patients, "
        f"{summary.studies} studies{texts}, {summary.size:,} bytes in {target}"
    )
    if summary.quarantined:
        typer.echo(f"{summary.quarantined} in {target / 'quarantine'}, the reason beside each:")
        for code, count in summary.reasons.items():
            typer.echo(f"  {count:>6}  {code}")


def _verify(certificate: Path, file: Path, key: Path | None) -> None:
    findings = verified(certificate, file, read_keyring(key) if key else None)
    for one in findings:
        typer.echo(one.line)
    if not all(one.unchanged for one in findings):
        raise typer.Exit(_CHANGED)

"""Which commands are there, and how does a failure look? One sentence, never a stack trace."""

import sys
from importlib import import_module

import typer

from shared.runtime.local.failure import SetupError

# Command, module, function or group. Only what is asked for is imported: the demo alone brings
# DICOM and FHIR, and `overread down` should not wait for them.
COMMANDS = {
    "demo": ("cli.demo", "demo"),
    "up": ("cli.local", "up"),
    "down": ("cli.local", "down"),
    "status": ("cli.local", "status"),
    "init": ("cli.elsewhere", "init"),
    "run": ("cli.elsewhere", "run"),
    "submit": ("cli.remote", "submit"),
    "watch": ("cli.remote", "watch"),
    "parked": ("cli.remote", "parked"),
    "deid": ("cli.deid", "deid"),
    "keys": ("cli.keys", "app"),
    "simulate": ("cli.simulate", "simulation"),
    "contracts": ("cli.contracts", "contracts"),
}


def command_line(*wanted: str) -> typer.Typer:
    """The program with the wanted commands, or with all when none of those is known."""
    app = typer.Typer(
        name="overread",
        help="Overread: a radiology second opinion, from the hospital that asks to the answer.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_overread)  # with it, a single command keeps its name
    for name in [one for one in COMMANDS if one in wanted] or COMMANDS:
        module, attribute = COMMANDS[name]
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _overread() -> None:
    """Overread: a radiology second opinion, from the hospital that asks to the answer."""


def main() -> None:
    try:
        command_line(*sys.argv[1:2])()
    except SetupError as error:
        typer.secho(f"overread: {error}", fg="red", err=True)
        if error.quote:
            typer.echo(error.quote, err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

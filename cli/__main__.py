"""Which commands are there, and how does a failure look? One sentence, never a stack trace."""

import sys

import typer

from cli import elsewhere, keys, local
from cli.demo import demo
from shared.runtime.local.failure import SetupError

app = typer.Typer(
    name="overread",
    help="Overread: a radiology second opinion, from the hospital that asks to the answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(local.up)
app.command()(local.down)
app.command()(local.status)
app.command()(elsewhere.init)
app.command()(elsewhere.run)
app.add_typer(keys.app, name="keys")


def main() -> None:
    try:
        app()
    except SetupError as error:
        typer.secho(f"overread: {error}", fg="red", err=True)
        if error.quote:
            typer.echo(error.quote, err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

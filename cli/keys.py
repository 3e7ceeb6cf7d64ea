"""How are keys replaced by new ones while everything goes on?"""

from pathlib import Path
from typing import Annotated

import typer

from shared.runtime import issuer
from shared.runtime.local.keys import rotate_sealing
from shared.runtime.local.places import DEFAULT_ROOT, Places

app = typer.Typer(help="Replace keys by new ones.", no_args_is_help=True)

Folder = Annotated[
    Path, typer.Option(help="where keys, data and logs stand", envvar="OVERREAD_FOLDER")
]


@app.command()
def rotate_issuer(folder: Folder = DEFAULT_ROOT) -> None:
    """Sign tokens with a new key from now on. Tokens of the key before stay valid."""
    kid = issuer.rotate(Places(folder.absolute()).issuer)
    typer.echo(f"tokens are signed with {kid} from now on")


@app.command("rotate-sealing")
def rotate_sealing_key(folder: Folder = DEFAULT_ROOT) -> None:
    """Seal identities to a new key. What was sealed to an older key still opens."""
    keys = rotate_sealing(Places(folder.absolute()).keys)
    typer.echo(f"sealing to {keys.sealing_public['kid']} after `overread down` and `up`")

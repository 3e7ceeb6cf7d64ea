"""Which keys are in use, and how are they replaced by new ones while everything goes on?"""

from pathlib import Path
from typing import Annotated

import typer

from shared.runtime import issuer
from shared.runtime.local.keys import read_keys, rotate_pseudonyms, rotate_sealing
from shared.runtime.local.places import DEFAULT_ROOT, Places

app = typer.Typer(help="List keys and replace them by new ones.", no_args_is_help=True)

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


@app.command("rotate-pseudonyms")
def rotate_pseudonym_key(folder: Folder = DEFAULT_ROOT) -> None:
    """Name new patients under a new key. Patients who are known keep their pseudonyms."""
    keys = rotate_pseudonyms(Places(folder.absolute()).keys)
    typer.echo(f"new patients get key {keys.deid_version} after `overread down` and `up`")


@app.command("list")
def list_keys(folder: Folder = DEFAULT_ROOT) -> None:
    """Show the versions in use, the newest first; never a secret."""
    keys = read_keys(Places(folder.absolute()).keys)
    versions = (keys.deid_version, *(one.version for one in keys.deid_older))
    typer.echo(f"pseudonyms  {'  '.join(versions)}")
    typer.echo(f"sealing     {'  '.join(str(one['kid']) for one in keys.sealing)}")

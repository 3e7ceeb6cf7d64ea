"""How does a file reach the local disk so that a power cut can't take it back?

obstore's LocalStore renames without any fsync (seen with strace, 0.12.1), so puts to a folder are
written here: bytes to disk first, then the name, then the folder that holds the name.
"""

import os
import tempfile
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from shared.runtime import clock

INCOMING = ".incoming"
_ABANDONED = timedelta(days=1)  # longer than any upload: its writer is dead


def sync_folder(folder: Path) -> None:
    """Put the folder's own entries on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=4096)
def make_folder(folder: Path) -> None:
    """Make the folder and its parents, each of them on disk before the next.

    One that is there is made durable too: whoever made it may not have come to that. Once is
    enough for a process, so don't remove folders while it runs.
    """
    if folder.is_dir():
        with suppress(PermissionError):  # above a folder that was given to us
            sync_folder(folder.parent)
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def new_file(root: Path) -> Path:
    """Make an empty file on the root's own file system, to be filled and then named."""
    incoming = root / INCOMING
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=incoming)
    os.close(descriptor)
    return Path(name)


def give_name(file: Path, name: Path) -> bool:
    """Give a filled file its name, once it is on disk; False if the name is taken already.

    A taken name is made durable all the same: whoever took it may not have come to that.
    """
    _sync(file)
    make_folder(name.parent)
    try:
        os.link(file, name)
    except FileExistsError:
        return False
    except FileNotFoundError:
        make_folder.cache_clear()  # somebody removed the folder since; then weather tells
        raise
    finally:
        sync_folder(name.parent)
    return True


def replace(file: Path, name: Path) -> None:
    """Give a filled file its name, whatever bears it now."""
    _sync(file)
    make_folder(name.parent)
    file.replace(name)
    sync_folder(name.parent)


def sweep(root: Path) -> None:
    """Remove what a killed process left half written."""
    oldest = (clock.now() - _ABANDONED).timestamp()
    for file in (root / INCOMING).glob("*"):
        with suppress(FileNotFoundError):  # another process sweeps too
            if file.stat().st_mtime < oldest:
                file.unlink()


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())

"""Which files does the input hold, and which of them can't even be opened?"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from services.deid.gateways.archive import unpack
from shared.runtime.dicom import UnreadableError
from shared.runtime.sandbox import Sandbox

_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_DICM_AT = 128
_UNPACK_SECONDS = 3600.0  # the size was judged before; this bounds a disk that hangs


@dataclass(frozen=True, slots=True)
class Found:
    """One file of the input, or why there is none to open. `name` is for people: it may hold PHI.

    `ours` tells a copy that was unpacked for this run from the user's own file; `member` is what a
    ZIP calls it, which tells the operator more than a number, and perhaps who the patient is.
    """

    path: Path | None
    name: str
    fault: str = ""
    ours: bool = False
    member: str = ""

    @property
    def size(self) -> int:
        """In bytes; 0 when it is gone meanwhile, as whoever opens it will find."""
        try:
            return self.path.stat().st_size if self.path else 0
        except OSError:
            return 0


async def found_in(source: Path, spool: Path, memory: int) -> list[Found]:
    """All there is, in an order that doesn't depend on the disk."""
    kind = _kind(source)
    if kind == "folder":
        return sorted(_in_folder(source), key=lambda one: one.name)
    return await _in_zip(source, spool, memory) if kind == "zip" else [Found(source, source.name)]


def _in_folder(source: Path) -> Iterator[Found]:
    """Links to folders could lead in circles and pipes could block: neither is followed.

    What can't be listed may hold files that nobody sees: it is told as well.
    """
    unseen: list[OSError] = []
    for folder, folders, files in os.walk(source, onerror=unseen.append):
        here = Path(folder)
        links = [one for one in folders if os.path.islink(here / one)]  # noqa: PTH114 - it raises nothing
        for path in (here / one for one in chain(links, files)):
            yield _one(path, str(path.relative_to(source)))
    for error in unseen:
        name = os.path.relpath(error.filename, source)
        yield Found(None, name, f"a folder that can't be listed: {error.strerror}")


def _one(path: Path, name: str) -> Found:
    try:
        if path.is_file():
            return Found(path, name)
    except OSError as error:
        return Found(None, name, f"can't be read: {error.strerror}")
    return Found(None, name, "neither a file nor a folder of its own")


def _kind(source: Path) -> Literal["folder", "zip", "file"]:
    """By its first bytes; a DICOM file whose preamble looks like a ZIP is a DICOM file."""
    if source.is_dir():
        return "folder"
    with source.open("rb") as file:
        head = file.read(_DICM_AT + 4)
    zipped = head[:4] in {_ZIP, _EMPTY_ZIP} and head[_DICM_AT:] != b"DICM"
    return "zip" if zipped else "file"


async def _in_zip(source: Path, spool: Path, memory: int) -> list[Found]:
    async with Sandbox(1, memory, _UNPACK_SECONDS) as child:
        try:
            members = await child.run(unpack, source, spool)
        except UnreadableError as error:
            return [Found(None, source.name, error.detail)]
    return [
        Found(one.path, f"{source.name}, file {number + 1}", one.fault, True, one.name)  # noqa: FBT003 - ours
        for number, one in enumerate(members)
    ]

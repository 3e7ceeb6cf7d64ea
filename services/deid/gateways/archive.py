"""What lies in a ZIP? Unpacked under numbers, so that no name in it can reach anywhere.

Runs in a sandboxed child: the directory of a ZIP is a stranger's word.
"""

import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from shared.runtime.dicom import LIMITS, UnreadableError

_FREE = 64 << 20  # bytes that may come out whatever went in: a blank image is no bomb
_RATIO = 200  # bytes out of one byte in, above that; scans give 2 to 20, DEFLATE's most is 1,032
_MEMBERS = 200_000
_CHUNK = 1 << 20
_ENCRYPTED = 0x1  # bit 0 of the general purpose flags, APPNOTE 4.4.4


@dataclass(frozen=True, slots=True)
class Member:
    """A member as a file of its own, or why it could not be unpacked. Its `name` may hold PHI."""

    path: Path | None
    name: str
    fault: str = ""


def unpack(archive: Path, folder: Path) -> tuple[Member, ...]:
    """Unpack into an empty folder. Raises UnreadableError for what is no ZIP, or a bomb."""
    try:
        with ZipFile(archive) as opened:
            members = [one for one in opened.infolist() if not one.is_dir()]
            _check(members, archive.stat().st_size, shutil.disk_usage(folder).free)
            return tuple(_unpacked(opened, members, folder))
    except BadZipFile:
        raise UnreadableError("malformed", "the ZIP has no sound directory") from None


def _check(members: list[ZipInfo], size: int, room: int) -> None:
    """What the directory promises is all that is ever read, so the promise can be judged."""
    promised = sum(one.file_size for one in members)
    if len(members) > _MEMBERS:
        raise UnreadableError("too_many_elements", f"over {_MEMBERS} files in the ZIP")
    if promised > _FREE + size * _RATIO:
        raise UnreadableError("inflates_too_far", f"{size} bytes of ZIP promise {promised}")
    if promised > room:
        raise UnreadableError("too_large", f"{promised} bytes unpacked, the disk has {room}")


def _unpacked(opened: ZipFile, members: list[ZipInfo], folder: Path) -> Iterator[Member]:
    for number, one in enumerate(members):
        path = folder / f"{number:06d}"
        if one.flag_bits & _ENCRYPTED:
            yield Member(None, one.filename, "encrypted inside the ZIP")
        elif one.file_size > LIMITS.file:
            yield Member(None, one.filename, f"{one.file_size} bytes, {LIMITS.file} are allowed")
        elif _extracted(opened, one, path):
            yield Member(path, one.filename)
        else:
            path.unlink(missing_ok=True)
            yield Member(None, one.filename, "damaged inside the ZIP")


def _extracted(opened: ZipFile, member: ZipInfo, path: Path) -> bool:
    try:
        with opened.open(member) as source, path.open("xb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError):
        return False
    return True

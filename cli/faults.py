"""Whose fault is an error of the operating system: a file's, or of the place where results go?"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.runtime.local.failure import SetupError

_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))
# What no other file would fare better with.
_OURS = _NO_ROOM | {errno.EMFILE, errno.ENFILE, errno.ENOMEM, None}
_CHUNK = 1 << 20


def of_one_file(error: OSError) -> str | None:
    """Why one file could not be read; None when the error is none of its own."""
    return None if error.errno in _OURS else f"can't be read: {os.strerror(error.errno or 0)}"


@contextmanager
def told_clearly() -> Iterator[None]:
    """Errors of the operating system as one sentence; a mistake of ours keeps its trace."""
    try:
        yield
    except (OSError, ExceptionGroup) as error:
        causes = list(_causes(error))
        told = next((one for one in causes if isinstance(one, SetupError)), None)
        if told is None and all(isinstance(one, OSError) for one in causes):
            told = _sentence(causes[0])
        if told is None:
            raise
        raise told from None


def _causes(error: Exception) -> Iterator[Exception]:
    if not isinstance(error, ExceptionGroup):
        yield error
        return
    for one in error.exceptions:
        yield from _causes(one)


def _sentence(error: Exception) -> SetupError:
    if not isinstance(error, OSError) or error.errno is None:
        return SetupError(str(error))
    said = os.strerror(error.errno)
    if error.errno in _NO_ROOM:
        return SetupError(
            f"OUTPUT can't be written: {said}",
            mend="what lies there is not complete; make room and name a new folder",
        )
    return SetupError(f"{error.filename or 'a file'}: {said}")


def copied(source: Path, target: Path) -> None:
    """As much of a file as can be read, and no more than it has: some of /proc have no end."""
    try:
        file = source.open("rb", buffering=0)
    except OSError:
        return
    with file, target.open("wb") as copy:
        left = os.fstat(file.fileno()).st_size
        while left > 0 and (piece := _piece(file.fileno(), min(left, _CHUNK))):
            copy.write(piece)
            left -= len(piece)


def _piece(file: int, length: int) -> bytes:
    try:
        return os.read(file, length)
    except OSError:
        return b""

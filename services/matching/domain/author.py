"""Who made the first report? By every name that the roster knows, and with all their groups.

A partner names them as it likes: by an NPI or its own id, with a group or without. Where the roster
has them, what it knows counts too; where several of its records have that name, all of them do.
"""

from collections.abc import Iterable

from services.matching.domain.need import Need
from services.matching.domain.reader import Reader
from shared.contracts.base import Frozen, OpaqueId


class Author(Frozen):
    """The names and groups of who made a first report; none: the roster adds nothing."""

    names: tuple[OpaqueId, ...] = ()
    groups: tuple[OpaqueId, ...] = ()


UNKNOWN = Author()


def author_of(need: Need, readers: Iterable[Reader]) -> Author:
    """Say how readers know the first reader of a case."""
    wanted = need.first_reader
    found = [one for one in readers if wanted in (one.id, *one.identifiers)] if wanted else ()
    if not found:
        return UNKNOWN
    return Author(
        names=tuple(dict.fromkeys(name for one in found for name in (one.id, *one.identifiers))),
        groups=tuple(dict.fromkeys(name for one in found for name in one.groups)),
    )

"""What was it called before? The way back from what a reader sees, for the one who may go it."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Literal

from pydantic import Field

from shared.contracts.base import Frozen, OpaqueId, PartnerId

Names = tuple[tuple[str, str], ...]  # new, old
LONGEST = 64  # characters of a UID, an LO and an SH
PAGE = 150  # names of one page: in JSON they fit the 48 KiB of one seal whatever the letters


class WayBack(Frozen):
    """A page of a study's map, before it is sealed. It is patient data.

    `names` lead from new UIDs and accession numbers to the old ones; a date moves back by
    `-shift_days`.
    """

    version: Literal[1] = 1
    partner: PartnerId
    study: OpaqueId
    pseudonym: OpaqueId
    key_version: str
    patient_id: str
    shift_days: int
    names: dict[str, str] = Field(default_factory=dict)


def pages(first: WayBack, names: Mapping[str, str]) -> Iterator[WayBack]:
    """Spread the names over pages, in order; a study without any has one page."""
    waiting = iter(sorted(names.items()))
    page = dict(islice(waiting, PAGE))
    while True:
        yield first.model_copy(update={"names": page})
        page = dict(islice(waiting, PAGE))
        if not page:
            return

"""What do the values of a header say of whom, as text? In the character set of their file."""

from collections.abc import Iterable

from services.deid.domain.identity import Identity
from services.deid.domain.text.known import Known
from services.deid.domain.told import SORTS, Sort
from services.deid.domain.values import DUMMY_TEXT
from shared.runtime.dicom.charset import decode


def told_by(values: Iterable[tuple[Sort, bytes]], charset: str, identity: Identity) -> Known:
    """Gather them, in one order whatever order they come in, but for what we wrote ourselves."""
    found: dict[Sort, set[str]] = {sort: set() for sort in SORTS}
    for sort, raw in values:
        for value in decode(raw, charset).split("\\"):
            text = value.strip(" \0")
            if text and not _is_ours(text, identity):
                found[sort].add(text)
    return Known(**{sort: tuple(sorted(texts)) for sort, texts in found.items()})


def _is_ours(text: str, identity: Identity) -> bool:
    made = identity.owns_pseudonym(text) or identity.owns_accession(text)
    return made or text == DUMMY_TEXT

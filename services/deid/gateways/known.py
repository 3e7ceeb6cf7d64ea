"""Whom does a raw image know? Names, numbers, places and dates of its header, at any depth.

Only the raw images and the documents in the vault tell deid who the patient is; the sealed identity
can't be read here.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from services.deid.domain.identity import Identity, Key
from services.deid.domain.text.known import Known
from services.deid.domain.told import LONGEST, sort_of
from services.deid.gateways.instance import mapped
from services.deid.gateways.told import told_by
from shared.runtime.dicom import DataSet, Element, Part10, UnreadableError, read_part10

_CHARSET = 0x00080005


def known_in(source: Path, key: Key, partner: str, others: tuple[Key, ...] = ()) -> Known:
    """Gather the identifiers of one raw file; raises UnreadableError. Runs in a sandboxed child."""
    with mapped(source) as raw:
        return known_of(read_part10(raw), Identity(key, partner, others))


def known_of(file: Part10, identity: Identity) -> Known:
    """The same of a file that is read, but for what an earlier cleaning of ours wrote."""
    told = (
        (sort, file.value(element))
        for element in _elements(file.data_set)
        if (sort := sort_of(element.tag, element.vr)) and element.length <= LONGEST
    )
    return told_by(told, file.string(_CHARSET), identity)


def _elements(data_set: DataSet) -> Iterator[Element]:
    for element in data_set:
        for item in element.items or ():
            yield from _elements(item)
        if element.items is None and element.fragments is None:
            yield element


def known_in_all(
    sources: Sequence[Path], key: Key, partner: str, others: tuple[Key, ...] = ()
) -> Known:
    """What several raw files know together; one that can't be read knows nobody."""
    known = Known()
    for source in sources:
        with suppress(UnreadableError):
            known += known_in(source, key, partner, others)
    return known

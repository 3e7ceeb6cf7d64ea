"""Whom does a raw image know? Names, numbers, places and dates of its header, at any depth.

Only the raw images and the documents in the vault tell deid who the patient is; the sealed identity
can't be read here.
"""

from collections.abc import Iterator
from pathlib import Path

from pydicom._dicom_dict import DicomDictionary

from services.deid.domain.identifiers import IDENTIFYING, STATIONS
from services.deid.domain.identity import Identity, Key
from services.deid.domain.text.known import Known
from services.deid.gateways.instance import mapped
from shared.runtime.dicom import DataSet, Element, Part10, read_part10
from shared.runtime.dicom.charset import decode

_CHARSET = 0x00080005
# Institution, address, department, issuer, location: the rest of what identifies is numbers.
PLACES = STATIONS | {
    0x00080080, 0x00080081, 0x00080082, 0x00080092, 0x00081040, 0x00100021, 0x00101040, 0x00102150,
    0x00102152, 0x00321020, 0x00321021, 0x00380300, 0x00380400, 0x00400243, 0x00420010,
}  # fmt: skip
_PHONES = frozenset((0x00080094, 0x00102154, 0x00402010))
_BIRTHS = frozenset((0x00100030, 0x00100032))
_DAYS = frozenset((0x00080020, 0x00080021, 0x00080022, 0x00080023))
# Names that are written as plain text: Other Patient Names is PN, these are not.
_STAFF = frozenset((0x00081048, 0x00081050, 0x00081060, 0x00081070, 0x00080090, 0x00321032))
_LONGEST = 1024  # bytes: no name or number is longer


def known_in(source: Path, key: Key, partner: str, others: tuple[Key, ...] = ()) -> Known:
    """Gather the identifiers of one raw file; raises UnreadableError. Runs in a sandboxed child."""
    with mapped(source) as raw:
        return known_of(read_part10(raw), Identity(key, partner, others))


def known_of(file: Part10, identity: Identity) -> Known:
    """The same of a file that is read, but for what an earlier cleaning of ours wrote."""
    found: dict[str, dict[str, None]] = {"people": {}, "numbers": {}, "places": {}}
    found |= {"births": {}, "days": {}}
    charset = file.string(_CHARSET)
    for element in _elements(file.data_set):
        sort = _sort(element)
        if not sort or element.length > _LONGEST:
            continue
        for value in decode(file.value(element), charset).split("\\"):
            text = value.strip(" \0")
            if text and not identity.owns_pseudonym(text) and not identity.owns_accession(text):
                found[sort][text] = None
    return Known(**{sort: tuple(values) for sort, values in found.items()})


def _elements(data_set: DataSet) -> Iterator[Element]:
    for element in data_set:
        for item in element.items or ():
            yield from _elements(item)
        if element.items is None and element.fragments is None:
            yield element


def _sort(element: Element) -> str:
    tag = element.tag
    vr = element.vr or (DicomDictionary[tag][0] if tag in DicomDictionary else "")
    if vr == "PN" or tag in _STAFF:
        return "people"
    for sort, tags in (("births", _BIRTHS), ("days", _DAYS), ("places", PLACES)):
        if tag in tags:
            return sort
    return "numbers" if tag in IDENTIFYING or tag in _PHONES else ""

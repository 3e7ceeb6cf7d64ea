"""Which names did this file have that its clean one has no more? Asked where it is cleaned."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom._dicom_dict import DicomDictionary

from services.deid.domain.identity import Identity
from services.deid.domain.values import is_valid
from services.deid.domain.way_back import LONGEST, Names
from shared.runtime.dicom import DataSet, Part10

_PATIENT_ID, _ACCESSION = 0x00100020, 0x00080050


@dataclass(frozen=True, slots=True)
class Originals:
    """What one file was called."""

    names: Names = ()
    patient_id: str = ""


def originals_of(file: Part10, identity: Identity) -> Originals:
    """Gather UIDs at any depth, and the accession number; what did not change is left out."""
    names = {identity.uid(uid): uid for uid in set(_uids(file, file.data_set))}
    accession = _plain(file, _ACCESSION)
    names[identity.accession(accession)] = accession
    changed = tuple(sorted((new, old) for new, old in names.items() if new != old))
    return Originals(changed, _plain(file, _PATIENT_ID))


def _uids(file: Part10, data_set: DataSet) -> Iterator[str]:
    for element in data_set:
        for item in element.items or ():
            yield from _uids(file, item)
        vr = element.vr or DicomDictionary.get(element.tag, ("",))[0]
        if vr == "UI" and element.items is None and element.length:
            for value in file.value(element).split(b"\\"):
                uid = value.strip(b" \0")
                if is_valid("UI", uid):
                    yield uid.decode("ascii")


def _plain(file: Part10, tag: int) -> str:
    text = "".join(letter for letter in file.string(tag) if letter.isprintable())
    return text[:LONGEST]

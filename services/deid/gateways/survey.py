"""Which names, numbers and UIDs does the raw header hold, at any depth?"""

from dataclasses import dataclass, field

from pydicom._dicom_dict import DicomDictionary

from services.deid.domain.actions import Action, Rulebook
from services.deid.domain.identifiers import IDENTIFYING, STATIONS, Identifiers, gathered
from services.deid.domain.identity import Identity
from shared.runtime.dicom import DataSet, Element, Part10

_CHANGED = frozenset((Action.UID, Action.DUMMY, Action.REMOVE))


@dataclass
class _Found:
    names: set[bytes] = field(default_factory=set)
    numbers: set[bytes] = field(default_factory=set)
    uids: set[bytes] = field(default_factory=set)


def identifiers_of(file: Part10, rulebook: Rulebook, identity: Identity) -> Identifiers:
    """Gather what must not occur again, but for what an earlier cleaning of ours wrote."""
    found = _Found()
    _survey(file, file.data_set, rulebook, found)
    ours = {one for one in found.names | found.numbers if _is_ours(one, identity)}
    uids = {uid for uid in found.uids if _is_replaced(uid, identity)}
    return gathered(found.names - ours, found.numbers - ours, uids)


def _survey(file: Part10, data_set: DataSet, rulebook: Rulebook, found: _Found) -> None:
    for element in data_set:
        if element.items is not None:
            for item in element.items:
                _survey(file, item, rulebook, found)
        elif element.fragments is None:
            _note(file, element, rulebook, found)


def _note(file: Part10, element: Element, rulebook: Rulebook, found: _Found) -> None:
    tag, vr = element.tag, element.vr
    if not vr and tag in DicomDictionary:
        vr = DicomDictionary[tag][0]
    if vr == "PN":
        found.names.add(file.value(element))
    elif tag in IDENTIFYING or tag in STATIONS:
        if rulebook.rule(tag, element.vr).action is not Action.SCREEN:
            found.numbers.add(file.value(element))
    elif vr == "UI" and rulebook.rule(tag, element.vr).action in _CHANGED:
        found.uids.update(file.value(element).split(b"\\"))


def _is_ours(value: bytes, identity: Identity) -> bool:
    text = value.decode("latin-1").strip(" \0")
    return identity.owns_pseudonym(text) or identity.owns_accession(text)


def _is_replaced(uid: bytes, identity: Identity) -> bool:
    text = uid.decode("latin-1").strip(" \0")
    return identity.uid(text) != text

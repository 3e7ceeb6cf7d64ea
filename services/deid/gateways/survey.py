"""Which names, numbers and UIDs does the raw header hold, at any depth?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydicom._dicom_dict import DicomDictionary

from services.deid.domain.actions import Action, Rulebook
from services.deid.domain.identifiers import IDENTIFYING, STATIONS, Identifiers, gathered
from services.deid.domain.identity import Identity
from services.deid.gateways.memory import Memory, Question, questions
from shared.runtime.dicom import DataSet, Element, Part10

_CHANGED = frozenset((Action.UID, Action.DUMMY, Action.REMOVE))


@dataclass
class _Found:
    names: set[bytes] = field(default_factory=set)
    numbers: set[bytes] = field(default_factory=set)
    uids: set[bytes] = field(default_factory=set)

    def add(self, other: "_Found") -> None:
        self.names |= other.names
        self.numbers |= other.numbers
        self.uids |= other.uids

    @property
    def anybody(self) -> bool:
        return bool(self.names or self.numbers or self.uids)


_NOBODY = _Found()


@dataclass(frozen=True, slots=True)
class Known:
    """What must not occur again: `patient` names and numbers, `file` those and the UIDs.

    Instances of one study share the former.
    """

    patient: Identifiers
    file: Identifiers


def identifiers_of(file: Part10, rulebook: Rulebook, identity: Identity) -> Identifiers:
    """Gather what must not occur again, but for what an earlier cleaning of ours wrote."""
    return known(file, rulebook, identity, Memory(), questions(file)).file


def known(
    file: Part10,
    rulebook: Rulebook,
    identity: Identity,
    memory: Memory,
    asked: Sequence[tuple[Element, Question]],
) -> Known:
    """The same, helped by what the elements of earlier files named."""
    found = _survey(file, rulebook, memory, asked)
    sorted_out = memory.shelf("gathered", Identifiers)
    named = frozenset(found.names), frozenset(found.numbers)
    patient = sorted_out.get(named)
    if patient is None:
        names, numbers = (_others(one, identity) for one in named)
        patient = sorted_out[named] = gathered(names, numbers, ())
    replaced = {uid for uid in found.uids if _is_replaced(uid, identity)}
    uids = gathered((), (), replaced).long if replaced else frozenset[bytes]()
    return Known(patient, Identifiers(patient.long | uids, patient.short))


def _survey(
    file: Part10,
    rulebook: Rulebook,
    memory: Memory,
    asked: Sequence[tuple[Element, Question]],
) -> _Found:
    found = _Found()
    before = memory.shelf(("survey", file.data_set.encoding, rulebook.policy), _Found)
    for element, raw in asked:
        named = before.get(raw) if raw else None
        if named is None:
            named = _Found()
            _note(file, element, rulebook, named)
            if raw:
                before[raw] = named = named if named.anybody else _NOBODY
        if named is not _NOBODY:
            found.add(named)
    return found


def _within(file: Part10, data_set: DataSet, rulebook: Rulebook, found: _Found) -> None:
    for element in data_set:
        _note(file, element, rulebook, found)


def _note(file: Part10, element: Element, rulebook: Rulebook, found: _Found) -> None:
    if element.items is not None:
        for item in element.items:
            _within(file, item, rulebook, found)
        return
    if element.fragments is None:
        _note_value(file, element, rulebook, found)


def _note_value(file: Part10, element: Element, rulebook: Rulebook, found: _Found) -> None:
    tag, vr = element.tag, element.vr
    if vr in {"", "UN"} and tag in DicomDictionary:
        vr = DicomDictionary[tag][0]
    if vr == "PN":
        found.names.add(file.value(element))
    elif tag in IDENTIFYING or tag in STATIONS:
        if rulebook.rule(tag, element.vr).action is not Action.SCREEN:
            found.numbers.add(file.value(element))
    elif vr == "UI" and rulebook.rule(tag, element.vr).action in _CHANGED:
        found.uids.update(file.value(element).split(b"\\"))


def _others(values: Iterable[bytes], identity: Identity) -> frozenset[bytes]:
    return frozenset(one for one in values if not _is_ours(one, identity))


def _is_ours(value: bytes, identity: Identity) -> bool:
    text = value.decode("latin-1").strip(" \0")
    return identity.owns_pseudonym(text) or identity.owns_accession(text)


def _is_replaced(uid: bytes, identity: Identity) -> bool:
    text = uid.decode("latin-1").strip(" \0")
    return identity.uid(text) != text

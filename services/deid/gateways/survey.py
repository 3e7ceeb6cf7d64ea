"""Which names, numbers and UIDs does the raw header hold, at any depth?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydicom._dicom_dict import DicomDictionary

from services.deid.domain.actions import Action, Rulebook
from services.deid.domain.identifiers import IDENTIFYING, STATIONS, Identifiers, gathered
from services.deid.domain.identity import Identity
from services.deid.domain.text.known import Known as Told
from services.deid.domain.told import LONGEST, Sort, sort_of
from services.deid.gateways.memory import Memory, Question
from services.deid.gateways.told import told_by
from shared.runtime.dicom import DataSet, Element, Part10
from shared.runtime.dicom.header import CHARSET

_CHANGED = frozenset((Action.UID, Action.DUMMY, Action.REMOVE))


@dataclass
class _Found:
    names: set[bytes] = field(default_factory=set)
    numbers: set[bytes] = field(default_factory=set)
    uids: set[bytes] = field(default_factory=set)
    told: set[tuple[Sort, bytes]] = field(default_factory=set)

    def add(self, other: "_Found") -> None:
        self.names |= other.names
        self.numbers |= other.numbers
        self.uids |= other.uids
        self.told |= other.told

    @property
    def anybody(self) -> bool:
        return bool(self.names or self.numbers or self.uids or self.told)


_NOBODY = _Found()


@dataclass(frozen=True, slots=True)
class Known:
    """What must not occur again: `patient` names and numbers, `file` those and the UIDs.

    `told`: whom and what the header knows, for texts. Instances of one study share it and the
    first.
    """

    patient: Identifiers
    file: Identifiers
    told: Told


def known(
    file: Part10,
    rulebook: Rulebook,
    identity: Identity,
    memory: Memory,
    asked: Sequence[tuple[Element, Question]],
) -> Known:
    """Gather what must not occur again, but for what an earlier cleaning of ours wrote.

    Helped by what the elements of earlier files named.
    """
    found = _survey(file, rulebook, memory, asked)
    patient, told = _sorted_out(file.string(CHARSET), identity, memory, found)
    replaced = {uid for uid in found.uids if _is_replaced(uid, identity)}
    uids = gathered((), (), replaced).long if replaced else frozenset[bytes]()
    return Known(patient, Identifiers(patient.long | uids, patient.short), told)


def _sorted_out(
    charset: str, identity: Identity, memory: Memory, found: _Found
) -> tuple[Identifiers, Told]:
    """What identifies the patient, in bytes and as text; the same objects for the same values."""
    before = memory.shelf("gathered", tuple[Identifiers, Told])
    named = frozenset(found.names), frozenset(found.numbers), frozenset(found.told), charset
    if named not in before:
        names, numbers = (_others(one, identity) for one in named[:2])
        before[named] = gathered(names, numbers, ()), told_by(found.told, charset, identity)
    return before[named]


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
    sort = sort_of(tag, vr)
    if sort and element.length <= LONGEST:
        found.told.add((sort, file.value(element)))
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

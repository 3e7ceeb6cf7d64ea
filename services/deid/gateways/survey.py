"""Which names, numbers and UIDs does the raw header hold, at any depth?"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydicom._dicom_dict import DicomDictionary

from services.deid.domain.actions import Action, Rulebook
from services.deid.domain.identifiers import IDENTIFYING, STATIONS, Identifiers, gathered
from services.deid.domain.identity import Identity
from services.deid.domain.text.known import Known as Told
from services.deid.domain.told import LONGEST, Sort, sort_of
from services.deid.gateways.memory import Memory
from services.deid.gateways.told import told_by
from shared.runtime.dicom import Element, Part10
from shared.runtime.dicom.charset import encode
from shared.runtime.dicom.header import CHARSET

NOTHING = Told()
_CHANGED = frozenset((Action.UID, Action.DUMMY, Action.REMOVE))


@dataclass(frozen=True, slots=True)
class _Found:
    """What one element says: of whom, and which UIDs that will be replaced."""

    names: frozenset[bytes] = frozenset()
    numbers: frozenset[bytes] = frozenset()
    told: frozenset[tuple[Sort, bytes]] = frozenset()
    uids: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class _Noting:
    """The values of one element at any depth."""

    file: Part10
    rulebook: Rulebook
    names: set[bytes] = field(default_factory=set)
    numbers: set[bytes] = field(default_factory=set)
    told: set[tuple[Sort, bytes]] = field(default_factory=set)
    uids: set[bytes] = field(default_factory=set)

    def note(self, element: Element) -> None:
        if element.items is not None:
            for item in element.items:
                for one in item:
                    self.note(one)
        elif element.fragments is None:
            self._value(element)

    def _value(self, element: Element) -> None:
        tag, vr = element.tag, element.vr
        sort = sort_of(tag, vr)
        if sort and element.length <= LONGEST:
            self.told.add((sort, self.file.value(element)))
        if vr in {"", "UN"} and tag in DicomDictionary:
            vr = DicomDictionary[tag][0]
        if vr == "PN":
            self.names.add(self.file.value(element))
        elif tag in IDENTIFYING or tag in STATIONS:
            if self.rulebook.rule(tag, element.vr).action is not Action.SCREEN:
                self.numbers.add(self.file.value(element))
        elif vr == "UI" and self.rulebook.rule(tag, element.vr).action in _CHANGED:
            self.uids.update(self.file.value(element).split(b"\\"))


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
    file: Part10, rulebook: Rulebook, identity: Identity, memory: Memory, also: Told = NOTHING
) -> Known:
    """Gather what must not occur again, but for what an earlier cleaning of ours wrote.

    Helped by what the elements of earlier files named; `also` is known to the file's case.
    """

    def noted(element: Element) -> tuple[_Found, bool]:
        return _noted(file, rulebook, identity, element), True

    shelf = memory.shelf(("survey", file.data_set.encoding, rulebook.policy), _Found)
    found = [one for one in shelf.answers(file, noted) if one is not _NOBODY]
    who = tuple(one for one in found if one.names or one.numbers or one.told)
    patient, told = _sorted_out(file.string(CHARSET), identity, memory, who, also)
    uids = [one.uids for one in found if one.uids]
    return Known(patient, Identifiers(patient.long.union(*uids), patient.short), told)


_NOBODY = _Found()


def _noted(file: Part10, rulebook: Rulebook, identity: Identity, element: Element) -> _Found:
    noting = _Noting(file, rulebook)
    noting.note(element)
    replaced = [uid for uid in noting.uids if _is_replaced(uid, identity)]
    uids = gathered((), (), replaced).long if replaced else frozenset[bytes]()
    if not (noting.names or noting.numbers or noting.told or uids):
        return _NOBODY
    return _Found(frozenset(noting.names), frozenset(noting.numbers), frozenset(noting.told), uids)


def _sorted_out(
    charset: str, identity: Identity, memory: Memory, who: tuple[_Found, ...], also: Told
) -> tuple[Identifiers, Told]:
    """What identifies the patient, in bytes and as text; the same objects for the same values."""
    before = memory.shelf("gathered", tuple[Identifiers, Told])
    answer = before.get((who, charset, also))
    if answer is None:
        names, numbers = (
            _others(frozenset().union(*of), identity)
            for of in ([one.names for one in who], [one.numbers for one in who])
        )
        told = frozenset().union(*(one.told for one in who))
        names |= {encode(one, charset) for one in also.people}
        numbers |= {encode(one, charset) for one in (*also.numbers, *also.births)}
        answer = gathered(names, numbers, ()), told_by(told, charset, identity) + also
        before[who, charset, also] = answer
    return answer


def _others(values: Iterable[bytes], identity: Identity) -> frozenset[bytes]:
    return frozenset(one for one in values if not _is_ours(one, identity))


def _is_ours(value: bytes, identity: Identity) -> bool:
    text = value.decode("latin-1").strip(" \0")
    return identity.owns_pseudonym(text) or identity.owns_accession(text)


def _is_replaced(uid: bytes, identity: Identity) -> bool:
    text = uid.decode("latin-1").strip(" \0")
    return identity.uid(text) != text

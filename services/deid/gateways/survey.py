"""Which names, numbers and UIDs does the raw header hold, at any depth?"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

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
from shared.runtime.dicom.tree import PIXEL_DATA

NOTHING = Told()
_TELLING = frozenset(("", "PN", "UI", "UN"))
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

    found = memory.shelf(("survey", file.data_set.encoding), _Found).answers(file, noted)
    common, own = found.sum("named", lambda: _together(found.common())), _together(found.of_own())
    charset = file.string(CHARSET)

    def sorted_out(*who: _Found) -> tuple[Identifiers, Told]:
        return _sorted_out(charset, identity, memory, who, also)

    if own.who:
        patient, told = sorted_out(*common.who, *own.who)
    else:
        patient, told = found.sum(("gathered", charset, also), lambda: sorted_out(*common.who))
    long = patient.long.union(common.uids, own.uids)
    return Known(patient, replace(patient, long=long), told)


@dataclass(frozen=True, slots=True)
class _Together:
    """What several elements say: `who` somebody is, and all UIDs."""

    who: tuple[_Found, ...]
    uids: frozenset[bytes]


def _together(found: Iterable[_Found]) -> _Together:
    some = [one for one in found if one is not _NOBODY]
    who = tuple(one for one in some if one.names or one.numbers or one.told)
    return _Together(who, frozenset[bytes]().union(*(one.uids for one in some)))


_NOBODY = _Found()


@lru_cache(maxsize=1 << 14)
def _may_tell(tag: int, vr: str) -> bool:
    """Whether the value of a plain element may say who somebody is, or a UID."""
    if tag == PIXEL_DATA:
        return False
    telling = vr in _TELLING or tag in IDENTIFYING or tag in STATIONS
    return telling or sort_of(tag, vr) is not None


def _noted(file: Part10, rulebook: Rulebook, identity: Identity, element: Element) -> _Found:
    if element.items is None and not _may_tell(element.tag, element.vr):
        return _NOBODY
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
        numbers |= {encode(one, charset) for one in (*also.numbers, *also.births, *also.places)}
        whole = told_by(told, charset, identity) + also
        answer = gathered(names, numbers, (), whole.births), whole
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

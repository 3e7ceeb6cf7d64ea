"""What stands in an element's place? Decided by the rulebook, at any depth."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from services.deid.domain import values
from services.deid.domain.actions import Action, Rule, Rulebook
from services.deid.domain.content import CODE_SCHEME, PUBLIC_SCHEMES, inner, rule_within
from services.deid.domain.dates import band_age, shift_date, shift_datetime
from services.deid.domain.identifiers import Identifiers
from services.deid.domain.identity import Identity, Subject
from services.deid.domain.private import creator_of, is_creator
from services.deid.domain.text.known import Known
from services.deid.gateways import encode
from services.deid.gateways.bulk import fitting, told_beside
from services.deid.gateways.descriptors import LONGEST, TECHNICAL, Descriptors
from services.deid.gateways.memory import Memory, creator
from shared.runtime.dicom import DataSet, Element, Part10

_TIMEZONE = 0x00080201
_SEXES = frozenset(("F", "M", "O"))
MOST_CONTENT = 1 << 15  # bytes of different texts in one tree of content
T = TypeVar("T")
_LIKE_A_UID = re.compile(rb"\d+\.\d+\.\d")


@dataclass(frozen=True, slots=True)
class Order:
    """For whom, and by which rules, a file is cleaned; with what earlier files taught.

    `knows`: whom and what the case knows beside the file.
    """

    identity: Identity
    subject: Subject
    rulebook: Rulebook
    memory: Memory = field(default_factory=Memory, compare=False)
    knows: Known = field(default_factory=Known)


@dataclass
class Rewriting:
    """The elements of one file. `actions` tells what was done; `own` holds the values we wrote.

    `repeatable` falls when an answer depended on the UIDs of this very file. `described`: the
    descriptions that were met, with the bytes of all of them until then, which are bounded.
    """

    file: Part10
    order: Order
    identifiers: Identifiers
    descriptors: Descriptors
    actions: list[str] = field(default_factory=list)
    own: set[bytes] = field(default_factory=set)
    repeatable: bool = True
    described: dict[bytes, int] = field(default_factory=dict)
    met: int = 0

    def element(
        self, element: Element, data_set: DataSet, *, depth: int = 0, within: Action | None = None
    ) -> bytes | None:
        """The whole element as it leaves; None when it doesn't."""
        rule = self.rule(element, data_set, within)
        if rule.action is Action.BULK:
            value = self._bulk(element, data_set)
        else:
            value = self._value(element, rule, depth=depth, within=within)
        if value is None:
            self.actions.append(f"removed, {rule.why}")
            return None
        self.actions.append(rule.action.value)
        return encode.element(self.file.data_set.encoding, element.tag, rule.vr, value)

    def rule(self, element: Element, data_set: DataSet, within: Action | None = None) -> Rule:
        return rule_of(self.file, self.order.rulebook, element, data_set, within)

    def _value(
        self, element: Element, rule: Rule, *, depth: int, within: Action | None
    ) -> bytes | None:
        """What stands in the element's place; None removes it."""
        action = rule.action
        if action is Action.DESCRIPTOR and element.items is None and element.fragments is None:
            described = self._described(rule.vr, self.file.value(element), within)
            if described is not None:
                return described
            self.actions.append("not described, in doubt")
        if action is Action.DESCRIPTOR:
            action = rule.otherwise
        if rule.vr == "SQ" and action is not Action.REMOVE:
            return self._sequence(element, rule, depth=depth, within=within)
        return self._single(element, rule, action)

    def _single(self, element: Element, rule: Rule, action: Action) -> bytes | None:
        if action is Action.REMOVE or action is Action.PIXELS or element.fragments is not None:
            return None
        if action is Action.EMPTY:
            return b""
        if rule.vr != "UI" and action is Action.DUMMY:
            return values.dummy(rule.vr)
        raw = self.file.value(element)
        if action is Action.KEEP or action is Action.SCREEN:
            return self._kept(element.tag, rule, raw)
        return self._changed(rule, raw)

    def _bulk(self, element: Element, data_set: DataSet) -> bytes | None:
        """As much of it as its description gives, which may stand elsewhere in the file."""
        self.repeatable = self.repeatable and told_beside(element.tag)
        value = fitting(self.file, data_set, element)
        if value is None or len(value) < element.length:
            self.actions.append("cut or removed, not as described")
        return value

    def _described(self, vr: str, raw: bytes, within: Action | None) -> bytes | None:
        """A description without the patient; None when it is in doubt. The same is read once."""
        if raw not in self.described:
            self.met += len(raw)
            self.described[raw] = self.met
        most = MOST_CONTENT if within else LONGEST
        clean = self.descriptors.cleaned(raw, vr) if self.described[raw] <= most else None
        if clean is None or _LIKE_A_UID.search(clean) is None:
            return clean
        self.repeatable = False
        return None if self.identifiers.in_text(clean, vr) else clean

    def _sequence(
        self, element: Element, rule: Rule, *, depth: int, within: Action | None
    ) -> bytes | None:
        empty = rule.action is Action.EMPTY or not _holds_anything(element)
        if element.fragments is None and empty:
            return b""
        if element.items is None:
            return None  # claims to be a sequence and holds no items
        within = inner(rule, within)
        encoding = self.file.data_set.encoding
        return b"".join(
            encode.item(encoding, b"".join(self._item(one, depth=depth + 1, within=within)))
            for one in element.items
        )

    def _item(self, data_set: DataSet, *, depth: int, within: Action | None) -> Iterator[bytes]:
        written = {
            one.tag: content
            for one in data_set
            if (content := self.element(one, data_set, depth=depth, within=within)) is not None
        }
        without_idle_creators(written)
        return (written[tag] for tag in sorted(written))

    def _kept(self, tag: int, rule: Rule, raw: bytes) -> bytes:
        """The value as it is, when it is one; a known identifier in it makes it a dummy."""
        valid = values.is_valid(rule.vr, raw, rule.most)
        if tag == _TIMEZONE:
            valid = values.is_timezone(raw)
        if not valid:
            self.actions.append("emptied, no value of its VR")
            return b""
        if rule.action is Action.SCREEN:
            self.repeatable = self.repeatable and _LIKE_A_UID.search(raw) is None
            if self.identifiers.in_text(raw, rule.vr):
                self.actions.append("screened, identifier inside")
                return values.dummy(rule.vr)
            raw = self._technical(rule, raw)
        return raw if len(raw) % 2 == 0 else raw + values.PADDING.get(rule.vr, b" ")

    def _technical(self, rule: Rule, raw: bytes) -> bytes:
        """A text of the technique or a coded one, without whom it may name."""
        if rule.vr not in TECHNICAL:
            return raw
        screened = self.descriptors.screened(raw, rule)
        if screened != raw:
            self.actions.append("screened, may name somebody")
        return screened

    def _changed(self, rule: Rule, raw: bytes) -> bytes:
        """A pseudonym, another UID, another date; empty when the value was none of its VR."""
        changed = values.each_value(raw, self._change(rule), rule.vr)
        if changed is None:
            self.actions.append("emptied, no value of its VR")
            return b""
        self.own.update(part.strip(b" \0") for part in changed.split(b"\\"))
        return changed

    def _change(self, rule: Rule) -> Callable[[str], str | None]:
        """How one value of a multi-valued attribute is changed."""
        if rule.action is Action.UID or rule.action is Action.DUMMY:
            return self._uid  # of these an instance has most
        subject, identity = self.order.subject, self.order.identity
        shift = shift_date if rule.vr == "DA" else shift_datetime
        changes: dict[Action, Callable[[str], str | None]] = {
            Action.SHIFT: lambda value: shift(value, subject.shift_days),
            Action.AGE: band_age,
            Action.SEX: lambda value: value if value in _SEXES else "",
            Action.ACCESSION: identity.accession,
            Action.NAME: lambda _: subject.pseudonym,
            Action.PATIENT_ID: lambda _: subject.pseudonym,
        }
        return changes[rule.action]

    def _uid(self, value: str) -> str | None:
        valid = values.is_valid("UI", value.encode("latin-1"))
        return self.order.identity.uid(value) if valid else None


def rule_of(
    file: Part10,
    rulebook: Rulebook,
    element: Element,
    data_set: DataSet,
    within: Action | None = None,
) -> Rule:
    """The rule for an element where it stands, `within` content or not; a private one's creator's.

    A value of VR UN is of the dictionary's VR, implicit and little endian (PS3.5 6.2.2 note 2): in
    a big endian file, which is retired, it goes as another VR does.
    """
    vr = "" if element.vr == "UN" and file.data_set.encoding.little else element.vr
    if element.tag >> 16 & 1:
        return rulebook.private(creator(file, element.tag, data_set), element.tag, vr)
    rule = rulebook.rule(element.tag, vr)
    public = within is Action.CLEAN_ITEMS and _is_public(file, data_set)
    return rule_within(rule, element.tag, within, public=public)


def _is_public(file: Part10, data_set: DataSet) -> bool:
    """Whether the code in an item is of a scheme that anybody can look up."""
    scheme = data_set.get(CODE_SCHEME)
    if scheme is None or scheme.items is not None or scheme.fragments is not None:
        return False
    return file.value(scheme).strip(b" \0") in PUBLIC_SCHEMES


def _holds_anything(element: Element) -> bool:
    return element.items is not None or element.length != 0


def without_idle_creators(written: dict[int, T]) -> None:
    """Take out the creators of blocks in which nothing stays."""
    private = [tag for tag in written if tag >> 16 & 1]
    needed = {creator_of(tag) for tag in private if not is_creator(tag)}
    for tag in private:
        if is_creator(tag) and tag not in needed:
            del written[tag]

"""Is the clean file really clean? Read again from its bytes, by nothing the cleaner remembers.

The cleaner is trusted for nothing: the result is walked anew, each element is asked for its rule,
and every identifier the raw header knew is searched for, in values and in bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from services.deid.domain.actions import Action, Rule
from services.deid.domain.content import inner
from services.deid.domain.identifiers import Identifiers
from services.deid.domain.pixels import Doubt
from services.deid.domain.text.known import Known
from services.deid.gateways.bulk import fitting, told_beside
from services.deid.gateways.descriptors import TECHNICAL, Descriptors
from services.deid.gateways.rewrite import Order, rule_of
from shared.runtime.dicom import DataSet, Element, Part10
from shared.runtime.dicom.header import CHARSET
from shared.runtime.dicom.heads import show
from shared.runtime.dicom.tree import PIXEL_DATA

CHECKS = (
    "preamble is empty",
    "file meta is our own",
    "each attribute is one that may stay",
    "each UID is the standard's or ours",
    "no identifier in any value",
    "no description in which a second look finds somebody",
    "no identifier in any byte",
)
_META = frozenset(
    (0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013)
)
_STATEMENTS = frozenset((0x00120062, 0x00120063, 0x00120064, 0x00280303))


def remaining(
    file: Part10, order: Order, identifiers: Identifiers, *, found: bool
) -> tuple[Doubt, ...]:
    """What is wrong with a cleaned file, parsed again; nothing, when it may go.

    `found` tells that its bytes were searched, and one of the identifiers was there.
    """
    faults = {*_meta(file), *_top_level(file, order, identifiers)}
    if found:
        places = set(_places(file, file.data_set, identifiers)) or {"the clean file's bytes"}
        faults |= {f"an identifier of the raw header in {place}" for place in places}
    return tuple(Doubt("identifier_survived", fault) for fault in sorted(faults))


def _meta(file: Part10) -> Iterator[str]:
    if any(file.meta_buffer[:128]):
        yield "the preamble is not empty"
    for element in file.meta:
        if element.tag not in _META:
            yield f"file meta holds {show(element.tag)}"


def _top_level(file: Part10, order: Order, identifiers: Identifiers) -> Iterator[str]:
    """Judge each element; the judgement on the same clean bytes is remembered, never the bytes."""
    data_set, judge = file.data_set, _Judge(file, order, identifiers)

    def faults(element: Element) -> tuple[tuple[str, ...], bool]:
        if element.tag == PIXEL_DATA or element.tag in _STATEMENTS:
            return (), True
        judge.repeatable = True
        return tuple(judge.element(element, data_set)), judge.repeatable

    context = ("verify", data_set.encoding, judge.words, file.string(CHARSET))
    found = order.memory.shelf(context, tuple[str, ...]).answers(file, faults)
    common = found.sum("faults", lambda: tuple(chain.from_iterable(found.common())))
    return chain(common, *found.of_own())


@dataclass(slots=True)
class _Judge:
    """What the elements of one clean file are judged by.

    `repeatable` falls when a judgement followed from other elements of the file.
    """

    file: Part10
    order: Order
    identifiers: Identifiers
    repeatable: bool = True

    @property
    def words(self) -> Identifiers:
        """What a judgement follows from: the long ones are searched for in all bytes."""
        return replace(self.identifiers, long=frozenset())

    def element(
        self, element: Element, data_set: DataSet, within: Action | None = None
    ) -> Iterator[str]:
        rule = rule_of(self.file, self.order.rulebook, element, data_set, within)
        if rule.action in {Action.REMOVE, Action.PIXELS}:
            yield f"{show(element.tag)} may not stay"
        elif rule.action is Action.BULK:
            yield from self._bulk(element, data_set)
        elif element.items is not None:
            for item in element.items:
                for one in item:
                    yield from self.element(one, item, inner(rule, within))
        else:
            yield from self._value(element, rule)

    def _bulk(self, element: Element, data_set: DataSet) -> Iterator[str]:
        self.repeatable = self.repeatable and told_beside(element.tag)
        raw = self.file.value(element)
        if fitting(self.file, data_set, element) != raw:
            yield f"{show(element.tag)} is not as the file describes it"
        if self.identifiers.short_in_bytes(raw):
            yield f"an identifier of the raw header in {show(element.tag)}"

    def _value(self, element: Element, rule: Rule) -> Iterator[str]:
        raw, vr = self.file.value(element), rule.vr
        if rule.action is Action.DESCRIPTOR and self._names_somebody(raw, vr):
            yield f"{show(element.tag)} may still name somebody"
        if rule.action is Action.SCREEN and vr in TECHNICAL and self._is_doubted(raw, rule):
            yield f"{show(element.tag)} may still name somebody"
        if self.identifiers.short_in_text(raw, vr):
            yield f"an identifier of the raw header in {show(element.tag)}"
        if vr == "UI":
            for uid in raw.decode("latin-1").strip(" \0").split("\\"):
                if self.order.identity.uid(uid) != uid:
                    yield f"{show(element.tag)} is a UID of somebody else's"

    def _names_somebody(self, raw: bytes, vr: str) -> bool:
        """Whether a description would change if nothing but its words were known."""
        return self._anew().cleaned(raw, vr) != raw

    def _is_doubted(self, raw: bytes, rule: Rule) -> bool:
        """Whether a technical value would not stay when it came as it is now."""
        return self._anew().screened(raw, rule) != raw

    def _anew(self) -> Descriptors:
        nobody = Identifiers(frozenset(), frozenset())
        return Descriptors(Known(), nobody, 0, self.file.string(CHARSET), self.order.memory)


def _places(file: Part10, data_set: DataSet, identifiers: Identifiers) -> Iterator[str]:
    """Which elements hold one of the long identifiers."""
    for element in data_set:
        for item in element.items or ():
            yield from _places(file, item, identifiers)
        plain = element.items is None and element.fragments is None and element.tag != PIXEL_DATA
        if plain and identifiers.in_bytes(file.value(element)):
            yield show(element.tag)

"""Is the clean file really clean? Read again from its bytes, by nothing the cleaner remembers.

The cleaner is trusted for nothing: the result is walked anew, each element is asked for its rule,
and every identifier the raw header knew is searched for, in values and in bytes.
"""

from collections.abc import Iterator

from services.deid.domain.actions import Action
from services.deid.domain.identifiers import Identifiers
from services.deid.domain.pixels import Doubt
from services.deid.gateways.cleaner import Order
from shared.runtime.dicom import DataSet, Element, Part10
from shared.runtime.dicom.tree import PIXEL_DATA, show

CHECKS = (
    "preamble is empty",
    "file meta is our own",
    "each attribute is one that may stay",
    "each UID is the standard's or ours",
    "no identifier in any value",
    "no identifier in any byte",
)
_META = frozenset(
    (0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013)
)
_STATEMENTS = frozenset((0x00120062, 0x00120063, 0x00120064, 0x00280303))
_CHUNK, _OVERLAP = 1 << 20, 256


def remaining(file: Part10, order: Order, identifiers: Identifiers) -> tuple[Doubt, ...]:
    """What is wrong with a cleaned file, parsed again; nothing, when it may go."""
    faults = {*_meta(file), *_elements(file, file.data_set, order, identifiers, depth=0)}
    if _in_bytes(file, identifiers):
        places = set(_places(file, file.data_set, identifiers)) or {"the clean file's bytes"}
        faults |= {f"an identifier of the raw header in {place}" for place in places}
    return tuple(Doubt("identifier_survived", fault) for fault in sorted(faults))


def _meta(file: Part10) -> Iterator[str]:
    if any(file.meta_buffer[:128]):
        yield "the preamble is not empty"
    for element in file.meta:
        if element.tag not in _META:
            yield f"file meta holds {show(element.tag)}"


def _elements(
    file: Part10, data_set: DataSet, order: Order, identifiers: Identifiers, *, depth: int
) -> Iterator[str]:
    for element in data_set:
        if depth == 0 and element.tag in _STATEMENTS:
            continue
        action = order.rulebook.rule(element.tag, element.vr).action
        pixels = element.tag == PIXEL_DATA and depth == 0
        if action is Action.REMOVE or (action is Action.PIXELS and not pixels):
            yield f"{show(element.tag)} may not stay"
        elif element.items is not None:
            for item in element.items:
                yield from _elements(file, item, order, identifiers, depth=depth + 1)
        elif not pixels:
            yield from _value(file, element, order, identifiers)


def _value(file: Part10, element: Element, order: Order, identifiers: Identifiers) -> Iterator[str]:
    rule = order.rulebook.rule(element.tag, element.vr)
    raw = file.value(element)
    if identifiers.short_in_text(raw, rule.vr):
        yield f"an identifier of the raw header in {show(element.tag)}"
    if rule.vr == "UI":
        for uid in raw.decode("latin-1").strip(" \0").split("\\"):
            if order.identity.uid(uid) != uid:
                yield f"{show(element.tag)} is a UID of somebody else's"


def _places(file: Part10, data_set: DataSet, identifiers: Identifiers) -> Iterator[str]:
    """Which elements hold one of the long identifiers."""
    for element in data_set:
        for item in element.items or ():
            yield from _places(file, item, identifiers)
        plain = element.items is None and element.fragments is None and element.tag != PIXEL_DATA
        if plain and identifiers.in_bytes(file.value(element)):
            yield show(element.tag)


def _in_bytes(file: Part10, identifiers: Identifiers) -> bool:
    """Search the whole file in overlapping pieces, so that no identifier hides on a border."""
    size = len(file.meta_buffer)
    return any(
        identifiers.in_bytes(bytes(file.meta_buffer[at : at + _CHUNK + _OVERLAP]))
        for at in range(0, size, _CHUNK)
    )

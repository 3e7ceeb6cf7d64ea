"""Which bulk values belong to a file, and how much of them? By what the file says beside them."""

from services.deid.domain.bulk import Lookup, cut, lists_frames
from shared.runtime.dicom import DataSet, Element, Part10
from shared.runtime.dicom.header import SOP_CLASS
from shared.runtime.dicom.tree import PIXEL_DATA

LUT_DATA, _LUT_DESCRIPTOR = 0x00283006, 0x00283002
_PALETTES = range(0x00281201, 0x00281205)  # red, green, blue, alpha
_SEGMENTED = range(0x00281221, 0x00281225)
_DESCRIPTORS = 0x00281100
_WAVEFORM, _SAMPLES, _CHANNELS, _ALLOCATED = 0x54001010, 0x003A0010, 0x003A0005, 0x54001004
_OFFSETS, _LENGTHS = 0x7FE00001, 0x7FE00002
_FRAMES, _PHOTOMETRIC, _PRESENTATION = 0x00280008, 0x00280004, 0x00089205
# Supplemental palettes, PS3.3 C.7.6.19 and C.8.32.2.
_COLOURED = frozenset(("COLOR", "MIXED", "COLOR_RANGE"))
# Pseudo-colour, blending and advanced blending presentation states, colour palettes.
_OF_PALETTES = frozenset((
    "1.2.840.10008.5.1.4.1.1.11.3", "1.2.840.10008.5.1.4.1.1.11.4",
    "1.2.840.10008.5.1.4.1.1.11.8", "1.2.840.10008.5.1.4.39.1",
))  # fmt: skip
_OF_WAVEFORMS = "1.2.840.10008.5.1.4.1.1.9."


def told_beside(tag: int) -> bool:
    """Whether all that decides lies in the same item; else other parts of the file decide too."""
    return tag == LUT_DATA


def fitting(file: Part10, data_set: DataSet, element: Element) -> bytes | None:
    """The value as far as its description reaches; None when it is not of this file.

    `data_set` is where the element stands: the file's own, or that of an item.
    """
    if element.items is not None or element.fragments is not None:
        return None
    tag, raw, top = element.tag, file.value(element), data_set is file.data_set
    if tag == LUT_DATA:  # no module has one outside an item
        table = None if top else _lookup(file, data_set, _LUT_DESCRIPTOR)
        return table.plain(raw) if table else None
    if tag in _PALETTES or tag in _SEGMENTED:
        return _palette(file, data_set, tag, raw)
    if tag == _WAVEFORM:
        return _waveform(file, data_set, raw)
    return raw if top and tag in {_OFFSETS, _LENGTHS} and _lists_frames(file) else None


def _palette(file: Part10, data_set: DataSet, tag: int, raw: bytes) -> bytes | None:
    coloured = (
        file.string(_PHOTOMETRIC) == "PALETTE COLOR"
        or file.string(_PRESENTATION) in _COLOURED
        or file.string(SOP_CLASS) in _OF_PALETTES
    )
    table = _lookup(file, data_set, _DESCRIPTORS | tag & 0xF) if coloured else None
    if table is None:
        return None
    return table.segmented(raw) if tag in _SEGMENTED else table.plain(raw)


def _lookup(file: Part10, data_set: DataSet, tag: int) -> Lookup | None:
    return Lookup.of(_raw(file, data_set, tag), little=data_set.encoding.little)


def _waveform(file: Part10, data_set: DataSet, raw: bytes) -> bytes | None:
    if not file.string(SOP_CLASS).startswith(_OF_WAVEFORMS):
        return None
    order = "little" if data_set.encoding.little else "big"
    bits = 1
    for tag in (_SAMPLES, _CHANNELS, _ALLOCATED):
        bits *= int.from_bytes(_raw(file, data_set, tag), order)  # type: ignore[arg-type]
    return cut(raw, bits // 8)


def _lists_frames(file: Part10) -> bool:
    """Only with an empty Basic Offset Table and one fragment a frame (PS3.5 A.4)."""
    pixels = file.data_set.get(PIXEL_DATA)
    if pixels is None or not pixels.fragments:
        return False
    (_, table), *fragments = pixels.fragments
    if table or len(fragments) != (file.number(_FRAMES) or 1):
        return False
    return lists_frames(file.raw(_OFFSETS), file.raw(_LENGTHS), [length for _, length in fragments])


def _raw(file: Part10, data_set: DataSet, tag: int) -> bytes:
    element = data_set.get(tag)
    if element is None or element.items is not None or element.fragments is not None:
        return b""
    return file.value(element)

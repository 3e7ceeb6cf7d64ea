"""Where on an ultrasound frame is the image? Sequence of Ultrasound Regions (0018,6011)."""

from services.deid.domain.boxes import Box
from shared.runtime.dicom import DataSet, Part10

_SEQUENCE, _MODALITY = 0x00186011, 0x00080060
_LEFT, _TOP, _RIGHT, _BOTTOM = 0x00186018, 0x0018601A, 0x0018601C, 0x0018601E
_ULTRASOUND = frozenset(("US", "IVUS"))
_LENGTH = 4  # bytes of a UL, PS3.5 table 6.2-1


def regions(file: Part10) -> tuple[Box, ...]:
    """The regions in pixels (PS3.3 C.8.5.5.1.2: their last row and column belong to them).

    Empty where nothing can be relied on: not an ultrasound, no region, or one turned inside out.
    """
    element = file.data_set.get(_SEQUENCE)
    if element is None or file.string(_MODALITY) not in _ULTRASOUND:
        return ()
    found = [_region(file, item) for item in element.items or ()]
    sound = tuple(box for box in found if box is not None)
    return sound if len(sound) == len(found) else ()


def _region(file: Part10, item: DataSet) -> Box | None:
    corners = [_number(file, item, tag) for tag in (_LEFT, _TOP, _RIGHT, _BOTTOM)]
    if None in corners:
        return None
    left, top, right, bottom = (one for one in corners if one is not None)
    box = Box(left, top, right + 1, bottom + 1)
    return box if right >= left and bottom >= top else None


def _number(file: Part10, item: DataSet, tag: int) -> int | None:
    element = item.get(tag)
    if element is None or element.length != _LENGTH:
        return None
    raw = file.value(element)
    return int.from_bytes(raw, "little" if file.data_set.encoding.little else "big")

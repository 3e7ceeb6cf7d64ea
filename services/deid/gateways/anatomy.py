"""Which region does a header say, in words or codes, and how thick are its slices?

Words as data: profile/anatomy.yaml.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import yaml

from services.deid.domain.anatomy import Anatomy, Region, Spoken
from shared.runtime.dicom import DataSet, Part10
from shared.runtime.dicom.charset import decode
from shared.runtime.dicom.header import CHARSET

_FILE = Path(__file__).parents[1] / "profile" / "anatomy.yaml"
# Body Part Examined, Study and Series Description, Protocol Name, Requested Procedure Description,
# Performed and Scheduled Procedure Step Description, Acquisition Protocol Description, Code
# Meaning.
_TEXTS = (
    0x00180015, 0x00081030, 0x0008103E, 0x00181030, 0x00321060, 0x00400254, 0x00400007, 0x00189424,
    0x00080104,
)  # fmt: skip
CODE_VALUE = 0x00080100
_CODES = (CODE_VALUE, 0x00080119)  # Code Value, Long Code Value
# What holds them: Anatomic Region, Primary Anatomic Structure, Procedure Code, Requested Procedure
# Code, Performed and Scheduled Protocol Code, Request Attributes.
_HOLDERS = (
    0x00082218, 0x00082228, 0x00081032, 0x00321064, 0x00400260, 0x00400275, 0x00400008,
)  # fmt: skip
_SHARED, _PER_FRAME = 0x52009229, 0x52009230  # functional groups of an enhanced image
_FRAME_ANATOMY, _PIXEL_MEASURES = 0x00209071, 0x00289110
_THICKNESS = 0x00180050
TELLING = frozenset((*_TEXTS, *_HOLDERS, _SHARED, _PER_FRAME, _THICKNESS, CHARSET))


@lru_cache(maxsize=1)
def anatomy() -> Anatomy:
    """The vocabulary. Raises ValueError that names the field."""
    return Anatomy(Spoken.model_validate(yaml.safe_load(_FILE.read_text(encoding="utf-8"))))


def region_of(file: Part10) -> Region:
    charset = file.string(CHARSET)
    texts: set[str] = set()
    codes: set[str] = set()
    for one in _describing(file):
        texts |= {decode(raw, charset) for raw in values_in(file, one, _TEXTS)}
        codes |= {raw.decode("latin-1").strip(" \0") for raw in values_in(file, one, _CODES)}
    return _region(frozenset(texts), frozenset(codes))


def thinnest(file: Part10) -> float | None:
    """Millimetres of the thinnest slice, None where no thickness is said."""
    said = [
        file.data_set,
        *(one for group in _groups(file) for one in items_in(group, _PIXEL_MEASURES)),
    ]
    found = (_millimetres(raw) for one in said for raw in values_in(file, one, (_THICKNESS,)))
    return min((one for one in found if one is not None), default=None)


@lru_cache(maxsize=64)
def _region(texts: frozenset[str], codes: frozenset[str]) -> Region:
    return anatomy().region(sorted(texts), codes)


def _describing(file: Part10) -> Iterator[DataSet]:
    """The data set and each item in it that says what is shown."""
    yield from _with_holders(file.data_set)
    for group in _groups(file):
        for one in items_in(group, _FRAME_ANATOMY):
            yield from _with_holders(one)


def _with_holders(data_set: DataSet, depth: int = 2) -> Iterator[DataSet]:
    yield data_set
    for holder in _HOLDERS if depth else ():
        for one in items_in(data_set, holder):
            yield from _with_holders(one, depth - 1)


def _groups(file: Part10) -> Iterator[DataSet]:
    yield from items_in(file.data_set, _SHARED)
    yield from items_in(file.data_set, _PER_FRAME)


def items_in(data_set: DataSet, tag: int) -> tuple[DataSet, ...]:
    element = data_set.get(tag)
    return (element.items or ()) if element else ()


def values_in(file: Part10, data_set: DataSet, tags: tuple[int, ...]) -> Iterator[bytes]:
    for tag in tags:
        element = data_set.get(tag)
        if element is not None and element.items is None and element.fragments is None:
            yield file.value(element)


def _millimetres(raw: bytes) -> float | None:
    """A decimal string, None when it is none or not above 0."""
    try:
        value = float(raw.decode("latin-1").strip(" \0"))
    except ValueError:
        return None
    return value if value > 0 else None

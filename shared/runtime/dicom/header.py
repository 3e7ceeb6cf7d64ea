"""What does an edge need to know of a file before it takes it? Facts, not pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Literal

from shared.runtime.dicom.charset import decode
from shared.runtime.dicom.errors import UnreadableError
from shared.runtime.dicom.file import Part10, read_part10
from shared.runtime.dicom.heads import show
from shared.runtime.dicom.limits import LIMITS, Limits
from shared.runtime.dicom.tree import PIXEL_DATA, DataSet

SOP_CLASS, SOP_INSTANCE = 0x00080016, 0x00080018
STUDY_INSTANCE, SERIES_INSTANCE = 0x0020000D, 0x0020000E
CHARSET, NUMBER_OF_FRAMES = 0x00080005, 0x00280008
REQUIRED = (SOP_CLASS, SOP_INSTANCE, STUDY_INSTANCE, SERIES_INSTANCE)
_KEPT = 1024  # bytes; a longer value answers no question of an edge
_IMAGE_GROUP = 0x0028
_UID = 64  # characters, PS3.5 section 9.1
_NESTED = 2  # levels of sequences that are kept
_WIDTHS = {"": 2, "US": 2, "SS": 2, "UL": 4, "SL": 4}
_SIGNED = frozenset(("SS", "SL"))


@dataclass(frozen=True, slots=True)
class Header:
    """The short values of a file, detached from its bytes.

    `frames` counts images (1 when Number of Frames is absent); `has_pixels` says whether Pixel
    Data is there. Sequences are kept one item wide: `sequence(tag)` gives their items' values.
    """

    transfer_syntax: str
    size: int
    has_pixels: bool
    charset: str
    little: bool
    values: Mapping[int, tuple[str, bytes]]
    items: Mapping[int, tuple["Header", ...]]

    def text(self, tag: int) -> str:
        """The value as text in the file's character set, "" where absent or empty."""
        return decode(self.values[tag][1], self.charset) if tag in self.values else ""

    def texts(self, tag: int) -> tuple[str, ...]:
        """The parts of a multi-valued text."""
        text = self.text(tag)
        return tuple(part.strip() for part in text.split("\\")) if text else ()

    def number(self, tag: int) -> int | None:
        """The first binary integer, or the first number of a decimal or integer string."""
        vr, raw = self.values.get(tag, ("", b""))
        width = _WIDTHS.get(vr, 0)
        if not vr and (tag >> 16 != _IMAGE_GROUP or tag == NUMBER_OF_FRAMES):
            width = 0  # implicit VR: only the image group holds binary numbers of two bytes
        if width and len(raw) >= width:
            order: Literal["little", "big"] = "little" if self.little else "big"
            return int.from_bytes(raw[:width], order, signed=vr in _SIGNED)
        text = raw.decode("latin-1").split("\\")[0].strip(" \0")
        return int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() else None

    def sequence(self, tag: int) -> tuple["Header", ...]:
        return self.items.get(tag, ())

    @property
    def sop_class(self) -> str:
        return self.text(SOP_CLASS)

    @property
    def sop_instance(self) -> str:
        return self.text(SOP_INSTANCE)

    @property
    def study_instance(self) -> str:
        return self.text(STUDY_INSTANCE)

    @property
    def series_instance(self) -> str:
        return self.text(SERIES_INSTANCE)

    @property
    def frames(self) -> int:
        return self.number(NUMBER_OF_FRAMES) or 1


def inspect(source: Path | bytes, limits: Limits = LIMITS) -> Header:
    """Walk a whole file and keep its short values.

    Raises `UnreadableError`, also when one of the four UIDs that name an instance is missing or
    is no UID: such a file can neither be filed nor found again.
    """
    if isinstance(source, bytes):
        return header_of(read_part10(source, limits))
    if source.stat().st_size == 0:
        raise UnreadableError("not_dicom", "the file is empty")
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        return header_of(read_part10(mapped, limits))


def header_of(file: Part10) -> Header:
    """Detach the short values of a parsed file."""
    charset = file.string(CHARSET)
    header = _header(file, file.data_set, charset, depth=0)
    for tag in REQUIRED:
        uid = header.text(tag)
        if not uid or len(uid) > _UID or not set(uid) <= set("0123456789."):
            raise UnreadableError("missing_attribute", f"{show(tag)} is missing or no UID")
    return header


def _header(file: Part10, data_set: DataSet, charset: str, depth: int) -> Header:
    values: dict[int, tuple[str, bytes]] = {}
    items: dict[int, tuple[Header, ...]] = {}
    for element in data_set:
        if element.items is None:
            if element.length <= _KEPT:
                values[element.tag] = element.vr, file.value(element)
        elif depth < _NESTED:
            items[element.tag] = tuple(
                _header(file, item, charset, depth + 1) for item in element.items[:16]
            )
    return Header(
        transfer_syntax=file.transfer_syntax,
        size=len(file.meta_buffer),
        has_pixels=data_set.get(PIXEL_DATA) is not None,
        charset=charset,
        little=data_set.encoding.little,
        values=values,
        items=items,
    )

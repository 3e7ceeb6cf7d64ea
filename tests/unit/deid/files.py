"""What does the cleaner make of a file, under one key and for one patient?"""

import struct
from pathlib import Path

from services.deid.domain.identity import Identity, Key
from services.deid.domain.pixels import Pixels
from services.deid.domain.policy import SECOND_OPINION, Policy
from services.deid.gateways.instance import Receipt, Task, clean_instance
from shared.testing.part10 import (
    BIG,
    CT_STORAGE,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    RLE,
    SYNTAXES,
    Writer,
)

__all__ = [
    "BIG",
    "CT",
    "CT_STORAGE",
    "DEFLATED",
    "EXPLICIT",
    "IMPLICIT",
    "JPEG",
    "KEY",
    "PARTNER",
    "RLE",
    "SYNTAXES",
    "Writer",
    "cleaned",
    "task",
    "voi_lut",
]

KEY = Key("1", b"a key of thirty-two bytes, no less")
PARTNER = "st-jude"
# What a scanner's own slice of a chest says of its pixels.
CT = Pixels(
    sop_class="1.2.840.10008.5.1.4.1.1.2",
    modality="CT",
    image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
    photometric="MONOCHROME2",
    burned_in="",
    recognisable="",
    has_rows=True,
    has_pixels=True,
    overlay_in_pixels=False,
    region="elsewhere",
)


def task(policy: Policy = SECOND_OPINION, patient: str = "MRN77123") -> Task:
    return Task(KEY, PARTNER, Identity(KEY, PARTNER).subject(patient, "case"), policy)


def cleaned(content: bytes, folder: Path, given: Task | None = None) -> tuple[bytes, Receipt]:
    """What the cleaner makes of a file, and its receipt."""
    source, target = folder / "raw.dcm", folder / "clean.dcm"
    source.write_bytes(content)
    receipt = clean_instance(source, target, given or task())
    return (target.read_bytes() if target.exists() else b""), receipt


def voi_lut(write: Writer, content: bytes, entries: int | None = None) -> tuple[int, bytes]:
    """A VOI LUT Sequence with one table of 16 bits, of as many entries as its bytes give."""
    count = len(content) // 2 if entries is None else entries
    descriptor = struct.pack(f"{write.order}3H", count, 0, 16)
    item = write.element(0x00283002, "US", descriptor) + write.element(0x00283006, "OW", content)
    return 0x00283010, write.sequence(0x00283010, item)

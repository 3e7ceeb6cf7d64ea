"""What does the cleaner make of a file, under one key and for one patient?"""

from pathlib import Path

from services.deid.domain.identity import Identity, Key
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
]

KEY = Key("1", b"a key of thirty-two bytes, no less")
PARTNER = "st-jude"


def task(policy: Policy = SECOND_OPINION, patient: str = "MRN77123") -> Task:
    return Task(KEY, PARTNER, Identity(KEY, PARTNER).subject(patient, "case"), policy)


def cleaned(content: bytes, folder: Path, given: Task | None = None) -> tuple[bytes, Receipt]:
    """What the cleaner makes of a file, and its receipt."""
    source, target = folder / "raw.dcm", folder / "clean.dcm"
    source.write_bytes(content)
    receipt = clean_instance(source, target, given or task())
    return (target.read_bytes() if target.exists() else b""), receipt

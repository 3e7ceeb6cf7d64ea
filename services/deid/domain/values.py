"""Is this value what its VR promises, and what stands in its place when it may not stay?"""

import re
from collections.abc import Callable

DUMMY_TEXT = "REMOVED"
# PS3.5 table 6.2-1: what a value of each VR may look like, per value between backslashes.
_PATTERNS = {
    "AS": r"(\d{3}[DWMY])?",
    "CS": r"[A-Z0-9 _]{0,16}",
    "DA": r"(\d{8})?",
    "DS": r"[0-9+\-.eE ]{0,16}",
    "DT": r"[0-9+\-. ]{0,26}",
    "IS": r"[0-9+\- ]{0,12}",
    "TM": r"(\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?)? *",
    "UI": r"[0-9.]{0,64}",
}
_CHECKS: dict[str, re.Pattern[str]] = {
    vr: re.compile(rf"{one}(\\{one})*") for vr, one in _PATTERNS.items()
}
# Bytes of one binary number (PS3.5 table 6.2-1).
BINARY = {"AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
_TIMEZONE = re.compile(r"[+-]\d{4}")
_LONGEST = {"LO": 64 * 32, "SH": 16 * 32, "UC": 1 << 16}  # bytes; a code is no place for a novel

_DUMMIES = {
    "AE": DUMMY_TEXT, "AS": "000Y", "CS": DUMMY_TEXT, "DA": "19000101", "DS": "0",
    "DT": "19000101000000", "IS": "0", "LO": DUMMY_TEXT, "LT": DUMMY_TEXT, "PN": DUMMY_TEXT,
    "SH": DUMMY_TEXT, "ST": DUMMY_TEXT, "TM": "000000", "UC": DUMMY_TEXT, "UR": "urn:removed",
    "UT": DUMMY_TEXT,
}  # fmt: skip
PADDING = {"UI": b"\0", "OB": b"\0", "UN": b"\0"}


def is_valid(vr: str, raw: bytes, most: int = 0) -> bool:
    """Whether the bytes are a value of the VR: what isn't could be anything, a name included.

    `most`: of binary numbers, how many there may be; 0: any number.
    """
    if vr in BINARY:
        count, rest = divmod(len(raw), BINARY[vr])
        return rest == 0 and (not most or count <= most)
    if vr in _CHECKS:
        text = raw.decode("latin-1").rstrip(" \0")
        return _CHECKS[vr].fullmatch(text.replace("\\ ", "\\")) is not None
    return len(raw) <= _LONGEST.get(vr, len(raw))


def is_timezone(raw: bytes) -> bool:
    return _TIMEZONE.fullmatch(raw.decode("latin-1").strip(" \0")) is not None


def dummy(vr: str) -> bytes:
    """A value that is valid for the VR and tells nothing."""
    if vr in _DUMMIES:
        return padded(vr, _DUMMIES[vr])
    return b"\0" * BINARY.get(vr, 2)


def padded(vr: str, text: str) -> bytes:
    """Text of the basic repertoire as a value of even length (PS3.5 6.2)."""
    raw = text.encode("ascii")
    return raw if len(raw) % 2 == 0 else raw + PADDING.get(vr, b" ")


def each_value(raw: bytes, change: Callable[[str], str | None], vr: str) -> bytes | None:
    """Change each value between backslashes; None when one of them can't be."""
    values = raw.decode("latin-1").strip(" \0").split("\\")
    changed = [change(value.strip(" \0")) if value.strip(" \0") else "" for value in values]
    if None in changed:
        return None
    return padded(vr, "\\".join(value or "" for value in changed))

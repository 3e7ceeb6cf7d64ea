"""When was it, if every date of a patient moves by the same number of whole days?"""

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_ZONE = r"-(?:0\d|1[01])[0-5]\d|-1200|\+(?:0\d|1[0-3])[0-5]\d|\+1400"  # PS3.5 6.2: -1200 to +1400
_TIME = r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?"
_DATETIME = re.compile(rf"(\d{{4}})(?:(\d{{2}})(?:(\d{{2}})({_TIME})?)?)?({_ZONE})?")
_AGE = re.compile(r"(\d{3})([DWMY])")
_ADULT, _OLDEST, _INFANT_MONTHS = 18, 90, 24


def shift_date(text: str, days: int) -> str | None:
    """Shift a DA, also a range of two; None when it is no date (PS3.5 6.2)."""
    if "-" in text and not _DATE.fullmatch(text):
        ends = [end and shift_date(end, days) for end in text.split("-", 1)]
        return None if None in ends else "-".join(end or "" for end in ends)
    found = _DATE.fullmatch(text)
    moved = _move(found[1], found[2], found[3], days) if found else None
    return f"{moved:%Y%m%d}".rjust(8, "0") if moved else None


def shift_datetime(text: str, days: int) -> str | None:
    """Shift a DT of any precision, keeping its precision, time of day and zone; also a range.

    A minus stands before a zone as well as between two ends: what reads as one DT is one, and
    2019-2020 does not, because no zone lies twenty hours to the west.
    """
    found = _DATETIME.fullmatch(text)
    if not found:
        return _shift_range(text, days)
    year, month, day, time, zone = found.groups()
    moved = _move(year, month or "01", day or "01", days)
    if moved is None:
        return None
    known = 4 + 2 * (month is not None) + 2 * (day is not None)
    return f"{moved:%Y%m%d}".rjust(8, "0")[:known] + (time or "") + (zone or "")


def _shift_range(text: str, days: int) -> str | None:
    """Shift both ends of a range of DT (PS3.5 6.2), of which one may be open."""
    for at, sign in enumerate(text):
        first, last = text[:at], text[at + 1 :]
        ends = [end for end in (first, last) if end]
        if sign == "-" and ends and all(_DATETIME.fullmatch(end) for end in ends):
            moved = [end and shift_datetime(end, days) for end in (first, last)]
            return None if None in moved else "-".join(end or "" for end in moved)
    return None


def band_age(text: str) -> str | None:
    """Band an AS: decades from 20 on, 18 and 19 together, everyone of 90 and more as 90.

    Children keep their age in years, infants under two in months or weeks, because growth is read
    by it (45 CFR 164.514(b)(2)(i)(C) limits only ages over 89). None when it is no age.
    """
    found = _AGE.fullmatch(text)
    if not found:
        return None
    number, unit = int(found[1]), found[2]
    if unit == "D":
        return f"{number // 7:03d}W"
    if unit == "W" or (unit == "M" and number < _INFANT_MONTHS):
        return text
    years = number // 12 if unit == "M" else number
    if years < _ADULT:
        return f"{years:03d}Y"
    return f"{min(max(years // 10 * 10, _ADULT), _OLDEST):03d}Y"


def _move(year: str, month: str, day: str, days: int) -> date | None:
    try:
        return date(int(year), int(month), int(day)) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None

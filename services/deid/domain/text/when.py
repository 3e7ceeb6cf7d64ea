"""Which dates does a text name, and when were they, moved by the patient's own number of days?

A date of ten digits or of words keeps its precision and is written as ISO 8601 has it:
`[DATE 2019-03-14]`. One that can be read two ways (03/04/2019) keeps what both readings share.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.deid.domain.text.kinds import Hit
from services.deid.domain.text.notation import (
    BARE_YEAR,
    BIRTH,
    CITED,
    CUED,
    MONTHS,
    ORDINALS,
    PATTERNS,
)

RANK = 20
_OURS = "[DATE "
_PIVOT = 50  # a year of two digits from here on is of the last century, unless the images know


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a date; a month or day of 0 is not told."""

    year: int
    month: int = 0
    day: int = 0


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the images know of time: YYYYMMDD each."""

    births: frozenset[str]
    days: tuple[str, ...]
    shift_days: int

    @property
    def year(self) -> int:
        """The year of the latest image, 0 when there is none."""
        return max((int(day[:4]) for day in self.days), default=0)


def dates(text: str, calendar: Calendar) -> Iterator[Hit]:
    """Every date, each place once, the more precise notation first."""
    taken = bytearray(len(text) + 1)
    found = [*_matches(text, taken)]
    order = _order(found, calendar)
    for match in found:
        readings = [*_readings(match, calendar)]
        if not readings:
            continue
        yield _hit(text, match, _preferred(readings, order), calendar)


def tells_day(text: str, days: frozenset[str]) -> bool:
    """Whether a text tells one of the days (YYYYMMDD), however it is written or may be read.

    A year of two digits is that of any century.
    """
    calendar = Calendar(days, (), 0)
    ends = {day[2:] for day in days}
    for match in _matches(text, bytearray(len(text) + 1)):
        short = len((match.groupdict().get("year") or "").strip("'")) == len("51")
        for one in _readings(match, calendar):
            day = f"{one.year:04}{one.month:02}{one.day:02}"
            if day in days or (short and day[2:] in ends):
                return True
    return False


def _matches(text: str, taken: bytearray) -> Iterator[re.Match[str]]:
    for pattern in (*PATTERNS, CUED, BARE_YEAR):
        for match in pattern.finditer(text):
            start, end = _extent(match)
            if any(taken[start:end]):
                continue
            if not _is_meant(text, match):
                continue
            taken[start:end] = b"\1" * (end - start)
            yield match


def _is_meant(text: str, match: re.Match[str]) -> bool:
    """Not the year of a guideline, nor a verb: "the first may", "findings march"."""
    if match.re is BARE_YEAR:
        return CITED.search(text[max(match.start() - 40, 0) : match.start()]) is None
    parts = match.groupdict()
    if parts.get("year") or "a" in parts:
        return True
    shouted = text[match.start("month") : match.end("month")].isupper()
    digits = any(char.isdigit() for char in parts["day"])
    return digits if shouted else parts["month"][0].isupper()


def _extent(match: re.Match[str]) -> tuple[int, int]:
    return (match.start("a") if match.re is CUED else match.start()), match.end()


def _readings(match: re.Match[str], calendar: Calendar) -> Iterator[_Reading]:
    parts = match.groupdict()
    year = _year(parts.get("year"), calendar)
    if "a" in parts:
        a, b = int(parts["a"]), int(parts["b"])
        pairs = ((a, b), (b, a)) if parts["s"] != "." or match.re is CUED else ((b, a), (a, b))
        for month, day in dict.fromkeys(pairs):
            yield from _sound(_Reading(year, month, day))
        return
    yield from _sound(_Reading(year, _month(parts.get("month")), _day(parts.get("day"))))


def _sound(reading: _Reading) -> Iterator[_Reading]:
    try:
        date(reading.year or 2000, reading.month or 1, reading.day or 1)
    except ValueError:
        return
    yield reading


def _year(text: str | None, calendar: Calendar) -> int:
    """0 when there is none or it is spoken: such a date loses its value."""
    digits = (text or "").strip("'")
    if not digits.isdigit():
        return 0
    if len(digits) > 2:
        return int(digits)
    pivot = calendar.year % 100 if calendar.year else _PIVOT
    return int(digits) + (2000 if int(digits) <= pivot else 1900)


def _month(text: str | None) -> int:
    if not text:
        return 0
    return int(text) if text.isdigit() else MONTHS[text.lower()]


def _day(text: str | None) -> int:
    digits = re.sub(r"\D", "", text or "")
    return int(digits) if digits else ORDINALS.get((text or "").lower(), 0)


def _order(found: Sequence[re.Match[str]], calendar: Calendar) -> int:
    """Does the text write the month first (1) or the day (2)? 0 when it doesn't tell."""
    votes = 0
    for match in found:
        parts = match.groupdict()
        if parts.get("s") not in {"/", "-"} or not parts.get("year"):
            continue
        a, b = int(parts["a"]), int(parts["b"])
        votes += (b > 12 >= a) - (a > 12 >= b)
        votes += _known(calendar, match, a, b) - _known(calendar, match, b, a)
    return (votes > 0) + 2 * (votes < 0)


def _known(calendar: Calendar, match: re.Match[str], month: int, day: int) -> int:
    written = f"{_year(match['year'], calendar):04d}{month:02d}{day:02d}"
    return 2 * (month != day and (written in calendar.days or written in calendar.births))


def _preferred(readings: Sequence[_Reading], order: int) -> Sequence[_Reading]:
    """The readings that are left when the text's own order of day and month is known."""
    if len(readings) == 1 or not order:
        return readings
    return readings[:1] if order == 1 else readings[1:]


def _hit(text: str, match: re.Match[str], readings: Sequence[_Reading], calendar: Calendar) -> Hit:
    start, end = _extent(match)
    start += len(text[start:end]) - len(text[start:end].lstrip())
    end -= text[start:end].endswith(".")
    if text[:start].endswith(_OURS) and text[end : end + 1] == "]":
        start, end = start - len(_OURS), end + 1  # our own label, whoever wrote it
    written = {f"{one.year:04d}{one.month:02d}{one.day:02d}" for one in readings}
    if written & calendar.births or BIRTH.search(text[max(start - 30, 0) : start]):
        return Hit(start, end, "birth_date", RANK - 1)
    known = [replace(one, year=one.year or calendar.year) for one in readings]
    yearless = any(not one.year for one in readings)
    return Hit(start, end, "date", RANK, _label(known, calendar.shift_days, yearless=yearless))


def _label(readings: Iterable[_Reading], days: int, *, yearless: bool) -> str:
    """What all readings have in common after the shift."""
    moved = {_moved(one, days) for one in readings}
    if None in moved:
        return "[DATE]"
    texts = [one or "" for one in moved]
    while len({*texts}) > 1:
        texts = [one.rpartition("-")[0] for one in texts]
    common = texts[0][5:] if yearless else texts[0]
    return f"[DATE {common}]" if common else "[DATE]"


def _moved(reading: _Reading, days: int) -> str | None:
    if not reading.year:
        return None
    try:
        day = date(reading.year, reading.month or 1, reading.day or 1) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    precision = 1 + bool(reading.month) + bool(reading.month and reading.day)
    return "-".join(f"{day.year:04d}-{day.month:02d}-{day.day:02d}".split("-")[:precision])

"""Who is over 89? Those ages are one class (45 CFR 164.514(b)(2)(i)(C))."""

import re
from collections.abc import Iterator

from services.deid.domain.text.kinds import Hit

RANK = 15
_OLDEST = 89
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_NUMBER = rf"(?P<age>\d{{2,3}}|ninety(?:[ -](?:{_ONES}))?|(?:a |one )?hundred(?:[ -](?:and[ -])?(?:{_ONES}))?)"
_AGES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\w.]){_NUMBER}(?=[\s-]{{0,2}}(?:years?|yrs?|y\.?o\b|y/o|y\b|jahre|jahrig|ans\b|anos\b|anni\b|jaar))",
        rf"\b(?:aged?|age of|age is|ages|alter|edad)\b\W{{0,3}}{_NUMBER}(?![\w.]\d|\w)",
        rf"(?<![\w.-]){_NUMBER}(?=\s?(?:(?-i:[MF])|-?(?:male|female|man|woman|lady|gentleman))\b)",
        r"(?P<age>\b(?:nona|cente)narian)s?\b",
    )
)  # fmt: skip


def ages(text: str) -> Iterator[Hit]:
    for pattern in _AGES:
        for match in pattern.finditer(text):
            told = match["age"]
            if not told.isdigit() or _OLDEST < int(told) < 140:
                start, end = match.span("age")
                ours = text[:start].endswith("[AGE ") and text[end : end + 2] == "+]"
                yield Hit(start - 5 * ours, end + 2 * ours, "age", RANK)

"""Where in a text is somebody named whom the images' header knows? For an operator's eye.

Finds what is spelt alike: names in any order, numbers, and the birth date in four notations. A
text without a mark is not thereby clean, which is why a person releases it.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from services.deid.domain.actions import Rulebook
from services.deid.domain.identity import Identity, Key
from services.deid.domain.policy import BASIC
from services.deid.gateways.instance import mapped, table
from services.deid.gateways.survey import identifiers_of
from shared.runtime.dicom import Part10, read_part10
from shared.runtime.dicom.charset import decode

Mark = tuple[int, int]  # from, to: characters of the text
_CHARSET, _BIRTH_DATE = 0x00080005, 0x00100030
_NOTATIONS = ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y")
_NOBODY = Identity(Key("none", b"no key"), "nobody")


def marks(source: Path, text: str) -> tuple[Mark, ...]:
    """Give the places, in order and without overlaps."""
    with mapped(source) as raw:
        words = set(_words(read_part10(raw)))
    if not words:
        return ()
    longest_first = sorted(words, key=len, reverse=True)
    pattern = "|".join(re.escape(word) for word in longest_first)
    found = re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", text, re.IGNORECASE)
    return tuple(match.span() for match in found)


def _words(file: Part10) -> Iterator[str]:
    charset = file.string(_CHARSET)
    known = identifiers_of(file, Rulebook(table(), BASIC), _NOBODY)
    for one in known.long | known.short:
        yield decode(one, charset)
    born = file.string(_BIRTH_DATE)
    if re.fullmatch(r"\d{8}", born):
        yield from _notations(born)


def _notations(born: str) -> Iterator[str]:
    try:
        day = date(int(born[:4]), int(born[4:6]), int(born[6:]))
    except ValueError:
        return
    for notation in _NOTATIONS:
        yield day.strftime(notation)

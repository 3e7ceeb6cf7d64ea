"""Who and what does this case know? The identifiers of its headers, made ready for searching."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from jellyfish import metaphone

from services.deid.domain.text.people import PARTICLES
from services.deid.domain.text.view import folded

SHORTEST_PART, SHORTEST_NUMBER = 2, 4
# A header with more names than this is an attack; the rest is still searched for as written.
MOST_PARTS = 400
_BETWEEN = re.compile(r"[\s^=,.;/()\\|_-]+")
_TITLES = frozenset(
    "dr md mr mrs ms miss prof phd do rn rt np pa jr sr ii iii iv md, m.d. herr frau med".split()
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


@dataclass(frozen=True)
class Known:
    """Identifiers of one case, as the headers of its images and its documents have them.

    people: names of patients and staff, in any order, PN or plain. numbers: MRN, accession numbers,
    phones and whatever else is a code. births, days: YYYYMMDD. places: institutions and addresses.
    """

    people: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    births: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def __add__(self, other: "Known") -> "Known":
        return Known.union((self, other))

    @classmethod
    def union(cls, several: Iterable["Known"]) -> "Known":
        """All of them together, in time that grows with their number alone."""
        every = tuple(dict.fromkeys(several))
        return cls(
            _joined(*(one.people for one in every)),
            _joined(*(one.numbers for one in every)),
            _joined(*(one.births for one in every)),
            _joined(*(one.days for one in every)),
            _joined(*(one.places for one in every)),
        )

    @property
    def size(self) -> int:
        """How many there are to search for."""
        return sum(map(len, (self.people, self.numbers, self.births, self.places)))

    @cached_property
    def searched(self) -> "Searched":
        return Searched.of(self)


@dataclass(frozen=True)
class Searched:
    """What a word is compared with, all folded and in lower case.

    parts: of names. fuzzy: those long enough for misspelling. sounds: how these sound. initials:
    of each person, sorted letters. codes: numbers without their punctuation. phrases: places, word
    by word.
    """

    parts: frozenset[str]
    fuzzy: tuple[str, ...]
    sounds: frozenset[str]
    initials: frozenset[str]
    codes: frozenset[str]
    phrases: tuple[tuple[str, ...], ...]
    _near: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, known: Known) -> "Searched":
        parts = frozenset(part for name in known.people for part in _parts(name))
        fuzzy = tuple(sorted((one for one in parts if len(one) > 3), key=len))[:MOST_PARTS]
        return cls(
            parts=parts,
            fuzzy=fuzzy,
            sounds=frozenset(metaphone(one) for one in fuzzy if len(one) > 4 and one.isascii()),
            initials=frozenset(_initials(known.people)),
            codes=frozenset(_codes(known.numbers)),
            phrases=tuple(sorted({*_phrases(known.places)})),
        )


def code_of(text: str) -> str:
    """A number as it is compared: letters and digits only, in lower case."""
    return re.sub(r"[\W_]+", "", folded(text))


def _parts(name: str) -> Iterator[str]:
    for written in {folded(name), folded(name.translate(_UMLAUTS))}:
        for part in _BETWEEN.split(written):
            plain = part.replace("'", "")
            if len(plain) >= SHORTEST_PART and plain not in _TITLES | PARTICLES and _is_name(plain):
                yield plain


def _is_name(part: str) -> bool:
    return not any(char.isdigit() for char in part)


def _initials(people: Iterable[str]) -> Iterator[str]:
    for name in people:
        letters = [part[0] for part in _BETWEEN.split(folded(name)) if part and part[0].isalpha()]
        for count in (2, 3):
            if len(letters) >= count:
                yield "".join(sorted(letters[:count]))


def _codes(numbers: Iterable[str]) -> Iterator[str]:
    for number in numbers:
        for one in number.split("\\"):
            code = code_of(one)
            for form in (code, code.lstrip("0")):
                if len(form) >= SHORTEST_NUMBER and any(char.isdigit() for char in form):
                    yield form


def _phrases(places: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for place in places:
        words = tuple(re.findall(r"[^\W_]+(?:'[^\W_]+)*", folded(place)))
        if any(len(word) > 2 for word in words):
            yield tuple(word.replace("'", "") for word in words)


def _joined(*several: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*chain(*several)}))

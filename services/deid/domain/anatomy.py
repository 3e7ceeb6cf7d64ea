"""Which region of the body do words and codes name: a head, something else, or nobody knows?"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Frozen

Region = Literal["head", "elsewhere", "unknown"]
Words = tuple[tuple[Annotated[str, Field(pattern=r"^\*?[^\W\d_]+( [^\W\d_]+)*\*?$")], ...], ...]
Coded = Annotated[str, Field(pattern=r"^\d{6,18} (-|[A-Z]\d?-[0-9A-F]{4,5}) \S.*$")]
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_LETTERS = re.compile(r"[^A-Z]+")
_UMLAUTS = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE"})


class Part(Frozen, extra="forbid"):
    """What names one part of the body. A code: SNOMED CT, SRT or -, meaning."""

    words: Words
    codes: tuple[Coded, ...]

    def values(self) -> frozenset[str]:
        """The code values of both schemes."""
        return frozenset(value for one in self.codes for value in one.split(" ", 2)[:2]) - {"-"}


class Spoken(Frozen, extra="forbid"):
    """The vocabulary as it is written down. `strange`: words that mean no head though they say so.

    A star stands for any letters.
    """

    strange: Words
    heads: Part
    elsewhere: Part


@dataclass(frozen=True)
class Anatomy:
    """Tells regions by a vocabulary."""

    spoken: Spoken

    def region(self, texts: Iterable[str], codes: Iterable[str]) -> Region:
        """A head when anything names one, whatever else is named: what is doubtful is a head."""
        said = " | ".join(_letters(one) for one in texts)
        coded = frozenset(codes)
        if coded & self._head_codes or self._heads.search(self._strange.sub("|", said)):
            return "head"
        if coded & self._other_codes or self._others.search(said):
            return "elsewhere"
        return "unknown"

    @cached_property
    def _head_codes(self) -> frozenset[str]:
        return self.spoken.heads.values()

    @cached_property
    def _other_codes(self) -> frozenset[str]:
        return self.spoken.elsewhere.values()

    @cached_property
    def _strange(self) -> re.Pattern[str]:
        return _any_of(self.spoken.strange)

    @cached_property
    def _heads(self) -> re.Pattern[str]:
        return _any_of(self.spoken.heads.words)

    @cached_property
    def _others(self) -> re.Pattern[str]:
        return _any_of(self.spoken.elsewhere.words)


def _any_of(words: Words) -> re.Pattern[str]:
    forms = sorted({form for several in words for word in several for form in _forms(word)})
    return re.compile(rf"(?<![A-Z])(?:{'|'.join(forms)})(?![A-Z])")


def _forms(word: str) -> Iterable[str]:
    """A word as a pattern, spelt with umlauts' dots left out, and as two letters."""
    for spelt in (word.upper(), word.upper().translate(_UMLAUTS)):
        yield _plain(spelt).replace("*", "[A-Z]*")


def _letters(text: str) -> str:
    """As it is written, and with a capital behind a small letter as the begin of a word."""
    plain = _NO_LETTERS.sub(" ", _plain(text.upper()))
    apart = _NO_LETTERS.sub(" ", _plain(_CAMEL.sub(" ", text).upper()))
    return plain if plain == apart else f"{plain} | {apart}"


def _plain(text: str) -> str:
    """Without accents."""
    return "".join(
        one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one)
    )

"""Is this word one of the known names, misspelt?"""

from functools import lru_cache

from jellyfish import damerau_levenshtein_distance, metaphone

from services.deid.domain.text.known import Searched

_EXACT, _ONE_SLIP, _TWO_SLIPS = 3, 4, 8  # letters of a name from which slips are forgiven


def is_near(word: str, searched: Searched) -> bool:
    """One slip in four to seven letters, two in eight and more; or it sounds the same."""
    known = searched._near.get(word)  # noqa: SLF001 - its own memory of answers
    if known is None:
        known = searched._near[word] = _is_near(word, searched)  # noqa: SLF001
    return known


def holds(word: str, searched: Searched) -> str:
    """A known name of at least five letters inside a longer word: "drvanterpool", "Vanterpools"."""
    return next((one for one in searched.fuzzy if len(one) > _ONE_SLIP and one in word), "")


def is_close(left: str, right: str) -> bool:
    length = len(right)
    if length < _ONE_SLIP or abs(len(left) - length) > 2:
        return False
    return damerau_levenshtein_distance(left, right) <= 1 + (length >= _TWO_SLIPS)


def _is_near(word: str, searched: Searched) -> bool:
    if len(word) < _ONE_SLIP or len(word) > 40:
        return False
    if any(is_close(word, one) for one in searched.fuzzy):
        return True
    return len(word) > _ONE_SLIP and word.isascii() and _sound(word) in searched.sounds


@lru_cache(maxsize=20_000)
def _sound(word: str) -> str:
    return metaphone(word)

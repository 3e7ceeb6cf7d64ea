"""Where does one of the case's numbers stand, whatever its punctuation, or with a slip in it?"""

import re
from collections.abc import Iterator
from itertools import pairwise

from jellyfish import damerau_levenshtein_distance

from services.deid.domain.text.kinds import Hit
from services.deid.domain.text.known import Searched

RANK = 8
_WIDEST = 3  # characters between two of a number: "123 - 456"
_LIKE = 6  # characters of a number from which one slip is forgiven
_TOKEN = re.compile(r"(?<![\w])(?=[\w./-]{0,24}\d)[A-Za-z0-9](?:[./_-]?[A-Za-z0-9]){4,40}(?!\w)")


def known_codes(text: str, searched: Searched) -> Iterator[Hit]:
    if not searched.codes:
        return
    yield from _spaced(text, searched)
    yield from _misspelt(text, searched)


def _spaced(text: str, searched: Searched) -> Iterator[Hit]:
    """The number's characters in order, with little between them, and no more of it around."""
    places = [n for n, char in enumerate(text) if char.isalnum()]
    squeezed = "".join(text[n] for n in places).lower()
    if len(squeezed) != len(places):  # a letter whose lower case is longer
        return
    for code in searched.codes:
        at = squeezed.find(code)
        while at >= 0:
            own = places[at : at + len(code)]
            if _stands_alone(text, own):
                yield Hit(own[0], own[-1] + 1, "number", RANK)
            at = squeezed.find(code, at + 1)


def _stands_alone(text: str, own: list[int]) -> bool:
    close = all(right - left <= _WIDEST + 1 for left, right in pairwise(own))
    before, behind = text[own[0] - 1 : own[0]], text[own[-1] + 1 : own[-1] + 2]
    return close and not _goes_on(before, text[own[0]]) and not _goes_on(behind, text[own[-1]])


def _goes_on(neighbour: str, end: str) -> bool:
    """A digit beside a digit, a letter beside a letter: a longer code."""
    return neighbour.isalnum() and neighbour.isdigit() == end.isdigit()


def _misspelt(text: str, searched: Searched) -> Iterator[Hit]:
    long = [code for code in searched.codes if len(code) >= _LIKE]
    for match in _TOKEN.finditer(text):
        token = re.sub(r"\W|_", "", match[0]).lower()
        if any(
            abs(len(token) - len(code)) < 2 and damerau_levenshtein_distance(token, code) < 2
            for code in long
        ):
            yield Hit(*match.span(), "number", RANK + 1)

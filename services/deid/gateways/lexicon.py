"""Which words does the language have, and what are people called? Read once per process."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import names
from english_words import get_english_words_set

from services.deid.domain.text.lexicon import Lexicon

_FOLDER = Path(__file__).parent.parent / "lexicon"
# By rank in the census of 1990: names so frequent that a word which is one of them is doubted,
# and names that are hardly ever a word, whatever a dictionary of 1934 says ("john", "smith").
_FAMILIAR_SURNAMES, _FAMILIAR_GIVEN = 5000, 1000
_PERSONS_SURNAMES, _PERSONS_GIVEN = 700, 500


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """Give the words of English and of radiology, and the names of people."""
    grammar, terms = {*_listed("grammar"), *_listed("regions")}, {*_listed("terms")}
    own = {*grammar, *terms, *_listed("heads"), *_listed("ordinary")}
    eponyms = [*_listed("eponyms")]
    surnames = [*_census("last")]
    given = [[*_census("first:female")], [*_census("first:male")]]
    persons = {*surnames[:_PERSONS_SURNAMES]}
    familiar = {*surnames[:_FAMILIAR_SURNAMES]}
    for one in given:
        persons |= {*one[:_PERSONS_GIVEN]}
        familiar |= {*one[:_FAMILIAR_GIVEN]}
    language = {word for word in get_english_words_set(["web2"]) if word.islower()}
    return Lexicon(
        words=frozenset((language - persons) | own),
        surnames=frozenset(surnames),
        given=frozenset(name for one in given for name in one),
        eponyms=frozenset(one.rstrip("!") for one in eponyms),
        heads=frozenset(_listed("heads")),
        familiar=frozenset(familiar - grammar - terms),
        called=frozenset(familiar - {*_listed("function")}),
        certain=frozenset(one.rstrip("!") for one in eponyms if one.endswith("!")),
        technique=frozenset(_listed("technique")),
        homonyms=frozenset(name for one in given for name in one) & {*_listed("regions")},
    )


@lru_cache(maxsize=1)
def devices() -> Lexicon:
    """Give the same with what devices call themselves, their parts and their ways."""
    usual = lexicon()
    return replace(usual, technique=usual.technique | {*_listed("devices")})


def _listed(name: str) -> Iterator[str]:
    for line in (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield from line.split()


def _census(which: str) -> Iterator[str]:
    """Names in the order of their frequency."""
    text = Path(names.FILES[which]).read_text(encoding="utf-8")
    return (line.split()[0].lower() for line in text.splitlines() if line)

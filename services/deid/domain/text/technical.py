"""Does a technical value of a header name somebody: a coil, a maker, a kernel, a coded term?

Its numbers are versions, serials and codes, so letters are judged without them, as a line of a header is.
What a device calls itself stands in the lexicon; a word that is neither that nor of the language
may be a person.
"""

import re

from services.deid.domain.text.known import Known
from services.deid.domain.text.lexicon import Lexicon
from services.deid.domain.text.scrubber import scrub
from services.deid.domain.text.words import Word, words_of

_NO_WORD = re.compile(r"[\d_]+|[^\w\s]+")
_ADDRESSED = frozenset("dr prof professor doctor dob mrn born birthdate ssn tel phone".split())
_TITLES = frozenset(("Mr", "Mrs", "Ms", "Miss"))  # in capitals MR and MRS are modalities
# A phone, a birth date, a patient's number; "320 100" is a concentration and a volume.
_NUMBER = re.compile(
    r"(?<![\w.])(?:\d{6,}|\+?\(?\d(?:[ ()./-]{0,2}\d){6,}|\d\d?[./-]\d\d?[./-]\d\d(?:\d\d)?)(?![\w.])"
)
_CODED = 4  # letters: shorter coded terms are abbreviations ("RAO", "LEE")
_SHORT = 2  # letters: what a version or a channel begins with


def names_somebody(text: str, lexicon: Lexicon, *, numbered: bool) -> bool:
    """Whether a value may be about a person; `numbered` ones are codes, serials and versions."""
    if not numbered and _NUMBER.search(text):
        return True
    letters = _NO_WORD.sub(_blank, text)
    words = words_of(letters, sentences=False)
    if any(word.plain in _ADDRESSED or word.text in _TITLES for word in words):
        return True
    left = " ".join(word.text for word in words if not _is_technical(word, lexicon))
    if not left:
        return False
    scrubbed = scrub(left, Known(), 0, lexicon, line=True)
    doubts = [one for one in scrubbed.doubts if one.code != "identifier_unknown"]
    return bool(scrubbed.replacements or doubts)


def is_name(coded: str, lexicon: Lexicon) -> bool:
    """Whether a coded string holds a name of the census that is no word and no term."""
    words = words_of(_NO_WORD.sub(_blank, coded), sentences=False)
    return any(
        len(word.plain) >= _CODED
        and lexicon.is_name(word.plain)
        and not _is_technical(word, lexicon)
        and not lexicon.is_word(word.plain)
        for word in words
    )


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _is_technical(word: Word, lexicon: Lexicon) -> bool:
    return len(word.plain) <= _SHORT or word.plain in lexicon.technique

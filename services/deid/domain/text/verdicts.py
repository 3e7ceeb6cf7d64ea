"""What is a word by itself, when nothing around it says: a "name", a "doubt", or ""?

In a sentence grammar tells names from words; a line of a header has none, so each word that is
unknown there is in doubt, and what is in doubt does not leave.
"""

import re

from services.deid.domain.text.lexicon import Lexicon
from services.deid.domain.text.words import Word

_ABBREVIATION = 5  # letters: the longest that is presumed to be one when written in capitals
_SHORT = 3  # letters: of a line, shorter ones are abbreviations of the technique
_TOGETHER = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def in_sentence(word: Word, lexicon: Lexicon) -> str:
    """A capital where grammar asks for none, a word that nobody is called, a name of the census."""
    plain = word.plain
    if lexicon.is_eponym(plain):
        rare = lexicon.is_meant(plain) or plain not in lexicon.familiar
        return "doubt" if word.proper and not rare else ""
    if lexicon.is_word(plain):
        return "doubt" if word.proper and _is_mostly_name(word, lexicon) else ""
    if not word.capital:
        return "doubt" if plain in lexicon.familiar else ""
    if word.all_capitals and len(plain) <= _ABBREVIATION:
        return _capitals(word, lexicon)
    if lexicon.is_name(plain):
        return "name"
    return "" if _is_compound(word, lexicon) else "doubt"


def in_line(word: Word, lexicon: Lexicon) -> str:
    """The same without any grammar, where a capital says nothing: what is unknown is in doubt."""
    if word.plain in lexicon.technique:
        return ""
    found = in_sentence(word, lexicon)
    if not found and lexicon.is_eponym(word.plain):
        return "" if lexicon.is_meant(word.plain) or not lexicon.is_name(word.plain) else "doubt"
    if found or lexicon.is_word(word.plain):
        return found
    if _is_compound(word, lexicon):
        return ""
    length = len(word.plain)
    short = length <= _SHORT or (length <= _ABBREVIATION and not lexicon.is_name(word.plain))
    return "" if short and word.plain.isascii() else "doubt"


def _capitals(word: Word, lexicon: Lexicon) -> str:
    """In a line of capitals a short word is as likely a name; elsewhere it is an abbreviation."""
    if word.plain in lexicon.familiar:
        return "name" if word.loud else "doubt"
    return "doubt" if word.loud and lexicon.is_name(word.plain) else ""


def _is_mostly_name(word: Word, lexicon: Lexicon) -> bool:
    return word.plain in lexicon.familiar and not word.all_capitals


def _is_compound(word: Word, lexicon: Lexicon) -> bool:
    """Words of the language written as one, as devices do: "AbdomenRoutine"."""
    parts = [part.lower() for part in _TOGETHER.findall(word.text)]
    known = (
        part in lexicon.technique or (lexicon.is_word(part) and part not in lexicon.familiar)
        for part in parts
    )
    return len(parts) > 1 and all(known)

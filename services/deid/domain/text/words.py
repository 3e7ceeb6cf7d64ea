"""Which words does a text hold, and how does each stand in its line?"""

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_STARTS = frozenset(".!?:;\n\r*\u2022#|>")
_SHOUTING = 0.7  # of the letters; a text in capitals has no proper nouns to see


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `plain` is lower case without a possessive; `first` begins a sentence or line."""

    start: int
    end: int
    text: str
    plain: str
    first: bool
    loud: bool  # stands in a line of capitals

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def all_capitals(self) -> bool:
        return self.text.isupper()

    @property
    def proper(self) -> bool:
        """Capitalised where the grammar doesn't ask for it."""
        return self.capital and not self.first and not self.loud


def words_of(text: str, *, sentences: bool = True) -> tuple[Word, ...]:
    """All words in order, each line by itself. Without sentences no word begins one."""
    found: list[Word] = []
    at = 0
    for line in text.splitlines(keepends=True):
        loud = _is_loud(line)
        for match in _WORD.finditer(line):
            start, end = at + match.start(), at + match.end()
            before = text[max(start - 4, 0) : start].rstrip(" \t\"'([-")
            first = not before or before[-1] in _STARTS or not line[: match.start()].strip()
            begins = sentences and first
            found.append(Word(start, end, match[0], _plain(match[0]), begins, loud))
        at += len(line)
    return tuple(found)


def _plain(word: str) -> str:
    lower = word.lower()
    lower = lower.removesuffix("'s")
    return lower.replace("'", "")


def _is_loud(line: str) -> bool:
    letters = [one for one in line if one.isalpha()]
    upper = sum(one.isupper() for one in letters)
    return len(letters) > 3 and upper > _SHOUTING * len(letters)

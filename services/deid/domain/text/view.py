"""How does a text look to rules? Accents, look-alikes and invisible characters taken away.

A name written with a zero-width space, in full-width letters or with a Cyrillic "a" is still that
name. Each character of the view knows where it stands in the raw text.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Letters without a decomposition, and punctuation that has a plain twin.
_PLAIN = {
    "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "AE",
    "œ": "oe", "Œ": "OE", "ı": "i", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D",
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00b4": "'", "\u201c": '"', "\u201d": '"',
    "\u2044": "/", "\u2028": "\n", "\u2029": "\n", "\x0b": "\n", "\x0c": "\n", "\x85": "\n",
}  # fmt: skip
# Cyrillic and Greek letters that look Latin (Unicode TR39), as pairs.
_TWINS = (
    "аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwАAВBЕEКKМMНHОOРPСCТTУYХXІIЈJЅSԌGΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνv"
)
_LOOKALIKES = dict(zip(_TWINS[::2], _TWINS[1::2], strict=True))
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_INVISIBLE = frozenset(("Cf", "Cc", "Mn", "Me", "Cs", "Co", "Cn"))


@dataclass(frozen=True, slots=True)
class View:
    """`text` as rules see it; `at[n]` is the place of its n-th character in the raw text."""

    text: str
    at: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give the characters of the raw text behind characters of the view."""
        if start >= end:
            return self.at[start], self.at[start]
        return self.at[start], self.at[end - 1] + 1


def viewed(raw: str) -> View:
    """Fold a text for matching; plain ASCII is its own view."""
    if raw.isascii() and not _CONTROL.search(raw):
        return View(raw, range(len(raw) + 1))
    folded = [(one, n) for n, char in enumerate(raw) for one in _folded(char)]
    letters = "".join(one for one, _ in folded)
    if _is_mostly_latin(letters):
        letters = "".join(_LOOKALIKES.get(one, one) for one in letters)
    return View(letters, (*(n for _, n in folded), len(raw)))


def folded(word: str) -> str:
    """Fold a name or number of the header in the same way, in lower case."""
    return viewed(word).text.lower()


def _folded(char: str) -> Iterator[str]:
    if char in _PLAIN:
        yield from _PLAIN[char]
    elif char.isascii() and (char.isprintable() or char in "\n\t\r"):
        yield char
    else:
        for one in unicodedata.normalize("NFKD", char):
            yield from _simple(one)


def _simple(char: str) -> str:
    category = unicodedata.category(char)
    if category in _INVISIBLE:
        return ""
    if category == "Zs":
        return " "
    return "-" if category == "Pd" else _PLAIN.get(char, char)


def _is_mostly_latin(text: str) -> bool:
    latin = sum(one.isascii() and one.isalpha() for one in text)
    return 2 * latin >= sum(one.isalpha() for one in text)

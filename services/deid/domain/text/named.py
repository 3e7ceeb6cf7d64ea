"""Where does a text name somebody whom the case knows, however it is spelt, split or ordered?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.deid.domain.text.kinds import DoubtCode, Hit, Kind
from services.deid.domain.text.known import Searched
from services.deid.domain.text.lexicon import Lexicon
from services.deid.domain.text.likeness import holds, is_close, is_near
from services.deid.domain.text.words import Word

RANK = 5
_SPLIT = frozenset((" ", "-", "\n", "-\n", " \n", "- ", " -", "\r\n", "-\r\n", ".", "_", " - "))
_SHORT, _SPELLED = 3, 4
MOST_RUN = 40  # letters spelled one by one


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Characters that are somebody's name, or a word that only looks like it."""

    start: int
    end: int
    code: DoubtCode


@dataclass(frozen=True)
class Reader:
    """One text with its words, the case's names and the language's words.

    `line`: it is a line of a header, which has no sentences.
    """

    text: str
    words: Sequence[Word]
    searched: Searched
    lexicon: Lexicon
    line: bool = False

    def is_term(self, n: int) -> bool:
        """An eponym before what it names: "Baker cyst", "circle of Willis"."""
        word = self.words[n]
        if not self.lexicon.is_eponym(word.plain):
            return False
        behind = [one.plain for one in self.words[n + 1 : n + 4] if one.start - word.end < 40]
        if behind and self._is_initial_behind(n):
            return False
        for near in behind:
            if near in self.lexicon.heads or near.rstrip("s") in self.lexicon.heads:
                return True
            if not self.lexicon.is_eponym(near) and near not in {"type", "grade", "b", "s", "and"}:
                break
        before = [one.plain for one in self.words[max(n - 2, 0) : n]]
        return before[-1:] == ["of"] and before[0] in self.lexicon.heads

    def _is_initial_behind(self, n: int) -> bool:
        """A name such as "James C. Hernandez": a letter with a full stop, and a capital behind it."""
        following = self.words[n + 1 : n + 3]
        if len(following) < 2 or len(following[0].text) > 1 or not following[1].capital:
            return False
        return self.text[following[0].end : following[1].start] == ". "

    def exact(self, n: int) -> bool:
        word = self.words[n]
        return word.plain in self.searched.parts or word.text.lower() in self.searched.parts


def known_names(reader: Reader) -> Iterator[Hit | Suspicion]:
    """Every word that is or looks like a part of a known name."""
    certain = {n for n in range(len(reader.words)) if _is_certain(reader, n)}
    certain |= _couples(reader)
    for n, word in enumerate(reader.words):
        if n in certain or _is_initial(reader, n, certain):
            yield Hit(word.start, word.end, "name", RANK)
        elif reader.exact(n) and not reader.is_term(n):
            beside = {n - 1, n + 1} & certain
            if beside:
                yield Hit(word.start, word.end, "name", RANK)
            elif word.capital:
                yield Suspicion(word.start, word.end, "word_like_known_name")
        elif _looks_like(reader, n):
            yield Suspicion(word.start, word.end, "word_like_known_name")
    yield from _split(reader)
    yield from _spelled(reader)


def _looks_like(reader: Reader, n: int) -> bool:
    """A word of the language, capitalised without a reason, one slip away from a known name.

    In a line a capital needs no reason, so there only what people are often called counts.
    """
    word = reader.words[n]
    if reader.line and word.plain not in reader.lexicon.familiar:
        return False
    near = word.proper and len(word.plain) > 3 and is_near(word.plain, reader.searched)
    return near and not reader.is_term(n)


def _couples(reader: Reader) -> set[int]:
    """Two parts of a known name side by side, though both are words: "yaw head"."""
    found: set[int] = set()
    for n, (left, right) in enumerate(pairwise(reader.words)):
        gap = reader.text[left.end : right.start]
        both = gap in {" ", ", ", "-", "^"} and left.plain != right.plain
        if both and reader.exact(n) and reader.exact(n + 1):
            found |= {n, n + 1}
    return found


def _is_initial(reader: Reader, n: int, certain: set[int]) -> bool:
    """A capital right beside a known name: "M Vanterpool", "Vanterpool, M"."""
    word = reader.words[n]
    if len(word.text) > 1 or not word.capital:
        return False
    for other in {n - 1, n + 1} & certain:
        left, right = sorted((n, other))
        between = reader.text[reader.words[left].end : reader.words[right].start]
        if between in {" ", ". ", ", ", "."} and "\n" not in between:
            return True
    return False


def _is_certain(reader: Reader, n: int) -> bool:
    """A known name, or a misspelt one, that can't be a word of the language here."""
    word, lexicon = reader.words[n], reader.lexicon
    if reader.exact(n):
        if reader.is_term(n):
            return False
        if len(word.plain) < _SHORT:
            return word.capital and not word.loud and not lexicon.is_word(word.plain)
        return not lexicon.is_word(word.plain) or word.proper
    if lexicon.is_word(word.plain) or reader.is_term(n):
        return False
    if lexicon.is_eponym(word.plain) and not is_near(word.plain, reader.searched):
        return False
    return is_near(word.plain, reader.searched) or bool(holds(word.plain, reader.searched))


def _split(reader: Reader) -> Iterator[Hit]:
    """A name torn in two or three by a hyphen, a space or the end of a line."""
    words, parts = reader.words, reader.searched.parts
    if not parts:
        return
    for n in range(len(words) - 1):
        for count in (2, 3):
            run = words[n : n + count]
            if len(run) < count or not _is_torn(reader.text, run):
                break
            joined = "".join(one.plain for one in run)
            whole = joined in parts and len(joined) > _SHORT
            if whole or (
                _is_odd(reader, run)
                and any(is_close(joined, p) for p in _long(reader.searched.fuzzy))
            ):
                yield Hit(run[0].start, run[-1].end, "name", RANK)


def _is_odd(reader: Reader, run: Sequence[Word]) -> bool:
    """Not words of the language, nor a name that is whole without its neighbour."""
    pairs = (left.plain + right.plain for left, right in pairwise(run) if len(run) > 2)
    whole = any(is_near(one, reader.searched) for one in (*(w.plain for w in run), *pairs))
    return not whole and not all(reader.lexicon.is_word(one.plain) for one in run)


def _long(parts: Sequence[str]) -> Iterator[str]:
    return (part for part in parts if len(part) > 6)


def _is_torn(text: str, run: Sequence[Word]) -> bool:
    gaps = (text[left.end : right.start] for left, right in pairwise(run))
    return all(len(gap) < 12 and (gap in _SPLIT or gap.strip(" \t\r\n-") == "") for gap in gaps)


def _spelled(reader: Reader) -> Iterator[Hit]:
    """V A N T E R P O O L, V.A.N.T.E.R.P.O.O.L."""
    run: list[Word] = []
    for word in (*reader.words, None):
        single = word is not None and len(word.text) == 1
        near = not run or (word is not None and word.start - run[-1].end <= 2)
        if single and near and len(run) < MOST_RUN and word is not None:
            run.append(word)
            continue
        if len(run) >= _SPELLED:
            yield from _spelled_out(reader, run)
        run = [word] if single and word is not None else []


def _spelled_out(reader: Reader, run: Sequence[Word]) -> Iterator[Hit]:
    joined = "".join(one.plain for one in run)
    parts = reader.searched.parts
    if joined in parts or any(len(p) >= _SPELLED and p in joined for p in parts):
        yield Hit(run[0].start, run[-1].end, "name", RANK)


def known_places(reader: Reader) -> Iterator[Hit]:
    """An institution or address of the header, word by word, its own words also alone."""
    words = [word.plain for word in reader.words]
    plain = frozenset(words)
    for phrase in reader.searched.phrases:
        length = len(phrase)
        if phrase[0] in plain:
            for n in range(len(words) - length + 1):
                if tuple(words[n : n + length]) == phrase:
                    yield _place(reader, n, n + length)
    own = _own_words(reader)
    for n, word in enumerate(reader.words):
        if _is_own(reader, word, own) and not reader.is_term(n):
            yield _place(reader, n, n + 1)


def _is_own(reader: Reader, word: Word, own: frozenset[str]) -> bool:
    if word.plain in own:
        return True
    misspelt = len(word.plain) > 4 and not reader.lexicon.is_word(word.plain)
    return misspelt and any(is_close(word.plain, one) for one in own)


def _own_words(reader: Reader) -> frozenset[str]:
    """Words of known places that are no words of the language: "Northfield", not "General"."""
    return frozenset(
        word
        for phrase in reader.searched.phrases
        for word in phrase
        if len(word) > _SHORT and not word.isdigit() and not reader.lexicon.is_word(word)
    )


def _place(reader: Reader, first: int, behind: int) -> Hit:
    kind: Kind = "place"
    return Hit(reader.words[first].start, reader.words[behind - 1].end, kind, RANK + 1)

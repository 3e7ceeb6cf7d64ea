"""Who is named whom the images don't know? Relatives, colleagues, other doctors.

By what stands around a word (a title, a label, a degree), else by the word itself: a capitalised
word that is none of the language is a name when people have it, and a doubt when nobody does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.deid.domain.text.kinds import Hit
from services.deid.domain.text.named import Reader, Suspicion
from services.deid.domain.text.people import (
    ABOVE,
    CUED,
    DEGREES,
    INITIALLED,
    INITIALS,
    INVERTED,
    PARTICLES,
    SIGNED,
    TITLED,
    TRANSCRIBED,
    labelled,
)
from services.deid.domain.text.places import cued
from services.deid.domain.text.verdicts import in_line, in_sentence
from services.deid.domain.text.words import Word

RANK = 27
_CALENDAR = frozenset(
    "january february march april may june july august september october november december jan feb "
    "mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday "
    "sunday mon tue wed thu fri sat sun".split()
)
_WHERE = frozenset("in at from near to via towards around outside".split())
_MODALITIES = frozenset(("MR", "MS"))  # magnetic resonance, multiple sclerosis
_BEFORE_REGIONS = _WHERE | frozenset("of through across west east north south new".split())
_TITLES = frozenset("dr drs mr mrs ms miss prof professor doctor md".split())


@dataclass(frozen=True)
class Strangers:
    """Names by context and by themselves, over the words of one text."""

    reader: Reader

    def hits(self) -> Iterator[Hit | Suspicion]:
        named = self._by_context()
        named |= self._pairs()
        named |= self._again(named)
        named |= self._beside(named)
        for n in sorted(named):
            word = self.reader.words[n]
            yield Hit(word.start, word.end, "name", RANK)
        yield from self._initials()
        yield from self._alone(named)

    def _by_context(self) -> set[int]:
        text = self.reader.text
        found = self._titled()
        for pattern in (DEGREES, INITIALLED, ABOVE):
            for match in pattern.finditer(text):
                found |= self._words_in(*match.span("name"), called=True)
        for match in CUED.finditer(text):
            found |= self._words_in(*match.span("name"), led=True)
        for match in SIGNED.finditer(text):
            found |= {n for n in self._inside(*match.span("name")) if self.reader.words[n].capital}
        for start, end in labelled(text):
            found |= self._words_in(start, end, whole=True, called=True)
        for match in INVERTED.finditer(text):
            inside = self._inside(*match.span("name"))
            if all(self._could_be(n) for n in inside) and any(self._is_name(n) for n in inside):
                found |= set(inside)
        return found

    def _titled(self) -> set[int]:
        found: set[int] = set()
        for match in TITLED.finditer(self.reader.text):
            if not self._is_modality(match):
                found |= self._words_in(*match.span("name"), first_counts=True, called=True)
        return found

    def _is_modality(self, match: re.Match[str]) -> bool:
        """Capitals without a full stop before a word of the language: "MR Brain", "MS lesions"."""
        title = match[0].split(maxsplit=1)[0]
        inside = self._inside(*match.span("name"))
        word = self.reader.words[inside[0]].plain if inside else ""
        lexicon = self.reader.lexicon
        if title not in _MODALITIES or not lexicon.is_word(word):
            return False
        return word not in lexicon.familiar or (self.reader.line and word in lexicon.technique)

    def _words_in(  # noqa: PLR0913 - how much each kind of context tells
        self,
        start: int,
        end: int,
        *,
        first_counts: bool = False,
        whole: bool = False,
        called: bool = False,
        led: bool = False,
    ) -> set[int]:
        """The words of a context that can be names, up to the first that can't unless `whole`.

        `led`: a word of the language right before a surname is a given name: "Yaw Nguyen".
        """
        found: set[int] = set()
        inside = self._inside(start, end)
        for place, n in enumerate(inside):
            word = self.reader.words[n]
            leads = (
                led and place == 0 and word.proper and any(self._could_be(m) for m in inside[1:2])
            )
            counts = first_counts and place == 0 and not self._is_title(word)
            if counts or leads or self._could_be(n, called=called):
                found.add(n)
            elif not whole and word.plain not in PARTICLES and len(word.plain) > 1:
                break
        return found

    def _could_be(self, n: int, *, called: bool = False) -> bool:
        """Somebody may be called so: a frequent name, or no word at all.

        `called`: what stands around leaves no other reading, so a word of grammar is a name too.
        """
        word, lexicon = self.reader.words[n], self.reader.lexicon
        if not word.capital or len(word.plain) == 1 or self._is_title(word):
            return False
        if word.plain in (lexicon.called if called else lexicon.familiar):
            return not self.reader.is_term(n)
        return not lexicon.is_word(word.plain) and not self.reader.is_term(n)

    def _is_name(self, n: int) -> bool:
        return self.reader.lexicon.is_name(self.reader.words[n].plain)

    def _is_title(self, word: Word) -> bool:
        return word.plain in _TITLES

    def _inside(self, start: int, end: int) -> list[int]:
        return [n for n in self._from(start) if start <= self.reader.words[n].start < end]

    def _from(self, start: int) -> Iterator[int]:
        """Indexes of the words near a place: a context is short."""
        first = _first_at(self.reader, start)
        return iter(range(first, min(first + 24, len(self.reader.words))))

    def _again(self, named: set[int]) -> set[int]:
        """Whoever was named once is that person everywhere in the text."""
        words, lexicon = self.reader.words, self.reader.lexicon
        names = {words[n].plain for n in named if len(words[n].plain) > 2}
        return {
            n
            for n, word in enumerate(words)
            if word.plain in names
            and not self.reader.is_term(n)
            and (not lexicon.is_word(word.plain) or word.proper)
        }

    def _pairs(self) -> set[int]:
        """Two words side by side that are none of the language, both capitalised."""
        words, text, lexicon = self.reader.words, self.reader.text, self.reader.lexicon
        odd = [
            word.capital
            and len(word.plain) > 2
            and not (word.loud or word.all_capitals)
            and not lexicon.is_word(word.plain)
            and not lexicon.is_eponym(word.plain)
            for word in words
        ]
        pairs = (
            n
            for n in range(len(words) - 1)
            if odd[n] and odd[n + 1] and text[words[n].end : words[n + 1].start] in {" ", "-"}
        )
        return {one for n in pairs for one in (n, n + 1)}

    def _beside(self, named: set[int]) -> set[int]:
        """An unknown word right beside a name is its other half; an initial too."""
        words, text = self.reader.words, self.reader.text
        more: set[int] = set()
        for n in named:
            for other in (n - 1, n + 1):
                if not 0 <= other < len(words) or other in named:
                    continue
                left, right = sorted((n, other))
                between = text[words[left].end : words[right].start]
                if not re.fullmatch(r"[ \t.^-]{1,2}|,[ ^]?", between):
                    continue
                initial = len(words[other].text) == 1 and words[other].text.isupper()
                if (initial and "," not in between[:1] + " ") or self._is_stranger(words[other]):
                    more.add(other)
        return more

    def _is_stranger(self, word: Word) -> bool:
        lexicon = self.reader.lexicon
        unknown = not lexicon.is_word(word.plain) and not lexicon.is_eponym(word.plain)
        common = lexicon.called if word.loud or word.first else lexicon.surnames
        name = unknown or word.plain in common
        return word.capital and len(word.text) > 1 and name and not self._is_title(word)

    def _initials(self) -> Iterator[Hit]:
        known = self.reader.searched.initials
        for match in INITIALS.finditer(self.reader.text):
            letters = re.sub(r"\W", "", match["name"]).lower()
            if "".join(sorted(letters)) in known or match[0].lower().startswith("init"):
                yield Hit(*match.span("name"), "name", RANK)
        for match in TRANSCRIBED.finditer(self.reader.text):
            yield Hit(*match.span("name"), "name", RANK)
        for match in re.finditer(r"(?<![\w.])(?:[A-Z]\.\s?){2,3}", self.reader.text):
            if "".join(sorted(re.sub(r"\W", "", match[0]).lower())) in known:
                yield Hit(match.start(), match.start() + len(match[0].rstrip()), "name", RANK)

    def _is_where(self, n: int) -> bool:
        """Right behind "in", "at", "from": a place, whoever else is called so."""
        words = self.reader.words
        before = words[n - 1] if n else None
        return (
            before is not None
            and before.plain in _WHERE
            and self.reader.text[before.end : words[n].start] == " "
            and words[n].proper
        )

    def _is_given(self, n: int) -> bool:
        """A state or country that people are called, where nobody lives or comes from."""
        word, words = self.reader.words[n], self.reader.words
        if not word.capital or word.plain not in self.reader.lexicon.homonyms:
            return False
        before = words[n - 1].plain if n else ""
        behind = words[n + 1].plain if n + 1 < len(words) else ""
        return before not in _BEFORE_REGIONS and behind not in self.reader.lexicon.heads

    def _is_heading(self, n: int) -> bool:
        """A word of the language before a colon, or before what a device or sign is called."""
        word, words, lexicon = self.reader.words[n], self.reader.words, self.reader.lexicon
        if not lexicon.is_word(word.plain):
            return False
        beside = words[n + 1].plain if n + 1 < len(words) else ""
        return self.reader.text[word.end : word.end + 1] == ":" or beside in lexicon.heads

    def _alone(self, named: set[int]) -> Iterator[Hit | Suspicion]:
        judged = in_line if self.reader.line else in_sentence
        places = {n for start, end in cued(self.reader.text) for n in self._inside(start, end)}
        for n, word in enumerate(self.reader.words):
            if n in named or word.plain in _CALENDAR or len(word.plain) < 2:
                continue
            if self._is_given(n):
                yield Hit(word.start, word.end, "name", RANK)
                continue
            if self.reader.is_term(n) or self._is_heading(n):
                continue
            found = judged(word, self.reader.lexicon)
            if found and (n in places or self._is_where(n)):
                yield Hit(word.start, word.end, "place", RANK)
            elif found == "name":
                yield Hit(word.start, word.end, "name", RANK)
            elif found == "doubt":
                yield Suspicion(word.start, word.end, "possible_name")


def _first_at(reader: Reader, start: int) -> int:
    low, high = 0, len(reader.words)
    while low < high:
        middle = (low + high) // 2
        if reader.words[middle].start < start:
            low = middle + 1
        else:
            high = middle
    return low

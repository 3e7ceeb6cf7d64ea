"""What is left of a text when nobody can be told from it, and is that sure enough to leave?

Rules by shape, the case's own identifiers however they are spelt, and the words around a name.
What is found becomes a typed label; what only might be somebody is a doubt, and doubt holds.
Every rule is bounded around each character, so the time grows with the length of the text alone.
"""

from collections.abc import Iterable, Iterator, Sequence

from services.deid.domain.text.ages import ages
from services.deid.domain.text.codes import known_codes
from services.deid.domain.text.kinds import Hit, Replacement, Scrubbed, TextDoubt
from services.deid.domain.text.known import Known
from services.deid.domain.text.lexicon import Lexicon
from services.deid.domain.text.named import Reader, Suspicion, known_names, known_places
from services.deid.domain.text.numbers import ibans, numbers
from services.deid.domain.text.places import places
from services.deid.domain.text.reach import phones, reaches
from services.deid.domain.text.strangers import Strangers
from services.deid.domain.text.view import View, viewed
from services.deid.domain.text.when import Calendar, dates
from services.deid.domain.text.words import Word, words_of

LONGEST_TEXT = 100_000  # characters; a longer one is held unread
MOST_DOUBTS = 50  # a person who has to look reads the whole text anyway
_FOREIGN = 0.3  # of all words, unknown: another language than the lexicon's
_FEW_WORDS = 8
_BLACK = "\u25a0"  # neither a word nor a space to any rule


def scrub(
    text: str, known: Known, shift_days: int, lexicon: Lexicon, *, line: bool = False
) -> Scrubbed:
    """Replace what identifies somebody; dates move by `shift_days` as the images' do.

    `line`: it comes from a header, has no sentences, and its underscores are spaces.
    """
    if len(text) > LONGEST_TEXT:
        return Scrubbed("", (), (TextDoubt("text_too_long", 0, len(text)),))
    view = viewed(text)
    if line:
        view = View(view.text.replace("_", " "), view.at)
    words = words_of(view.text, sentences=not line)
    reader = Reader(view.text, words, known.searched, lexicon, line)
    found = [*_found(reader, known, shift_days)]
    hits = _settled([one for one in found if isinstance(one, Hit)], view.text)
    replaced = tuple(_replacement(view, hit) for hit in hits)
    doubts = (*_unsure(view, found, hits), *_whole(text, reader, known))
    return Scrubbed(_written(text, replaced), replaced, doubts[:MOST_DOUBTS])


def _found(reader: Reader, known: Known, shift_days: int) -> Iterator[Hit | Suspicion]:
    text = reader.text
    calendar = Calendar(frozenset(known.births), known.days, shift_days)
    links = [*reaches(text), *ibans(text)]
    when = [*dates(_without(text, links), calendar)]
    yield from (*links, *when, *ages(text))
    yield from known_codes(text, known.searched)
    undated = _without(text, when)
    yield from phones(undated)
    yield from numbers(undated)
    yield from places(text, reader.lexicon)
    yield from known_names(reader)
    yield from known_places(reader)
    yield from Strangers(reader).hits()


def _without(text: str, hits: Sequence[Hit]) -> str:
    """The text with what was found blacked out, so that a date is no phone number."""
    pieces, at = [], 0
    for hit in sorted(hits, key=lambda one: one.start):
        if hit.start >= at:
            pieces += [text[at : hit.start], _BLACK * (hit.end - hit.start)]
            at = hit.end
    return "".join((*pieces, text[at:]))


def _settled(hits: Iterable[Hit], text: str) -> list[Hit]:
    """Merge what overlaps, and names that stand side by side. The best rank gives the label."""
    settled: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.start, -one.end, one.rank)):
        last = settled[-1] if settled else None
        if last is not None and (hit.start < last.end or _is_one_name(last, hit, text)):
            settled[-1] = _merged(last, hit)
        elif hit.start < hit.end:
            settled.append(hit)
    return settled


def _is_one_name(left: Hit, right: Hit, text: str) -> bool:
    both = left.kind == right.kind and left.kind in {"name", "place"}
    return (
        both and text[left.end : right.start].strip(" \t.,'^-") == "" and right.start - left.end < 4
    )


def _merged(left: Hit, right: Hit) -> Hit:
    """The union, so that nothing is left of either; a date only keeps its value when it is all."""
    best = min(left, right, key=lambda one: one.rank)
    start, end = left.start, max(left.end, right.end)
    text = best.text if (best.start, best.end) == (start, end) else ""
    if best.text and not text:
        text = "[DATE]"
    return Hit(start, end, best.kind, best.rank, text)


def _replacement(view: View, hit: Hit) -> Replacement:
    start, end = view.span(hit.start, hit.end)
    return Replacement(start, end, hit.kind, hit.replacement)


def _unsure(
    view: View, found: Sequence[Hit | Suspicion], hits: Sequence[Hit]
) -> Iterator[TextDoubt]:
    """Suspicions that no replacement has taken away."""
    taken = bytearray(len(view.text))
    for hit in hits:
        taken[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
    told: set[tuple[int, int]] = set()
    for one in found:
        if isinstance(one, Suspicion) and not all(taken[one.start : one.end]):
            span = view.span(one.start, one.end)
            if span not in told:
                told.add(span)
                yield TextDoubt(one.code, *span)


def _whole(text: str, reader: Reader, known: Known) -> Iterator[TextDoubt]:
    """Doubts about the text as a whole."""
    if text.strip() and not known.people:
        yield TextDoubt("identifier_unknown", 0, len(text))
    words = [word for word in reader.words if len(word.plain) > 2]
    unknown = sum(_is_foreign(word, reader.lexicon) for word in words)
    foreign = len(words) >= _FEW_WORDS and unknown > _FOREIGN * len(words)
    if foreign or any(_is_unreadable(word) for word in reader.words):
        yield TextDoubt("foreign_language", 0, len(text))
    if "\ufffd" in text:
        at = text.index("\ufffd")
        yield TextDoubt("unreadable_characters", at, at + 1)


def _is_foreign(word: Word, lexicon: Lexicon) -> bool:
    return not lexicon.is_word(word.plain) and not lexicon.is_name(word.plain)


def _is_unreadable(word: Word) -> bool:
    """In another alphabet than the lexicon's; one Greek letter is a measure's."""
    return sum(not char.isascii() for char in word.plain) > 1


def _written(text: str, replaced: Sequence[Replacement]) -> str:
    pieces, at = [], 0
    for one in replaced:
        pieces += [text[at : one.start], one.text]
        at = one.end
    return "".join((*pieces, text[at:]))

"""What became of the same bytes before? A series repeats most of its header in each instance.

What is done to an element follows from its bytes and from its context (the patient, the policy,
the names to look for) alone, so the answer may be remembered under both, and nothing else.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from services.deid.domain.private import creator_of, is_creator
from shared.runtime.dicom import DataSet, Element, Part10
from shared.runtime.dicom.pattern import Pattern

LARGEST = 1 << 10  # bytes of an element that is remembered; larger ones hardly repeat
_ANSWERS = 4096  # of one context
_CONTEXTS = 16
_PATTERNS = 8  # of one context
T = TypeVar("T")
Question = Hashable  # the bytes of an element, a private one's with its creator
Answer = Callable[[Element], tuple[T, bool]]  # and whether it may be remembered


@dataclass(frozen=True, slots=True)
class _Alike(Generic[T]):
    """The answers to all elements of a pattern, but for the `open` ones."""

    answers: list[T | None]
    open: tuple[int, ...]


class Shelf(dict[Question, T]):
    """The answers of one context."""

    def __init__(self) -> None:
        super().__init__()
        self._alike: dict[Pattern, _Alike[T]] = {}

    def answers(self, file: Part10, answer: Answer[T]) -> list[T]:
        """One for each element of a file's data set; what was not asked before is asked now."""
        pattern = file.pattern
        alike = None if pattern is None else self._alike.get(pattern)
        elements = file.data_set.elements
        if alike is None:
            found: list[T | None] = [None] * len(elements)
            wanted: Iterable[int] = range(len(elements))
        else:
            found, wanted = alike.answers.copy(), (*alike.open, *file.changed)
        passing = [number for number in wanted if not self._answer(file, number, answer, found)]
        if pattern is not None and alike is None:
            self._keep(file, pattern, found, passing)
        return cast("list[T]", found)

    def _answer(self, file: Part10, number: int, answer: Answer[T], found: list[T | None]) -> bool:
        """Whether the answer may be remembered."""
        element = file.data_set.elements[number]
        question, repeatable = _question(file, element), True
        known = None if question is None else self.get(question)
        if known is None:
            known, repeatable = answer(element)
            if repeatable and question is not None:
                self[question] = known
        found[number] = known
        return repeatable

    def _keep(
        self, file: Part10, pattern: Pattern, found: list[T | None], passing: Iterable[int]
    ) -> None:
        """Keep what is the same in all files of a pattern: not this file's values, nor pixels."""
        unlike = {*passing, *file.changed, pattern.pixels}
        if len(self._alike) >= _PATTERNS:
            self._alike.clear()
        kept = [None if number in unlike else one for number, one in enumerate(found)]
        self._alike[pattern] = _Alike(kept, tuple(sorted(unlike)))


@dataclass(slots=True)
class Memory:
    """A few contexts, each with a bounded number of answers; who comes late begins anew."""

    _shelves: dict[Hashable, Shelf[object]] = field(default_factory=dict)

    def shelf(self, context: Hashable, _of: type[T]) -> Shelf[T]:
        """The answers of a context, by the question."""
        shelf = self._shelves.get(context)
        if shelf is None or len(shelf) > _ANSWERS:
            if len(self._shelves) >= _CONTEXTS:
                self._shelves.clear()
            shelf = self._shelves[context] = Shelf()
        return cast("Shelf[T]", shelf)


def _question(file: Part10, element: Element) -> Question:
    """All that an answer follows from, besides its context; None for what is too large."""
    start, end, tag = element.start, element.end, element.tag
    if end - start > LARGEST:
        return None
    raw = bytes(file.buffer[start:end])
    return (raw, creator(file, tag, file.data_set)) if tag >> 16 & 1 else raw


def creator(file: Part10, tag: int, data_set: DataSet) -> str:
    """Who defined a private element (PS3.5 7.8.1): what its block's first element says."""
    found = data_set.get(tag if is_creator(tag) else creator_of(tag))
    if found is None or found.items is not None or found.fragments is not None:
        return ""
    return file.value(found).decode("latin-1").strip(" \0")

"""What became of the same bytes before? A series repeats most of its header in each instance.

What is done to an element follows from its bytes and from its context (the patient, the policy,
the names to look for) alone, so the answer may be remembered under both, and nothing else. To the
pixels the answer is the same whatever they are.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from services.deid.domain.private import creator_of, is_creator
from shared.runtime.dicom import DataSet, Element, Part10
from shared.runtime.dicom.pattern import Pattern

LARGEST = 1 << 10  # bytes of an element that is remembered; larger ones hardly repeat
_ANSWERS = 4096  # of one context
_CONTEXTS = 16
_PATTERNS = 8  # of one context
_SUMS = 32  # of one pattern
T = TypeVar("T")
S = TypeVar("S")
Question = Hashable  # the bytes of an element, a private one's with its creator
Answer = Callable[[Element], tuple[T, bool]]  # and whether it may be remembered


@dataclass(slots=True)
class _Alike(Generic[T]):
    """The answers to all elements of a pattern, but for the `open` ones; and their sums."""

    answers: list[T | None]
    open: frozenset[int]
    sums: dict[Hashable, object] = field(default_factory=dict)


@dataclass(slots=True)
class Answers(Generic[T]):
    """One for each element of a file's data set.

    `own`: the numbers of those that this file was asked for; the others are the same in all files
    of its pattern that have the same `own`.
    """

    all: list[T]
    own: tuple[int, ...]
    _alike: _Alike[T] | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.all)

    def of_own(self) -> list[T]:
        return [self.all[number] for number in self.own]

    def common(self) -> Iterator[T]:
        own = frozenset(self.own)
        return (one for number, one in enumerate(self.all) if number not in own)

    def sum(self, name: Hashable, work: Callable[[], S]) -> S:
        """What `work` makes of the common answers, and of what `name` holds, and of nothing else.

        It is done once for all files whose common answers are the same.
        """
        if self._alike is None:
            return work()
        sums, question = self._alike.sums, (name, self.own)
        found = sums.get(question)
        if found is None:
            if len(sums) >= _SUMS:
                sums.clear()
            found = sums[question] = work()
        return cast("S", found)


class Shelf(dict[Question, T]):
    """The answers of one context."""

    def __init__(self) -> None:
        super().__init__()
        self._alike: dict[Pattern, _Alike[T]] = {}

    def answers(self, file: Part10, answer: Answer[T]) -> Answers[T]:
        """What was not asked before is asked now."""
        pattern = file.pattern
        alike = None if pattern is None else self._alike.get(pattern)
        if pattern is None or alike is None:
            return self._first(file, answer)
        found = alike.answers.copy()
        own = tuple(sorted(alike.open.union(file.changed)))
        for number in own:
            self._answer(file, number, answer, found)
        return Answers(cast("list[T]", found), own, alike)

    def _first(self, file: Part10, answer: Answer[T]) -> Answers[T]:
        """The answers for a file that is like none before."""
        found: list[T | None] = [None] * len(file.data_set.elements)
        every = tuple(range(len(found)))
        passing = [number for number in every if not self._answer(file, number, answer, found)]
        if file.pattern is not None:
            self._keep(file, file.pattern, found, passing)
        return Answers(cast("list[T]", found), every, None)

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
        self, file: Part10, pattern: Pattern, found: list[T | None], passing: list[int]
    ) -> None:
        """Keep what is the same in all files of a pattern: not this file's values."""
        unlike = frozenset((*passing, *file.changed))
        if len(self._alike) >= _PATTERNS:
            self._alike.clear()
        kept = [None if number in unlike else one for number, one in enumerate(found)]
        self._alike[pattern] = _Alike(kept, unlike)


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

"""What became of the same bytes before? A series repeats most of its header in each instance.

What is done to an element follows from its bytes and from its context (the patient, the policy,
the names to look for) alone, so the answer may be remembered under both, and nothing else.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from shared.runtime.dicom import Element, Part10

LARGEST = 1 << 10  # bytes of an element that is remembered; larger ones hardly repeat
_ANSWERS = 4096  # of one context
_CONTEXTS = 16
T = TypeVar("T")
Question = bytes | None  # the bytes of an element; None for one that is too large to remember


@dataclass(slots=True)
class Memory:
    """A few contexts, each with a bounded number of answers; who comes late begins anew."""

    _shelves: dict[Hashable, dict[Hashable, object]] = field(default_factory=dict)

    def shelf(self, context: Hashable, _of: type[T]) -> dict[Hashable, T]:
        """The answers of a context, by the question."""
        shelf = self._shelves.get(context)
        if shelf is None or len(shelf) > _ANSWERS:
            if len(self._shelves) >= _CONTEXTS:
                self._shelves.clear()
            shelf = self._shelves[context] = {}
        return cast("dict[Hashable, T]", shelf)


def questions(file: Part10) -> list[tuple[Element, Question]]:
    """Each element of a data set with the bytes that say all about it."""
    buffer = file.buffer
    if not isinstance(buffer, bytes):  # a slice of a map or a bytearray is no key
        return [(one, _bytes(file, one)) for one in file.data_set]
    return [
        (one, buffer[one.start : one.end] if one.end - one.start <= LARGEST else None)
        for one in file.data_set
    ]


def _bytes(file: Part10, element: Element) -> Question:
    if element.end - element.start > LARGEST:
        return None
    return bytes(file.buffer[element.start : element.end])

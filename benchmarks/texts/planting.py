"""How is a report with planted identifiers put together, and what of it was found?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from services.deid.domain.text.known import Known

# The classes of 45 CFR 164.514(b)(2)(i), (A) to (R); dates with birth dates and ages over 89.
CLASSES = (
    "name", "place", "date", "phone", "fax", "email", "ssn", "mrn", "health_plan", "account",
    "licence", "vehicle", "device", "url", "ip", "biometric", "photo", "number",
)  # fmt: skip


class Planted(NamedTuple):
    """Characters `start` to `end` identify somebody."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Report:
    """A text, what was planted in it, and what the images of its case know."""

    text: str
    planted: tuple[Planted, ...]
    known: Known

    def clinical(self) -> Iterable[tuple[int, int]]:
        """Words of three letters and more outside of what was planted."""
        at = 0
        for one in (*self.planted, Planted(len(self.text), len(self.text), "")):
            yield from _words(self.text, at, one.start)
            at = one.end


@dataclass
class Sheet:
    """A report under the pen. `<kind:...>` marks what is planted in a template's line."""

    random: Random
    pieces: list[str] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)
    length: int = 0

    def write(self, line: str, **values: str) -> None:
        """Write a line; each `{kind}` or `{kind_2}` is planted under its kind."""
        rest = line
        while "{" in rest:
            before, _, behind = rest.partition("{")
            name, _, rest = behind.partition("}")
            self._put(before)
            self._plant(values[name], name.partition("__")[0])
        self._put(rest)

    def report(self, known: Known) -> Report:
        return Report("".join(self.pieces), tuple(self.planted), known)

    def _put(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def _plant(self, text: str, kind: str) -> None:
        start = self.length
        self._put(text)
        self.planted.append(Planted(start, self.length, kind))


def slipped(random: Random, word: str) -> str:
    """A word with one typing error inside it."""
    if len(word) < 5:
        return word
    at = random.randrange(1, len(word) - 1)
    match random.randrange(4):
        case 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + word[at] + word[at:]
        case 2:
            return word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
        case _:
            return word[:at] + random.choice("aeiourtn") + word[at + 1 :]


def digits(random: Random, shape: str) -> str:
    """`#` becomes a digit and `@` a capital letter, the first digit none of 0."""
    made = (
        str(random.randrange(1, 10)) if one == "#"
        else random.choice("ABCDEFGHJKLMNPRSTUVWXYZ") if one == "@"
        else one
        for one in shape
    )  # fmt: skip
    return "".join(made)


def _words(text: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    at = start
    while at < end:
        if not text[at].isalpha():
            at += 1
            continue
        behind = at
        while behind < end and text[behind].isalpha():
            behind += 1
        if behind - at > 2:
            yield at, behind
        at = behind


def missed(report: Report, covered: Sequence[int]) -> list[Planted]:
    """What was planted and is not replaced to the last letter and digit."""
    return [
        one
        for one in report.planted
        if any(report.text[n].isalnum() and not covered[n] for n in range(one.start, one.end))
    ]

"""How many answers are right? Read by another library than the one that cleaned, from the bytes."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from benchmarks.midi.key import KINDS, PERFECT, Answer, Kind
from benchmarks.midi.pictures import BANNER, BESIDE

_ENOUGH = 0.9995  # of all actions; the best team of MIDI-B reached 0.9993
_PART = 4  # letters of a name's part that give it away


@dataclass(frozen=True, slots=True)
class Clean:
    """A file that came out."""

    content: bytes
    dataset: Dataset
    pixels: Any


@dataclass
class Score:
    """What was right, by kind, and what was not, by name of the rule and never by value."""

    right: Counter[Kind] = field(default_factory=Counter)
    asked: Counter[Kind] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missing: set[int] = field(default_factory=set)

    @property
    def share(self) -> float:
        return sum(self.right.values()) / max(sum(self.asked.values()), 1)

    @property
    def passed(self) -> bool:
        """All of what gives a patient away, nearly all of the rest, and every file."""
        perfect = all(self.right[kind] == self.asked[kind] for kind in PERFECT)
        return perfect and not self.missing and self.share >= _ENOUGH and bool(self.asked)

    def lines(self) -> Iterable[str]:
        for kind in KINDS:
            if self.asked[kind]:
                share = self.right[kind] / self.asked[kind]
                yield f"{kind:18} {self.right[kind]:8} of {self.asked[kind]:8}  {share:9.4%}"
        right, asked = sum(self.right.values()), sum(self.asked.values())
        yield f"{'all':18} {right:8} of {asked:8}  {self.share:9.4%}"
        yield f"{'files missing':18} {len(self.missing):8}"
        for what, times in self.wrong.most_common(20):
            yield f"  wrong {times:6} times: {what}"


@dataclass
class Scorer:
    """Asks every question; what must be the same everywhere is remembered between files.

    `before` gives the pixels of a file as they came.
    """

    clean: Mapping[int, Clean]
    before: Mapping[int, Any]
    score: Score = field(default_factory=Score)
    _new_uids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _new_names: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    _moved: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    _owners: Counter[str] = field(default_factory=Counter)
    _patients: Counter[str] = field(default_factory=Counter)

    def ask(self, answers: Iterable[Answer]) -> Score:
        """Two rounds: the first learns what each patient's names and shift are."""
        known = list(answers)
        for answer in known:
            if answer.file in self.clean:
                self._learn(answer, self.clean[answer.file])
        self._owners = Counter(new for news in self._new_uids.values() for new in news)
        self._patients = Counter(new for news in self._new_names.values() for new in news)
        for answer in known:
            self._mark(answer)
        return self.score

    def _learn(self, answer: Answer, clean: Clean) -> None:
        new = _value(clean.dataset, answer.path) if answer.path else ""
        if answer.kind == "uid_consistent":
            self._new_uids[answer.value].add(new)
        elif answer.kind == "patid_consistent":
            self._new_names[answer.person].add(new)
        elif answer.kind == "date_shifted":
            self._moved[answer.person][_days(answer.value, new)] += 1

    def _mark(self, answer: Answer) -> None:
        self.score.asked[answer.kind] += 1
        clean = self.clean.get(answer.file)
        if clean is None:
            self.score.missing.add(answer.file)
            return
        if self._is_right(answer, clean):
            self.score.right[answer.kind] += 1
        else:
            self.score.wrong[f"{answer.kind} {answer.path or 'the whole file'}"] += 1

    def _is_right(self, answer: Answer, clean: Clean) -> bool:
        new = _value(clean.dataset, answer.path) if answer.path else ""
        rules: dict[Kind, Callable[[], bool]] = {
            "tag_retained": lambda: _element(clean.dataset, answer.path) is not None,
            "text_notnull": lambda: bool(new),
            "text_retained": lambda: _kept(answer.value, new),
            "text_removed": lambda: _gone(answer, clean, new),
            "date_shifted": lambda: self._is_shifted(answer, new),
            "uid_changed": lambda: new not in {"", answer.value},
            "uid_consistent": lambda: (
                len(self._new_uids[answer.value]) == 1 and self._owners[new] == 1
            ),
            "patid_consistent": lambda: self._is_one_person(answer, new),
        }
        rule = rules.get(answer.kind)
        return rule() if rule else _seen(answer, clean, self.before[answer.file])

    def _is_shifted(self, answer: Answer, new: str) -> bool:
        """By as many days as the patient's other dates, with the time of day and the zone."""
        ((usual, _),) = self._moved[answer.person].most_common(1)
        return usual != 0 and _days(answer.value, new) == usual and answer.value[8:] == new[8:]

    def _is_one_person(self, answer: Answer, new: str) -> bool:
        alone = len(self._new_names[answer.person]) == 1 and self._patients[new] == 1
        return alone and new not in {"", answer.value}


def _kept(old: str, new: str) -> bool:
    return old[1:].lower() in new.lower() if old.startswith("~") else old == new


def _gone(answer: Answer, clean: Clean, new: str) -> bool:
    """Nowhere in the bytes, when the whole file is asked; else not in the value, in no part."""
    if not answer.path:
        return answer.value.lower().encode() not in clean.content.lower()
    parts = [answer.value, *answer.value.replace("^", " ").split()]
    return not any(part.lower() in new.lower() for part in parts if len(part) >= _PART)


def _seen(answer: Answer, clean: Clean, before: Any) -> bool:
    if clean.pixels.shape != before.shape:
        return False
    banner = BANNER if before.ndim == 3 else 0
    if answer.kind == "pixels_retained":
        below = banner and banner + BESIDE
        return bool(np.array_equal(clean.pixels[below:], before[below:]))
    return np.unique(clean.pixels[:banner]).size == 1


def _element(dataset: Dataset, path: str) -> Any:
    *steps, last = path.split(".")
    for sequence, item in zip(steps[::2], steps[1::2], strict=True):
        at = int(sequence, 16)
        if at not in dataset or len(dataset[at].value or ()) <= int(item):
            return None
        dataset = dataset[at].value[int(item)]
    return dataset.get(int(last, 16))


def _value(dataset: Dataset, path: str) -> str:
    element = _element(dataset, path)
    if element is None:
        return ""
    value = element.value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    several = not isinstance(value, str) and hasattr(value, "__iter__") and element.VM > 1
    return "\\".join(str(one) for one in value) if several else str("" if value is None else value)


def _days(old: str, new: str) -> int:
    """By how many days a date moved; 0 when it is none any more."""
    before, after = _date(old), _date(new)
    return 0 if before is None or after is None else (after - before).days


def _date(text: str) -> date | None:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None

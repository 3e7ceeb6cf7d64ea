"""What must be true of a clean file? One answer per action, of the ten kinds of MIDI-B."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "tag_retained",
    "text_notnull",
    "text_retained",
    "text_removed",
    "date_shifted",
    "uid_changed",
    "uid_consistent",
    "patid_consistent",
    "pixels_hidden",
    "pixels_retained",
]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined] # a Literal has them
# One failure of these is a patient who can be found.
PERFECT: frozenset[Kind] = frozenset((
    "text_removed", "date_shifted", "uid_changed", "uid_consistent", "patid_consistent",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What is asked of one file.

    `file` is the number in its pixels. `path` are tags, and item numbers between them, as in
    "00081140.0.00081155"; "" is the whole file. `value` is the old value, or the word to look for.
    """

    kind: Kind
    file: int
    person: int
    path: str = ""
    value: str = ""

"""What is found in a text, and what stands in its place?"""

from dataclasses import dataclass
from typing import Literal

# The classes of 45 CFR 164.514(b)(2)(i), (A) to (R); fax numbers are phone numbers here.
Kind = Literal[
    "name", "place", "date", "birth_date", "age", "phone", "email", "ssn", "mrn", "health_plan",
    "account", "licence", "vehicle", "device", "url", "ip", "biometric", "photo", "number",
]  # fmt: skip
DoubtCode = Literal[
    "possible_name",  # a word that is a name and a word, or neither of them
    "word_like_known_name",  # spelt like somebody of the case, and a word all the same
    "foreign_language",  # too few words that the lexicon knows
    "text_too_long",
    "unreadable_characters",
    "identifier_unknown",  # no image says who the patient is
]
LABELS: dict[Kind, str] = {
    "name": "NAME",
    "place": "PLACE",
    "date": "DATE",
    "birth_date": "BIRTH DATE",
    "age": "AGE 90+",
    "phone": "PHONE",
    "email": "EMAIL",
    "ssn": "SSN",
    "mrn": "MRN",
    "health_plan": "HEALTH PLAN",
    "account": "ACCOUNT",
    "licence": "LICENCE",
    "vehicle": "VEHICLE",
    "device": "DEVICE",
    "url": "URL",
    "ip": "IP",
    "biometric": "BIOMETRIC",
    "photo": "PHOTO",
    "number": "NUMBER",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """Characters `start` to `end` identify somebody.

    `rank` decides between hits that overlap, the smaller first. `text` is what stands there
    instead, when the label alone would lose too much: a shifted date.
    """

    start: int
    end: int
    kind: Kind
    rank: int
    text: str = ""

    @property
    def replacement(self) -> str:
        return self.text or f"[{LABELS[self.kind]}]"


@dataclass(frozen=True, slots=True)
class Replacement:
    """Characters `start` to `end` of the raw text, and what stands there now."""

    start: int
    end: int
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class TextDoubt:
    """Why a person has to look at the text, and where: characters of the raw text."""

    code: DoubtCode
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text without the identifiers that were found. With a doubt it may not leave."""

    text: str
    replacements: tuple[Replacement, ...] = ()
    doubts: tuple[TextDoubt, ...] = ()

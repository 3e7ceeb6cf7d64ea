"""What does PS3.15 Table E.1-1 say about a tag? The table as data, by tag, never by keyword."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute of the table: the Basic Profile's action and what each option changes it to."""

    tag: int
    name: str
    basic: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that name one tag. Rows for ranges of groups (50xx, 60xx, private) are rules."""

    edition: str
    rows: Mapping[int, Row]

    @classmethod
    def parse(cls, text: str) -> "Table":
        document = json.loads(text)
        rows = [
            Row(int(row["tag"], 16), row["name"], row["basic"], MappingProxyType(row["options"]))
            for row in document["rows"]
            if _names_one_tag(row["tag"])
        ]
        return cls(document["edition"].split()[0], MappingProxyType({row.tag: row for row in rows}))


def _names_one_tag(tag: str) -> bool:
    return len(tag) == len("ggggeeee") and all(digit in "0123456789ABCDEFabcdef" for digit in tag)

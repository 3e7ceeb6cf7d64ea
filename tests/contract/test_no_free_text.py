"""No field of a published event has room for a name: words come from lists, ids from patterns."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from shared.contracts.base import Event, Frozen
from shared.contracts.topics import EVENTS

# Every string that may say anything, and why it is safe nevertheless.
REASONED = {
    "MissingItem.detail": "a sentence of intake's rules, or an operator's, told that all see it",
    "Finding.detail": "names rules and tags; deid's canaries prove that it never quotes a value",
    "sealed_identity": "encrypted to notify's key: nobody else can read it",
}
SAFE_FORMATS = {"uuid", "date-time", "duration"}
# What a person's particulars look like; a pattern that lets one of them through is no pattern.
PARTICULARS = (
    "Jane Doe",
    "DOE^JANE",
    "Doe, Jane",
    "jane.doe@example.org",
    "+1 555 0100",
    "1 Elm Street",
    "Jänë",
    "x" * 130,
    "",
)
Leaf = tuple[str, Mapping[str, Any]]


def strings(schema: Mapping[str, Any], defs: Mapping[str, Any], name: str) -> Iterator[Leaf]:
    """Give every place where a string, or anything at all, may stand."""
    if "$ref" in schema:
        inside = schema["$ref"].rpartition("/")[2]
        yield from strings(defs[inside], defs, inside)
        return
    for part in (*schema.get("anyOf", ()), *schema.get("prefixItems", ())):
        yield from strings(part, defs, name)
    for field, inside in schema.get("properties", {}).items():
        yield from strings(inside, defs, f"{schema['title']}.{field}")
    if schema.get("type") == "array":
        yield from strings(schema.get("items", {}), defs, name)
    if _is_leaf(schema):
        yield name, schema


def _is_leaf(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    if kind == "object":
        return "properties" not in schema or bool(schema.get("additionalProperties"))
    return kind == "string" or (kind is None and not {"anyOf", "const", "enum"} & schema.keys())


def has_room_for_a_name(schema: Mapping[str, Any]) -> bool:
    if {"enum", "const"} & schema.keys() or schema.get("format") in SAFE_FORMATS:
        return False
    pattern = schema.get("pattern")
    if schema.get("type") != "string" or pattern is None:
        return True
    return any(re.search(pattern, particular) for particular in PARTICULARS)


def loose(event: type[Event] | type[Frozen]) -> set[str]:
    schema = event.model_json_schema()
    leaves = strings(schema, schema.get("$defs", {}), event.__name__)
    return {name for name, leaf in leaves if has_room_for_a_name(leaf)}


def reason(name: str) -> str | None:
    return REASONED.get(name) or REASONED.get(name.rpartition(".")[2])


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.ce_type())
def test_no_field_has_room_for_a_name_without_a_reason(event: type[Event]) -> None:
    assert [name for name in sorted(loose(event)) if reason(name) is None] == []


def test_no_reason_outlives_its_field() -> None:
    found = {name for event in EVENTS.values() for name in loose(event)}
    used = {name if name in REASONED else name.rpartition(".")[2] for name in found}

    assert used == REASONED.keys()


class Inside(Frozen):
    words: tuple[str, ...]


class Careless(Frozen):
    note: str
    inside: Inside
    anything: dict[str, str]
    whatever: Any
    either: int | str
    fine: bool


def test_a_careless_event_would_be_caught() -> None:
    assert loose(Careless) == {
        "Careless.note",
        "Inside.words",
        "Careless.anything",
        "Careless.whatever",
        "Careless.either",
    }

"""Would a change of an event break somebody? Only new optional fields are allowed; the rest is v2.

Both ways count: yesterday's services read today's messages while a release rolls out, and
today's services read yesterday's messages, which lie in Kafka and among the parked.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
# What a schema says to people. `default` of a new field is told by the field being optional.
FOR_PEOPLE = frozenset({"title", "description", "examples", "$defs", "$schema", "$id"})
_STRUCTURE = frozenset({"properties", "required", "enum", "items", "prefixItems", "anyOf"})


def breaks(old: Schema, new: Schema) -> list[str]:
    """Name every incompatible difference by the path of its field; none means compatible."""
    return list(_differences(_Place(old, old), _Place(new, new), "#"))


class _Place:
    """A schema somewhere inside a document, with its references resolved."""

    def __init__(self, document: Schema, schema: Schema) -> None:
        self.document = document
        self.schema = schema
        while "$ref" in self.schema:
            rest = {name: value for name, value in self.schema.items() if name != "$ref"}
            name = self.schema["$ref"].removeprefix("#/$defs/")
            self.schema = {**document["$defs"][name], **rest}

    def at(self, schema: Schema) -> "_Place":
        return _Place(self.document, schema)


def _differences(old: _Place, new: _Place, path: str) -> Iterator[str]:
    yield from _plain(old.schema, new.schema, path)
    yield from _words(old.schema, new.schema, path)
    yield from _fields(old, new, path)
    yield from _parts(old, new, path)


def _plain(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for name in sorted((old.keys() | new.keys()) - FOR_PEOPLE - _STRUCTURE):
        before, after = old.get(name), new.get(name)
        if before != after:
            yield f"{path}: {name} was {before!r}, is {after!r}"


def _words(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if ("enum" in old) != ("enum" in new):
        yield f"{path}: was {'a list of words' if 'enum' in old else 'any value'} before"
        return
    before, after = old.get("enum", []), new.get("enum", [])
    for word in before:
        if word not in after:
            yield f"{path}: narrowed, {word!r} is no longer allowed"
    for word in after:
        if word not in before:
            yield f"{path}: widened, older readers don't know {word!r}"


def _fields(old: _Place, new: _Place, path: str) -> Iterator[str]:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    needed_before = set(old.schema.get("required", ()))
    needed = set(new.schema.get("required", ()))
    for name in before:
        if name not in after:
            yield f"{path}/{name}: removed or renamed"
            continue
        if (name in needed) != (name in needed_before):
            yield f"{path}/{name}: became {'required' if name in needed else 'optional'}"
        yield from _differences(old.at(before[name]), new.at(after[name]), f"{path}/{name}")
    for name in after:
        if name not in before and name in needed:
            yield f"{path}/{name}: new and required"


def _parts(old: _Place, new: _Place, path: str) -> Iterator[str]:
    """Compare what lists and alternatives are made of, one by one."""
    for name in ("items", "prefixItems", "anyOf"):
        before, after = _list(old.schema.get(name)), _list(new.schema.get(name))
        if len(before) != len(after):
            yield f"{path}: {name} had {len(before)} part(s), has {len(after)}"
            continue
        for one, other in zip(before, after, strict=True):
            yield from _differences(old.at(one), new.at(other), f"{path}[]")


def _list(parts: Any) -> list[Schema]:
    if parts is None:
        return []
    return list(parts) if isinstance(parts, list) else [parts]

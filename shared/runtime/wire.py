"""What is in this message? Bytes from Kafka become an input, a message not for us, or a poison."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as QuickUUID  # noqa: N811 - a UUID written in C
from pydantic import ValidationError

from shared.contracts.base import CaseId, Event
from shared.contracts.envelope import REQUIRED
from shared.contracts.topics import EVENTS

# A producer of ours never makes one above this (outbox.py); a foreign one is parked unread.
LARGEST_VALUE = 1_000_000
_REQUIRED = frozenset(REQUIRED)
# W3C Trace Context, section 3.2; anything else is not passed on.
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
OUR_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OUR_TYPE = re.compile(r"org\.overread\.[a-z]{1,20}\.[a-z-]{1,40}\.v\d{1,3}")


class Message(NamedTuple):
    """A record as Kafka gave it: nothing decoded yet."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Readable(NamedTuple):
    """An event that this service wants."""

    message: Message
    event_id: UUID
    case_id: CaseId
    event: Event
    traceparent: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A known event that this service does not listen to."""

    message: Message


@dataclass(frozen=True, slots=True)
class Poison:
    """A message that can't be handled, with the cause: codes and names, never its content."""

    message: Message
    cause: str
    case_id: CaseId | None = None
    event_id: UUID | None = None
    type: str = "unknown"


Read: TypeAlias = Readable | Foreign | Poison


def read(message: Message, wanted: Mapping[str, type[Event]]) -> Read:
    """Read a message; `wanted` maps the `ce_type`s this service listens to. Never raises."""
    case_id = _uuid(message.key)
    if not _is_text(message.headers):
        return Poison(message, "a header is not UTF-8 text", _case(case_id))
    attributes = dict(message.headers)
    kind = attributes.get("ce_type", b"").decode()
    event_id = _uuid(attributes.get("ce_id"))
    cause = _flaw(message, attributes, event_id)
    if cause is None and _elsewhere(kind, message.topic):
        cause = "the type belongs on another topic"
    if cause is None and kind not in wanted and kind in EVENTS:
        return Foreign(message)
    if cause is None and kind not in wanted:
        cause = "unknown type or version"
    if cause is None and case_id is None:
        cause = "the key is not a case id"
    if cause is None and attributes.get("ce_subject", message.key) != message.key:
        cause = "ce_subject is not the key"
    if cause is not None or event_id is None or case_id is None:
        return Poison(message, cause or "unreadable", _case(case_id), event_id, _name(kind))
    return _parsed(message, wanted[kind], event_id, CaseId(case_id), attributes)


def _is_text(headers: Sequence[tuple[str, bytes]]) -> bool:
    """Tell whether every value is UTF-8; a line break between two keeps halves from joining."""
    try:
        b"\n".join([value for _, value in headers]).decode()
    except (UnicodeDecodeError, TypeError):
        return False
    return True


def _parsed(
    message: Message,
    kind: type[Event],
    event_id: UUID,
    case_id: CaseId,
    attributes: Mapping[str, bytes],
) -> Readable | Poison:
    try:
        event = _reader(kind)(message.value or b"")
    except ValidationError as error:
        return Poison(message, _summary(kind, error), case_id, event_id, kind.ce_type())
    if event.case_id != case_id:
        cause = "the key is another case than the event's"
        return Poison(message, cause, case_id, event_id, kind.ce_type())
    trace = attributes.get("traceparent", b"").decode()
    trace = trace if trace and TRACEPARENT.fullmatch(trace) else ""
    return Readable(message, event_id, case_id, event, trace)


@cache
def _reader(kind: type[Event]) -> Callable[[bytes], Event]:
    """Give what `model_validate_json` calls: its own share is a sixth of the time."""
    return kind.__pydantic_validator__.validate_json


@lru_cache
def _elsewhere(kind: str, topic: str) -> bool:
    """Tell whether an event of ours stands on a topic that isn't its publisher's."""
    return kind in EVENTS and not topic.endswith(f".{EVENTS[kind].publisher()}")


def _flaw(message: Message, attributes: Mapping[str, bytes], event_id: UUID | None) -> str | None:
    if message.value is None:
        return "no value"
    if len(message.value) > LARGEST_VALUE:
        return f"value over {LARGEST_VALUE} bytes"
    if len(attributes) < len(message.headers):
        return "a header stands twice"
    if not attributes.keys() >= _REQUIRED:
        missing = [name for name in REQUIRED if name not in attributes]
        return f"missing headers: {', '.join(missing)}"
    if attributes["ce_specversion"] != b"1.0":
        return "ce_specversion is not 1.0"
    return None if event_id else "ce_id is not a UUID"


def _summary(kind: type[Event], error: ValidationError) -> str:
    """Name the wrong fields and rules; leave out what stood there."""
    flaws = error.errors(include_input=False, include_context=False, include_url=False)
    return ", ".join(f"{_path(kind, f['loc'])}: {f['type']}" for f in flaws[:5])


def _path(kind: type[Event], location: tuple[int | str, ...]) -> str:
    """Name a place by our own field names only: the key of a mapping is content too."""
    known = _field_names(kind)
    return "/".join(str(p) if p in known or isinstance(p, int) else "*" for p in location) or "body"


@cache
def _field_names(kind: type[Event]) -> frozenset[str]:
    schema = kind.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for model in models for name in model.get("properties", {}))


def _name(kind: str) -> str:
    """Show a foreign type only if it looks like one of ours: junk may quote anything."""
    return kind if OUR_TYPE.fullmatch(kind) else "unknown"


def _case(value: UUID | None) -> CaseId | None:
    return CaseId(value) if value else None


def _uuid(value: bytes | None) -> UUID | None:
    """Read the one spelling that we write: another would be another key, on another partition."""
    if value is None or not OUR_UUID.fullmatch(value):
        return None
    return QuickUUID(value.decode("ascii"))

"""Which events travel on which topic, and who listens? AsyncAPI 3, from the models themselves."""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from shared.contracts.base import Event
from shared.contracts.envelope import CONTENT_TYPE, REQUIRED
from shared.contracts.topics import EVENTS, SERVICES, topic

Document = dict[str, Any]
KEY: Document = {"type": "string", "format": "uuid", "description": "The case id."}
# The attributes of a CloudEvent in Kafka's binary mode (Kafka protocol binding 1.0.2, 3.2).
HEADERS: Document = {
    "type": "object",
    "required": [*REQUIRED, "ce_subject", "content-type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid"},
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string", "format": "uri-reference"},
        "ce_subject": KEY,
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_causationid": {
            "type": "string",
            "format": "uuid",
            "description": "The id of the message that led to this one.",
        },
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
        "content-type": {"const": CONTENT_TYPE},
    },
}


def document(messages: Path) -> Document:
    """Describe every topic; examples are the golden messages in a folder."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Overread events",
            "version": "1",
            "description": "One topic per publishing service, keyed by case id, so that a case's "
            "events keep their order. Events carry no patient data.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {service: _channel(service) for service in SERVICES},
        "operations": {
            name: operation
            for service in SERVICES
            for name, operation in _operations(service).items()
        },
        "components": {
            "schemas": {kind: _schema(event) for kind, event in EVENTS.items()},
            "messageTraits": {"cloudevent": {"headers": HEADERS}},
            "messages": {kind: _message(event, messages) for kind, event in EVENTS.items()},
        },
    }


def render(messages: Path) -> str:
    return yaml.safe_dump(document(messages), sort_keys=False, allow_unicode=True, width=100)


def _channel(service: str) -> Document:
    return {
        "address": topic(service),
        "description": f"What {service} decided.",
        "messages": {
            _short(event): {"$ref": f"#/components/messages/{kind}"}
            for kind, event in EVENTS.items()
            if event.publisher() == service
        },
    }


def _operations(service: str) -> dict[str, Document]:
    """Say what a service sends, and what it receives from whom."""
    sends = {
        f"{service}.publish": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{service}"},
            "summary": f"{service} publishes what it decided.",
        }
    }
    listens: Mapping[str, tuple[type[Event], ...]] = import_module(
        f"services.{service}.subscribers"
    ).LISTENS
    receives = {
        f"{service}.read.{publisher}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{publisher}"},
            "summary": f"{service} reads events of {publisher}.",
            "messages": [
                {"$ref": f"#/channels/{publisher}/messages/{_short(event)}"} for event in wanted
            ],
        }
        for publisher, wanted in listens.items()
    }
    return sends | receives


def _message(event: type[Event], messages: Path) -> Document:
    example = messages / f"{event.publisher()}.{_short(event)}.json"
    return {
        "name": event.ce_type(),
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip(),
        "contentType": CONTENT_TYPE,
        "traits": [{"$ref": "#/components/messageTraits/cloudevent"}],
        "payload": {"$ref": f"#/components/schemas/{event.ce_type()}"},
        "bindings": {"kafka": {"key": KEY, "bindingVersion": "0.5.0"}},
        "examples": [{"payload": json.loads(example.read_text())}] if example.exists() else [],
    }


def _schema(event: type[Event]) -> Document:
    """Give the event's JSON schema, with its references pointing into this document."""
    schema = event.model_json_schema()
    return dict(_pointing(schema, f"#/components/schemas/{event.ce_type()}/$defs/"))


def _pointing(part: Any, to: str) -> Any:
    if isinstance(part, Mapping):
        return {
            name: value.replace("#/$defs/", to) if name == "$ref" else _pointing(value, to)
            for name, value in part.items()
        }
    return [_pointing(one, to) for one in part] if isinstance(part, list) else part


def _short(event: type[Event]) -> str:
    return event.ce_type().removeprefix(f"org.overread.{event.publisher()}.")

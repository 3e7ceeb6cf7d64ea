"""What does the API's description say of bodies that the framework doesn't parse itself?

OpenAPI 3.1. References are put in place, as a fragment has no components of its own.
"""

from typing import Any, Final

from services.intake.api.schema import TYPES

_ATTRIBUTES: Final[dict[str, Any]] = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "minLength": 1, "description": "Unlike any other of this source."},
    "source": {"type": "string", "minLength": 1, "description": "Which system of yours sends it."},
    "time": {"type": "string", "format": "date-time"},
    "datacontenttype": {"const": "application/json"},
}
_REQUIRED: Final = ("specversion", "id", "source", "type", "data")
_VERDICTS: Final = {"application/dicom+json": {"schema": {"type": "object"}}}
KEY_HEADER: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Counts instead of the event's source and id when it is there.",
}
STOW: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/related": {
                "schema": {
                    "type": "string",
                    "format": "binary",
                    "description": "One DICOM Part 10 file a part; type=application/dicom.",
                }
            }
        },
    }
}
STOW_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "All instances are stored.", "content": _VERDICTS},
    202: {"description": "Some are stored, some refused: see each.", "content": _VERDICTS},
    409: {"description": "None is stored: see each.", "content": _VERDICTS},
}


def events() -> dict[str, Any]:
    """Describe the body of POST /v1/events: the event in structured mode, or its data alone."""
    kinds = {kind: _in_place(schema.model_json_schema()) for kind, schema in TYPES.items()}
    return {
        "parameters": [KEY_HEADER],
        "requestBody": {
            "required": True,
            "content": {
                "application/cloudevents+json": {
                    "schema": {"oneOf": [_event(kind, data) for kind, data in kinds.items()]}
                },
                "application/json": {
                    "schema": {
                        "description": "Binary mode: the attributes are headers (ce-...).",
                        "oneOf": list(kinds.values()),
                    }
                },
            },
        },
    }


def _event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "title": kind,
        "required": list(_REQUIRED),
        "properties": {**_ATTRIBUTES, "type": {"const": kind}, "data": data},
    }


def _in_place(schema: dict[str, Any]) -> dict[str, Any]:
    """Replace each reference into the schema's own definitions by what it refers to."""
    definitions = schema.get("$defs", {})

    def placed(value: Any) -> Any:
        if isinstance(value, list):
            return [placed(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return placed(definitions[value["$ref"].rpartition("/")[2]])
        return {name: placed(one) for name, one in value.items() if name != "$defs"}

    found: dict[str, Any] = placed(schema)
    return found

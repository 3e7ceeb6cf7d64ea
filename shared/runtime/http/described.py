"""What does a service's API description say of errors? What problems.py answers, nothing else."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

# RFC 9457 with our extensions; `errors` names each wrong field or parameter.
PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Problem details (RFC 9457). `code` is stable; docs/problems.md explains it.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "mend": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "into the body (RFC 6901)"},
                    "parameter": {"type": "string", "description": "or of the address, a header"},
                },
            },
        },
        "trace_id": {"type": "string"},
    },
}
_ANSWER = {
    "description": "Something is wrong; the problem says what and how to mend it.",
    "content": {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
    },
}


def describe_problems(app: FastAPI) -> None:
    """Let the app's description name problems where the framework would name its own errors."""
    framework = app.openapi

    def described() -> dict[str, Any]:
        fresh = app.openapi_schema is None
        document = framework()
        if fresh:
            _replace(document)
        return document

    app.openapi = described  # type: ignore[method-assign]  # as its documentation does


def _replace(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for own in ("HTTPValidationError", "ValidationError"):
        schemas.pop(own, None)
    schemas["Problem"] = PROBLEM
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _ANSWER

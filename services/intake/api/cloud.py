"""How is a CloudEvent read from HTTP, in binary or structured mode, and what if it isn't one?

CloudEvents 1.0.2 and its HTTP protocol binding 1.0.2. The library fills in what a sender left out
(an id, a version), so what must be there is looked for first.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError
from starlette.requests import Request

from services.intake.api.schema import TYPES, Asked
from shared.runtime.errors import Problem, WrongField
from shared.runtime.http import invalid

REQUIRED: Final = ("specversion", "id", "source", "type")
STRUCTURED: Final = "application/cloudevents"
MODES: Final = (
    "Send a CloudEvent 1.0: structured mode with content-type application/cloudevents+json, or "
    "binary mode with the headers ce-specversion, ce-id, ce-source and ce-type and a JSON body."
)


@dataclass(frozen=True, slots=True)
class PartnerEvent:
    """An event whose data keep their schema. `pointer` is where the data stand in the body."""

    key: str
    type: str
    asked: Asked
    canonical: bytes
    pointer: str


async def read_event(request: Request, most_bytes: int) -> PartnerEvent:
    """Read the request's event, or raise the Problem that names what to mend."""
    body = await request.body()
    if len(body) > most_bytes:
        raise Problem(413, "body-too-large", f"An event has at most {most_bytes} bytes.")
    headers = dict(request.headers)
    structured = _is_structured(headers)
    event = _parsed(headers, body, structured=structured)
    kind, data = event.get_type(), event.get_data()
    if kind not in TYPES:
        known = ", ".join(TYPES)
        where = "#/type" if structured else None
        name = None if structured else "ce-type"
        wrong = WrongField(f"This type is unknown; known are: {known}.", where, name)
        raise Problem(422, "unknown-event-type", "The event's type is unknown.", errors=[wrong])
    pointer = "#/data" if structured else "#"
    return PartnerEvent(
        key=f"{event.get_source()} {event.get_id()}",
        type=kind,
        asked=_checked(TYPES[kind], data, pointer),
        canonical=orjson.dumps([kind, data], option=orjson.OPT_SORT_KEYS),
        pointer=pointer,
    )


def _is_structured(headers: dict[str, str]) -> bool:
    content_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type == f"{STRUCTURED}+json":
        return True
    if content_type.startswith(STRUCTURED):
        raise Problem(415, "unsupported-media-type", "Only JSON, one event at a time. " + MODES)
    if not any(name.startswith("ce-") for name in headers):
        raise Problem(400, "no-cloudevent", "The request holds no CloudEvent. " + MODES)
    if content_type and not (content_type == "application/json" or content_type.endswith("+json")):
        raise Problem(415, "unsupported-media-type", "The event's data must be application/json.")
    return False


def _parsed(headers: dict[str, str], body: bytes, *, structured: bool) -> Any:
    """Parse with the library what was seen to be there; whatever it refuses is the sender's."""
    content = _json(body)
    if structured and not isinstance(content, dict):
        raise Problem(400, "no-cloudevent", "The body is no JSON object. " + MODES)
    given = content if structured else {name.removeprefix("ce-"): 1 for name in headers}
    absent = [name for name in REQUIRED if not given.get(name)]
    if absent:
        raise _wrong_attributes(absent, "is required", structured=structured)
    kept = {n: v for n, v in headers.items() if n.startswith("ce-") or n == "content-type"}
    message = HTTPMessage({n: v for n, v in kept.items() if not structured or n[:3] != "ce-"}, body)
    try:
        return from_http(message, JSONFormat(), CloudEvent)
    except CloudEventValidationError as error:
        raise _wrong_attributes(list(error.errors), "is not valid", structured=structured) from None
    except (ValueError, TypeError, AttributeError):
        raise _wrong_attributes(
            ["time"], "must be a time as in RFC 3339", structured=structured
        ) from None


def _json(body: bytes) -> Any:
    try:
        content = orjson.loads(body)
        orjson.dumps(content)  # refuses what is nested deeper than any parser behind us bears
    except (ValueError, TypeError):
        raise Problem(400, "malformed-body", "The body is not well-formed JSON in UTF-8.") from None
    return content


def _wrong_attributes(names: list[str], what: str, *, structured: bool) -> Problem:
    errors = [
        WrongField(
            f"The attribute {name} {what}.",
            pointer=f"#/{name}" if structured else None,
            parameter=None if structured else f"ce-{name}",
        )
        for name in names
    ]
    return Problem(
        400, "no-cloudevent", "The event's attributes are wrong. " + MODES, errors=errors
    )


def _checked(schema: type[Asked], data: object, pointer: str) -> Asked:
    if not isinstance(data, dict):
        raise Problem(422, "invalid-request", "The event's data must be a JSON object.", pointer)
    try:
        return schema.model_validate_json(orjson.dumps(data))
    except ValidationError as error:
        raise invalid(error, pointer) from None

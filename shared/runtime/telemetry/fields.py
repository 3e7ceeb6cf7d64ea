"""Which fields may a log line or a span carry? An allow list: what is not here stays inside.

A new field is one line here, and a thought: could a patient be told from it? Even of an allowed
field a text comes out only if it is a word (an id, a code), for names and sentences have blanks,
carets or letters beyond ASCII.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

from prometheus_client import Counter

_FIELDS = """
    service module level timestamp event message trace_id span_id
    case_id event_id input_id caused_by job_id assignment webhook_id item
    partner tenant reader subject role scope
    event_type type topic partition offset publisher group
    kind state outcome code cause reason field status sqlstate error where causes
    count batch position attempt attempts depth size bytes limit seconds retry_in due_at lag
    zone media_type modality sop_class profile key_version
    method route host port dependency loop stage rung tier channel audience template
    version name refused signal pid failpoint seed migration
"""

# Names of OpenTelemetry's semantic conventions whose values are codes.
_CONVENTIONS = """
    http.request.method http.response.status_code http.route url.scheme server.address server.port
    messaging.system messaging.operation messaging.operation.name messaging.operation.type
    messaging.destination.name messaging.destination.partition.id messaging.batch.message_count
    messaging.kafka.offset messaging.message.id
    db.system db.system.name db.operation.name db.namespace error.type exception.type
    service.name network.protocol.version
"""

FIELDS = frozenset(_FIELDS.split())
CONVENTIONS = frozenset(_CONVENTIONS.split())

REFUSED = "[refused]"
_WORD = re.compile(r"[A-Za-z0-9_.:/+,<>{}*-]{0,200}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}", re.ASCII)
_MOST = 20  # items of a list

REFUSALS = Counter(
    "overread_telemetry_refused_total", "Fields and values that were kept inside", ["what"]
)


def admitted(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Give a span's attributes, without those that may not come out."""
    names = {name: name.removeprefix("overread.") for name in attributes}
    return {
        name: word(attributes[name])
        for name, bare in names.items()
        if bare in FIELDS or name in CONVENTIONS
    }


def word(value: Any) -> Any:
    """Give a value that is a number, a time, an id or a code, or a list of such; refuse others."""
    if isinstance(value, list | tuple | set | frozenset):
        return [word(one) for one in list(value)[:_MOST]]
    if isinstance(value, Enum):
        return word(value.value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, UUID | date):  # a datetime is a date too
        value = str(value).replace(" ", "T")
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    REFUSALS.labels("value").inc()
    return REFUSED


def is_name(text: object) -> bool:
    """Tell whether this is an event's or a field's name: snake_case, as code writes it."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None

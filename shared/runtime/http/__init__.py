"""How does a service's HTTP edge behave? The same in all: problems, limits, probes, streams."""

from shared.runtime.http.app import create_app
from shared.runtime.http.inputs import idempotency_key, last_event_id
from shared.runtime.http.problems import invalid, refusal
from shared.runtime.http.serving import serve
from shared.runtime.http.sse import ServerEvent, event_stream

__all__ = [
    "ServerEvent",
    "create_app",
    "event_stream",
    "idempotency_key",
    "invalid",
    "last_event_id",
    "refusal",
    "serve",
]

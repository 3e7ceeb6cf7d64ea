"""Which trace does a step belong to? A span per handled input, its context passed on by header."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.trace import ProxyTracerProvider, SpanKind

TRACER = trace.get_tracer("overread.runner")


@contextmanager
def span(service: str, received: Any, traceparent: str) -> Iterator[str]:
    """Open a span for one decision; give the traceparent for what it causes.

    Where nobody collects spans the header is passed on as it came, at no cost.
    """
    if isinstance(trace.get_tracer_provider(), ProxyTracerProvider):
        yield traceparent
        return
    context = propagate.extract({"traceparent": traceparent}) if traceparent else None
    name = f"{service} decide {type(received).__name__}"
    with TRACER.start_as_current_span(name, context, kind=SpanKind.CONSUMER) as current:
        current.set_attribute("overread.case_id", str(received.case_id))
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        yield carrier.get("traceparent", traceparent)


def current() -> str:
    """Give the running request's traceparent, or nothing."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent", "")

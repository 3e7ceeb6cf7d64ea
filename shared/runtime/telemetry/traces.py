"""Which steps belong to one submission? Spans under one trace id, across HTTP and Kafka.

Without an exporter nothing is recorded, yet a request still gets a trace id, so that logs, answers
and events of one submission can be told to belong together.
"""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.runtime.telemetry.fields import admitted

_TRACER = trace.get_tracer("overread")
_W3C = TraceContextTextMapPropagator()
_NAME = re.compile(r"[A-Za-z0-9_ ./:{}-]{1,120}", re.ASCII)
_FLUSH_MILLISECONDS = 1000
_WAITING = 8192  # spans in memory; beyond them spans are dropped, never events


@contextmanager
def span(
    name: str, traceparent: str = "", *, kind: SpanKind = SpanKind.INTERNAL, **fields: Any
) -> Iterator[Span]:
    """Open a span: under `traceparent` if given, otherwise under the current one.

    Names are constants ("deid perform"). Fields follow telemetry/fields.py. An exception marks the
    span with its type only.
    """
    parent = _W3C.extract({"traceparent": traceparent}) if traceparent else None
    with _TRACER.start_as_current_span(
        name,
        parent,
        kind=kind,
        attributes={f"overread.{field}": _plain(value) for field, value in fields.items()},
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(trace.StatusCode.ERROR)
            raise


@contextmanager
def request_span(method: str, headers: Mapping[str, str]) -> Iterator[Span]:
    """Open the span of an HTTP request: the caller's trace goes on, or a new one begins."""
    given = _W3C.extract({"traceparent": headers.get("traceparent", "")})
    with _TRACER.start_as_current_span(
        method, given, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
    ) as opened:
        if opened.get_span_context().is_valid:
            yield opened
            return
        named = NonRecordingSpan(
            SpanContext(
                int.from_bytes(secrets.token_bytes(16), "big") or 1,
                int.from_bytes(secrets.token_bytes(8), "big") or 1,
                is_remote=False,
                trace_flags=TraceFlags(TraceFlags.SAMPLED),
            )
        )
        token = context.attach(trace.set_span_in_context(named))
        try:
            yield named
        finally:
            context.detach(token)


def traceparent() -> str:
    """Give the current trace as a W3C header, to be stored with what it causes; "" if none."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent", "")


def trace_id() -> str:
    """Give the current trace's id in hex, or ""."""
    current = trace.get_current_span().get_span_context()
    return trace.format_trace_id(current.trace_id) if current.is_valid else ""


def provider(service: str, exporters: Sequence[SpanExporter]) -> TracerProvider:
    """Make what records the spans of a service; every exporter sees them cleaned."""
    made = TracerProvider(resource=Resource.create({"service.name": service}))
    for exporter in exporters:
        made.add_span_processor(
            BatchSpanProcessor(
                Cleaned(exporter),
                max_queue_size=_WAITING,
                schedule_delay_millis=_FLUSH_MILLISECONDS,
            )
        )
    return made


def exporters(service: str, folder: Path | None, otlp: str | None) -> list[SpanExporter]:
    """Give what was asked for; OTLP reads the rest of its settings from OTEL_EXPORTER_OTLP_*."""
    wanted: list[SpanExporter] = []
    if folder is not None:
        wanted.append(JsonLines(folder / f"{service}.spans.jsonl"))
    if otlp is not None:
        wanted.append(OTLPSpanExporter(endpoint=f"{otlp}/v1/traces"))
    return wanted


class Cleaned(SpanExporter):
    """Passes on spans without what is not in the allow list, whoever made them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self.exporter.export([_cleaned(one) for one in spans])

    def shutdown(self) -> None:
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self.exporter.force_flush(timeout_millis)


class JsonLines(SpanExporter):
    """Appends spans to a file, one JSON object a line, each batch in one write.

    Fields: service, name, kind, trace_id, span_id, parent_id, start, end (Unix nanoseconds),
    error (bool), attributes, events.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("ab", buffering=0)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = [orjson.dumps(_record(one), option=orjson.OPT_APPEND_NEWLINE) for one in spans]
        try:
            self._file.write(b"".join(lines))
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._file.close()


def _record(one: ReadableSpan) -> dict[str, Any]:
    own = one.get_span_context()
    return {
        "service": one.resource.attributes.get("service.name"),
        "name": one.name,
        "kind": one.kind.name.lower(),
        "trace_id": trace.format_trace_id(own.trace_id) if own else None,
        "span_id": trace.format_span_id(own.span_id) if own else None,
        "parent_id": trace.format_span_id(one.parent.span_id) if one.parent else None,
        "start": one.start_time,
        "end": one.end_time,
        "error": not one.status.is_unset and not one.status.is_ok,
        "attributes": dict(one.attributes or {}),
        "events": [{"name": e.name, "attributes": dict(e.attributes or {})} for e in one.events],
    }


def _cleaned(one: ReadableSpan) -> ReadableSpan:
    """Copy a span; library instrumentation writes statements, addresses and messages into it."""
    return ReadableSpan(
        name=one.name if _NAME.fullmatch(one.name) else "unnamed",
        context=one.get_span_context(),
        parent=one.parent,
        resource=one.resource,
        attributes=admitted(one.attributes or {}),
        events=[Event(e.name, admitted(e.attributes or {}), e.timestamp) for e in one.events],
        links=[trace.Link(link.context) for link in one.links],
        kind=one.kind,
        instrumentation_scope=one.instrumentation_scope,
        status=Status(one.status.status_code),
        start_time=one.start_time,
        end_time=one.end_time,
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else str(value)

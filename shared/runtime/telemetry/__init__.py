"""What does a service let out about itself? Logs, traces and metrics, and no patient in any."""

from shared.runtime.telemetry.logs import context, logger
from shared.runtime.telemetry.start import start
from shared.runtime.telemetry.traces import span, trace_id, traceparent

__all__ = ["context", "logger", "span", "start", "trace_id", "traceparent"]

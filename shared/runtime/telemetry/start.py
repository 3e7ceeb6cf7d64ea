"""How does a process begin to tell about itself? Once, before anything else runs."""

from pathlib import Path

from opentelemetry import trace

from shared.runtime.telemetry import logs, traces


def start(service: str, folder: Path | None = None, otlp: str | None = None) -> None:
    """Configure logs, and traces where someone collects them: otherwise they cost nothing."""
    logs.configure(service)
    wanted = traces.exporters(service, folder, otlp)
    if wanted:
        trace.set_tracer_provider(traces.provider(service, wanted))

"""Which trace does a step belong to? The case's: one from its submission to its last delivery.

The trace of the first input about a case is kept with it. Later inputs, a person's request or a
deadline days later, go on in that trace, with a link to the request's own. A span per handled
input; its context is passed on by header.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.trace import Link, ProxyTracerProvider, SpanKind

from shared.contracts.base import CaseId
from shared.runtime.postgres import Db

TRACER = trace.get_tracer("overread.runner")
MOST_KNOWN = 20_000  # cases under way at one replica, at a third of a kilobyte each
TRACE_ID = slice(3, 35)  # of a traceparent: version, trace id, parent id, flags

# The trace that each case began with.
LOAD = "SELECT case_id, traceparent FROM traces WHERE case_id = ANY($1::uuid[])"
# The first one stays.
KEEP = """
    INSERT INTO traces (case_id, traceparent) SELECT * FROM unnest($1::uuid[], $2::text[])
    ON CONFLICT (case_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """The traces of the latest cases. A case's never changes, so it is read once."""

    known: dict[CaseId, str] = field(default_factory=dict)

    async def load(self, db: Db, cases: Collection[CaseId]) -> dict[CaseId, str]:
        if unknown := [case for case in cases if case not in self.known]:
            if len(self.known) > MOST_KNOWN:
                self.known.clear()
            for row in await db.fetch(LOAD, unknown):
                self.known[CaseId(row["case_id"])] = row["traceparent"]
        return {case: self.known[case] for case in cases if case in self.known}


async def keep(db: Db, begun: Mapping[CaseId, str]) -> None:
    if begun:
        await db.execute(KEEP, list(begun), list(begun.values()))


def parent(kept: str | None, given: str) -> str:
    """Give the context to go on from: the one given, unless it is of another trace."""
    return given if not kept or kept[TRACE_ID] == given[TRACE_ID] else kept


def collected() -> bool:
    """Tell whether anybody collects spans. Asking reads the environment: once a batch will do."""
    return not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)


@contextmanager
def span(service: str, received: Any, traceparent: str, given: str = "") -> Iterator[str]:
    """Open a span for one decision; give the traceparent for what it causes."""
    context = propagate.extract({"traceparent": traceparent})
    links = _links(given) if given[TRACE_ID] != traceparent[TRACE_ID] else []
    name = f"{service} decide {type(received).__name__}"
    with TRACER.start_as_current_span(
        name, context, kind=SpanKind.CONSUMER, links=links
    ) as current:
        current.set_attribute("overread.case_id", str(received.case_id))
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        yield carrier.get("traceparent", traceparent)


def _links(given: str) -> list[Link]:
    other = trace.get_current_span(propagate.extract({"traceparent": given})).get_span_context()
    return [Link(other)] if other.is_valid else []


def current() -> str:
    """Give the running request's traceparent, or nothing."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent", "")

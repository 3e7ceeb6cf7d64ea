"""Does a patient's name, thrown at every way out of a process, stay inside?"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY

from shared.runtime import telemetry
from shared.runtime.telemetry import metrics, traces

ROOT = Path(__file__).parents[3]
CANARY = "CANARY^JANE"

# What leaks, and the event that must be told in its place: a silent program proves nothing.
LEAKS = {
    "field": ("log.info('seen', patient='{canary}')", "seen"),
    "allowed_field": ("log.info('seen', reason='{canary}')", "seen"),
    "field_name": ("log.info('seen', **{{'{canary}': 1}})", "field_refused"),
    "event": ("log.info('{canary} was seen')", "unnamed"),
    "context": ("with telemetry.context(case_id='{canary}', mrn=1): log.info('seen')", "seen"),
    "exception": ("try: int('{canary}')\nexcept ValueError: log.exception('failed')", "failed"),
    "cause": (
        (
            "try:\n"
            "    try: int('{canary}')\n"
            "    except ValueError as e: raise KeyError('{canary}') from e\n"
            "except KeyError: log.error('failed', exc_info=True)"
        ),
        "failed",
    ),
    "group": (
        "log.error('failed', exc_info=ExceptionGroup('{canary}', [ValueError('{canary}')]))",
        "failed",
    ),
    "library": ("logging.getLogger('somewhere').warning('{canary}')", "library_log"),
    "library_argument": (
        "logging.getLogger('aiokafka').error('no %s at %d', '{canary}', 7)",
        "library_log",
    ),
    "library_mapping": (
        "logging.getLogger('uvicorn').error('no %(a)s', {{'a': '{canary}'}})",
        "library_log",
    ),
    "library_broken": ("logging.getLogger('uvicorn').error('%d', '{canary}')", "library_log"),
    "library_exception": (
        (
            "try: int('{canary}')\n"
            "except ValueError: logging.getLogger('uvicorn.error').exception('Exception in ASGI')"
        ),
        "library_log",
    ),
    "library_object": (
        "logging.getLogger('uvicorn').error(ValueError('{canary}'))",
        "library_log",
    ),
    "warning": ("warnings.warn('Invalid value for VR PN: {canary}')", "library_log"),
    "uncaught": ("raise ValueError('{canary}')", "crashed"),
    "thread": (
        "t = threading.Thread(target=int, args=('{canary}',)); t.start(); t.join()",
        "crashed",
    ),
    "unraisable": ("class X:\n    def __del__(self): int('{canary}')\nX()", "crashed"),
    "task": (
        (
            "async def fail(name): raise ValueError(name)\n"
            "async def main():\n"
            "    asyncio.create_task(fail('{canary}'))\n"
            "    await asyncio.sleep(0)\n"
            "    await asyncio.sleep(0)\n"
            "    gc.collect()\n"
            "asyncio.run(main())"
        ),
        "library_log",
    ),
    "callback": (
        (
            "async def main():\n"
            "    asyncio.get_running_loop().call_soon(int, '{canary}')\n"
            "    await asyncio.sleep(0)\n"
            "    await asyncio.sleep(0)\n"
            "asyncio.run(main())"
        ),
        "library_log",
    ),
    "span": (
        (
            "with telemetry.span('step', patient='{canary}', reason='{canary}') as span:\n"
            "    span.set_attribute('db.query.text', '{canary}')\n"
            "    span.add_event('x', {{'a': '{canary}'}})\n"
            "log.info('seen')"
        ),
        "seen",
    ),
    "span_name": ("with telemetry.span('{canary}'): log.info('seen')", "seen"),
    "span_exception": (
        (
            "with telemetry.span('step') as span:\n"
            "    span.record_exception(ValueError('{canary}'))\n"
            "    int('{canary}')"
        ),
        "crashed",
    ),
}
PROGRAM = """
import asyncio, gc, logging, threading, warnings
from pathlib import Path
from shared.runtime import telemetry
telemetry.start("sample", Path({folder!r}))
log = telemetry.logger("services.sample")
{leak}
"""


def run(leak: str, folder: Path) -> tuple[list[dict[str, Any]], str]:
    """Run a program that leaks; give its log lines, and everything that came out of it."""
    program = PROGRAM.format(folder=str(folder), leak=leak.format(canary=CANARY))
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False, timeout=120
    )
    spans = (folder / "sample.spans.jsonl").read_text()
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    return lines, f"{done.stdout.decode()}{done.stderr.decode()}{spans}"


def test_a_name_does_not_come_out(tmp_path: Path) -> None:
    harmless = {way: leak for way, (leak, event) in LEAKS.items() if event != "crashed"}
    each = "for way, leak in {!r}.items():\n    with telemetry.context(kind=way): exec(leak)"
    told_as = {way: code.format(canary=CANARY) for way, code in harmless.items()}

    lines, told = run(each.format(told_as).replace("{", "{{").replace("}", "}}"), tmp_path)

    for way in harmless:
        assert LEAKS[way][1] in {line["event"] for line in lines if line["kind"] == way}, way
    assert "crashed" not in {line["event"] for line in lines}
    assert "CANARY" not in told
    assert "JANE" not in told


@pytest.mark.parametrize("way", [way for way, (_, event) in LEAKS.items() if event == "crashed"])
def test_a_name_does_not_come_out_of_last_words(way: str, tmp_path: Path) -> None:
    lines, told = run(LEAKS[way][0], tmp_path)

    assert "crashed" in {line["event"] for line in lines}
    assert "CANARY" not in told
    assert "JANE" not in told


def test_a_line_says_who_what_and_where(tmp_path: Path) -> None:
    lines, _ = run(
        "with telemetry.context(case_id='c-1'):\n"
        "    with telemetry.span('step'):\n"
        "        log.info('case_accepted', count=3, kind='ct', patient='x', other_patient='x')\n"
        "        log.info('again', patient='x')",
        tmp_path,
    )

    refused = [line["name"] for line in lines if line["event"] == "field_refused"]
    accepted = next(line for line in lines if line["event"] == "case_accepted")
    span = orjson.loads((tmp_path / "sample.spans.jsonl").read_bytes())
    assert refused == ["patient", "other_patient"]
    assert accepted.pop("timestamp").endswith("+00:00")
    assert accepted == {
        "service": "sample",
        "event": "case_accepted",
        "level": "info",
        "module": "services.sample",
        "case_id": "c-1",
        "count": 3,
        "kind": "ct",
        "trace_id": span["trace_id"],
        "span_id": span["span_id"],
    }


def test_an_exception_is_told_by_type_and_our_own_lines(tmp_path: Path) -> None:
    lines, _ = run(
        "from shared.runtime.sealing import open_sealed\n"
        "try: open_sealed([], 'x')\n"
        "except Exception as error: log.error('failed', exc_info=error)",
        tmp_path,
    )

    (line,) = lines
    assert line["error"] == "shared.runtime.sealing.SealBroken"
    assert line["where"][-1].startswith("shared.runtime.sealing:")
    assert line["where"][-1].endswith(":open_sealed")
    assert line["causes"] == ["ValueError"]


def test_a_library_is_told_by_its_template(tmp_path: Path) -> None:
    lines, _ = run(
        "logging.getLogger('uvicorn.error').info('Finished server process [%d] %s', 7, 'x')\n"
        "logging.getLogger('asyncio').error('Exception in callback f(secret)')\n"
        "logging.getLogger('other').warning('anything')",
        tmp_path,
    )

    assert [line["message"] for line in lines] == [
        "Finished server process [7] …",
        "Exception in callback f",
        "<string>:9",
    ]
    assert [line["module"] for line in lines] == ["uvicorn.error", "asyncio", "other"]


def test_a_library_that_repeats_itself_is_told_once_in_a_while(tmp_path: Path) -> None:
    lines, _ = run(
        "from shared.runtime import clock\n"
        "def say(): logging.getLogger('uvicorn').error('away %s', 'x')\n"
        "for _ in range(100): say()\n"
        "later = clock.ticks() + 6\n"
        "clock.ticks = lambda: later\n"
        "say()",
        tmp_path,
    )

    assert [(line["message"], line.get("count")) for line in lines] == [
        ("away …", None),
        ("away …", 100),
    ]


def test_a_reader_that_left_does_not_end_the_program(tmp_path: Path) -> None:
    program = PROGRAM.format(
        folder=str(tmp_path),
        leak="for _ in range(10000): log.info('seen')\nPath('{}').touch()".format(
            tmp_path / "finished"
        ),
    )
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(60)

    assert (tmp_path / "finished").exists()


class Kept(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Any) -> SpanExportResult:
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS


def test_a_span_costs_less_than_50_microseconds() -> None:
    provider = traces.provider("sample", [Kept()])
    tracer = provider.get_tracer("sample")

    def once() -> float:
        begun = time.thread_time()  # our own time: other threads and programs share the cores
        for _ in range(1000):
            with tracer.start_as_current_span("decide", record_exception=False) as span:
                span.set_attribute("overread.case_id", "c-1")
        return (time.thread_time() - begun) / 1000

    best = min(once() for _ in range(10))
    provider.shutdown()

    assert best < 50e-6


def test_a_request_without_a_collector_still_has_one_trace_from_edge_to_event() -> None:
    with traces.request_span("POST", {}):
        begun, header = telemetry.trace_id(), telemetry.traceparent()
        with traces.request_span("POST", {"traceparent": header}):
            assert telemetry.trace_id() == begun

    assert header.split("-")[1] == begun
    assert telemetry.trace_id() == telemetry.traceparent() == ""


@pytest.mark.parametrize(
    "header", ["", "junk", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ÿ" * 99]
)
def test_a_wrong_traceparent_begins_a_new_trace(header: str) -> None:
    with traces.request_span("GET", {"traceparent": header}):
        assert len(telemetry.trace_id()) == 32


def test_the_trace_goes_on_from_what_was_stored() -> None:
    kept = Kept()
    provider = traces.provider("sample", [kept])
    tracer = provider.get_tracer("sample")
    with tracer.start_as_current_span("submit"):
        header = telemetry.traceparent()
    parent = traces._W3C.extract({"traceparent": header})
    with tracer.start_as_current_span("decide", parent, kind=SpanKind.CONSUMER):
        pass
    provider.shutdown()

    submit, decide = kept.spans
    assert decide.parent is not None
    assert submit.context is not None
    assert decide.parent.span_id == submit.context.span_id


def test_progress_counts_up_until_the_next_time() -> None:
    labels = {"topic": "overread.test", "partition": "3"}

    metrics.progressed("overread.test", 3)
    first = REGISTRY.get_sample_value("overread_progress_seconds", labels)
    second = REGISTRY.get_sample_value("overread_progress_seconds", labels)
    metrics.forget("overread.test", 3)
    gone = REGISTRY.get_sample_value("overread_progress_seconds", labels)

    assert first is not None
    assert second is not None
    assert 0 <= first <= second < 60
    assert gone is None


def test_our_metrics_follow_the_naming_rules() -> None:
    ours = [family for family in REGISTRY.collect() if family.name.startswith("overread_")]

    assert len(ours) >= 20
    for family in ours:
        assert family.documentation
        names = {name for sample in family.samples for name in sample.labels}
        assert not {name for name in names if name.endswith("_id") or name in {"case", "reader"}}

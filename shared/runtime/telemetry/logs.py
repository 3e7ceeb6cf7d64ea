"""What does a log line look like? One JSON object: an event name and allowed fields, no sentence.

All lines of the process come through here, the libraries' too: their messages are told by their
template, because the arguments may quote data. Of an exception come out its type and our own
lines of code, never its message.
"""

import logging
import math
import re
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import orjson
import structlog
from opentelemetry import trace

from shared.runtime import clock
from shared.runtime.telemetry.fields import FIELDS, REFUSALS, REFUSED, is_name, word

OWN = ("shared", "services", "cli")
# Libraries whose own words carry no data. Of others only the place is told, unless they pass
# their arguments apart.
PLAIN_SPOKEN = ("uvicorn", "aiokafka", "asyncio", "faststream", "opentelemetry")
_CHATTY = ("aiokafka", "httpx", "httpcore", "faststream")
_DEEPEST = 12  # frames of our own code, the innermost
_QUIET_SECONDS = 5.0  # between two equal lines of a library
_MOST_REMEMBERED = 1000
_reported: set[str] = set()

Line = MutableMapping[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def logger(name: str) -> Any:
    """Give a logger: `log.info("case_accepted", case_id=..., count=3)`."""
    return structlog.get_logger(module=name)


def context(**fields: Any) -> AbstractContextManager[Any]:
    """Add fields to every line within, also of tasks that start within."""
    return structlog.contextvars.bound_contextvars(**fields)


def configure(service: str, level: int = logging.INFO) -> None:
    """Send our lines, the libraries', warnings and last words as JSON lines to standard output."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _with_trace,
            _with_exception,
            _Redaction(service),
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StandardOutput,
    )
    logging.basicConfig(handlers=[_Libraries()], level=level, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _last_words
    threading.excepthook = lambda thread: _last_words(
        thread.exc_type, thread.exc_value, thread.exc_traceback
    )
    sys.unraisablehook = lambda unraisable: _last_words(
        unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback
    )


class _StandardOutput:
    """Writes lines whole. A full disk or a reader that left must not end what the line tells of."""

    def __init__(self, *_: Any) -> None:
        self._out = sys.stdout.buffer

    def msg(self, line: bytes) -> None:
        try:
            self._out.write(line + b"\n")
            self._out.flush()
        except (OSError, ValueError):
            REFUSALS.labels("output").inc()

    debug = info = warning = warn = error = critical = fatal = exception = log = msg


class _Redaction:
    """Let out what is in the allow list; drop the rest, count it, and name it once."""

    def __init__(self, service: str) -> None:
        self.service = service

    def __call__(self, _logger: Any, _method: str, line: Line) -> Line:
        event = line.pop("event", "")
        if not is_name(event):
            REFUSALS.labels("event").inc()
            event = "unnamed"
        out: Line = {
            "timestamp": clock.now().isoformat(timespec="milliseconds"),
            "service": self.service,
            "event": event,
        }
        message = line.pop("message", None)
        if isinstance(message, _Told):
            out["message"] = message
        for name, value in line.items():
            if name in FIELDS:
                out[name] = word(value)
            else:
                _refuse(name)
        return out


def _refuse(name: object) -> None:
    REFUSALS.labels("field").inc()
    shown = str(name) if is_name(name) else REFUSED
    if shown not in _reported:
        _reported.add(shown)
        structlog.get_logger().warning("field_refused", name=shown)


def _with_trace(_logger: Any, _method: str, line: Line) -> Line:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        line["trace_id"] = trace.format_trace_id(span.trace_id)
        line["span_id"] = trace.format_span_id(span.span_id)
    return line


def _with_exception(_logger: Any, _method: str, line: Line) -> Line:
    given = line.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else None
    if isinstance(given, tuple):
        error = given[1]
    elif given and error is None:
        error = sys.exception()
    if error is not None:
        line.update(described(error))
    return line


def described(error: BaseException) -> dict[str, Any]:
    """Tell an exception without its message, which may quote data."""
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < _DEEPEST:
        causes.append(type_name(cause))
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, BaseExceptionGroup):
        causes += [type_name(one) for one in error.exceptions]
    told = {"error": type_name(error), "where": _places(error), "causes": causes}
    sqlstate = getattr(error, "sqlstate", None)
    return told | ({"sqlstate": sqlstate} if sqlstate else {})


def type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _places(error: BaseException) -> list[str]:
    """Give our own lines that it came through, and the line that raised it whoever's it is."""
    places: list[str] = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", "?"))
        place = f"{module}:{line}:{frame.f_code.co_name}"
        if places and not places[-1].startswith(OWN):
            places.pop()
        places.append(place)
    return places[-_DEEPEST:]


class _Told(str):
    """A library's message that was made safe; the one field that may be a sentence."""

    __slots__ = ()


class _Libraries(logging.Handler):
    """Brings the lines of the standard library's logging into ours."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int, int], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        try:
            before = self._repeats(record)
            if before is not None:
                structlog.get_logger(module=record.name).log(
                    record.levelno,
                    "library_log",
                    message=_Told(_told(record)),
                    exc_info=record.exc_info or None,
                    **({"count": before + 1} if before else {}),
                )
        except Exception:  # noqa: BLE001 - a log line must never end what it tells of
            REFUSALS.labels("library").inc()

    def _repeats(self, record: logging.LogRecord) -> int | None:
        """Say how often this was kept back since it was last told; None keeps it back again.

        aiokafka tells of an unknown topic forty times a second.
        """
        key = (record.name, record.lineno, hash(str(record.msg)))
        told, kept = self._said.get(key, (-math.inf, 0))
        now = clock.ticks()
        if now - told < _QUIET_SECONDS:
            self._said[key] = (told, kept + 1)
            return None
        if len(self._said) > _MOST_REMEMBERED:
            self._said.clear()
        self._said[key] = (now, 0)
        return kept


def _told(record: logging.LogRecord) -> str:
    """Give a library's message with its arguments blanked, or the place where it was said."""
    place = f"{record.module}:{record.lineno}"
    text = record.msg if isinstance(record.msg, str) else ""
    if record.args:
        try:
            return str(text.partition("\n")[0] % _blanked(record.args))[:200]
        except (TypeError, ValueError, KeyError):
            return place
    if record.name.startswith(PLAIN_SPOKEN):
        # asyncio goes on with the representation of a callback and its arguments.
        plain = re.match(r"[A-Za-z0-9 .,!-]*", text)
        return plain[0].strip()[:200] if plain else place
    return place


def _blanked(arguments: tuple[object, ...] | Mapping[str, object]) -> Any:
    if isinstance(arguments, Mapping):
        return {name: _blank(value) for name, value in arguments.items()}
    return tuple(_blank(value) for value in arguments)


def _blank(value: object) -> object:
    if isinstance(value, BaseException):
        return type_name(value)
    return value if isinstance(value, bool | int | float) else "…"


def _last_words(
    kind: type[BaseException], error: BaseException | None, found: TracebackType | None
) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().critical("crashed", exc_info=(kind, error, found))


def _json(line: Any, **_: Any) -> bytes:
    return orjson.dumps(line, default=str)

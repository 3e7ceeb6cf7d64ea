"""What happens around every request? A span, a log line, figures, headers, and an end to bugs.

Pure ASGI, because a middleware that buffers would break uploads and event streams.
"""

from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime import clock
from shared.runtime.errors import Problem, is_weather
from shared.runtime.http.problems import answer
from shared.runtime.telemetry import logger, metrics
from shared.runtime.telemetry.traces import request_span

LOG = logger(__name__)
UNWATCHED = frozenset({"/livez", "/readyz", "/metrics"})  # asked every few seconds by machines
CLIENT_LEFT = 499  # as nginx has it: nobody was there to take the answer
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# OWASP REST Security Cheat Sheet. A page of a service sets its own content policy.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(slots=True)
class _Answer:
    """Watches what goes out, and adds the headers that every answer has."""

    send: Send
    status: int = 0
    begun: float = field(default_factory=clock.ticks)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await self.send(message)


class Edge:
    """The outermost layer of ours around the app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNWATCHED:
            await self.app(scope, receive, send)
            return
        out = _Answer(send)
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        with request_span(method, Headers(scope=scope)) as span:
            try:
                await self._answer(scope, receive, out)
            finally:
                route = template(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", out.status)
                _tell(scope, method, route, out)

    async def _answer(self, scope: Scope, receive: Receive, out: _Answer) -> None:
        try:
            await self.app(scope, receive, out)
        except ClientDisconnect:
            out.status = out.status or CLIENT_LEFT
        except Exception as error:  # a bug must neither show itself nor end the server
            if out.status:  # half an answer went out: break the connection, so that it shows
                raise
            await answer(_fault(error))(scope, receive, out)


def template(scope: Scope) -> str:
    """Give the route's template: an address itself may hold anything."""
    route = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    return f"{scope.get('root_path', '')}{path}" if path else "unmatched"


def _fault(error: Exception) -> Problem:
    if is_weather(error):
        LOG.warning("request_met_weather", exc_info=error)
        detail = "Something we depend on is away."
        return Problem(503, "unavailable", detail, headers={"Retry-After": "5"})
    LOG.error("request_met_bug", exc_info=error)
    return Problem(500, "bug", "Our fault; nothing of this request was kept.")


def _tell(scope: Scope, method: str, route: str, out: _Answer) -> None:
    took = clock.ticks() - out.begun
    metrics.HTTP_REQUESTS.labels(method, route, str(out.status)).inc()
    metrics.HTTP_SECONDS.labels(method, route).observe(took)
    LOG.info(
        "http_request",
        method=method,
        route=route,
        status=out.status,
        seconds=round(took, 4),
        partner=scope.get("overread.partner"),
    )

"""How is something handed to somebody's own system? As Standard Webhooks describes it.

A result's body holds the patient's name: that is what it is for. It goes only to the address that
was set, over verified TLS, signed; redirects are not followed, the answer's body is never read,
and plain http is for addresses that the settings allow, such as one's own machine.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path

import httpx
from standardwebhooks.webhooks import Webhook

from shared.runtime import clock
from shared.runtime.webhooks.attempt import Ended, failed, impossible
from shared.runtime.webhooks.network import (
    Address,
    AddressRefusedError,
    NameUnknownError,
    Network,
    checked,
    is_allowed,
)

ALL_SECONDS = 20.0  # Standard Webhooks: "a timeout of 15-30 s"
STEP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery. `id` is the same in every attempt; it is how receivers know repeats."""

    id: str
    body: bytes
    sent_at: datetime
    traceparent: str = ""
    media_type: str = "application/fhir+json"

    def headers(self, secrets: Sequence[str]) -> Mapping[str, str]:
        text = self.body.decode()
        signatures = (Webhook(one).sign(self.id, self.sent_at, text) for one in secrets)
        headers = {
            "user-agent": "overread",
            "content-type": self.media_type,
            "webhook-id": self.id,
            "webhook-timestamp": str(int(self.sent_at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        return headers | ({"traceparent": self.traceparent} if self.traceparent else {})


def client(trust: Path | None = None) -> httpx.AsyncClient:
    """Give a client that keeps no connection: it was verified for one name only."""
    context = ssl.create_default_context()
    if trust is not None:
        context.load_verify_locations(trust)
    return httpx.AsyncClient(
        verify=context,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(STEP_SECONDS),
        limits=httpx.Limits(max_keepalive_connections=0),
    )


async def post(
    http: httpx.AsyncClient,
    url: str,
    secrets: Sequence[str],
    message: Message,
    allowed: Sequence[Network] = (),
) -> Ended:
    """Hand it over once; however that ends, it ends with a code."""
    target = httpx.URL(url)
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        async with asyncio.timeout(ALL_SECONDS):
            addresses = await checked(target.host, port, allowed)
            if target.scheme != "https" and not all(is_allowed(one, allowed) for one in addresses):
                return failed("plain-http-refused")
            headers = message.headers(secrets)
            return await _first_that_answers(http, target, addresses, headers, message.body)
    except (AddressRefusedError, NameUnknownError, TimeoutError, httpx.HTTPError) as error:
        return failed(_cause(error))


def _cause(error: Exception) -> str:
    """Name what went wrong, never in the error's own words."""
    match error:
        case AddressRefusedError():
            return "address-refused"
        case NameUnknownError():
            return "name-unknown"
        case TimeoutError() | httpx.TimeoutException():
            return "timeout"
        case httpx.ConnectError():
            return "tls-refused" if _is_tls(error) else "no-connection"
        case _:
            return "connection-broken"


async def _first_that_answers(
    http: httpx.AsyncClient,
    target: httpx.URL,
    addresses: Sequence[Address],
    headers: Mapping[str, str],
    body: bytes,
) -> Ended:
    *others, last = addresses
    for address in others:
        try:
            return await _send(http, target, address, headers, body)
        except httpx.ConnectError:
            continue
    return await _send(http, target, last, headers, body)


async def _send(
    http: httpx.AsyncClient,
    target: httpx.URL,
    address: Address,
    headers: Mapping[str, str],
    body: bytes,
) -> Ended:
    """Send to the very address that was checked; TLS still verifies the name."""
    host = target.netloc.decode("ascii")
    async with http.stream(
        "POST",
        target.copy_with(host=str(address)),
        content=body,
        headers={"host": host, **headers},
        extensions={"sni_hostname": target.host},
    ) as response:
        return _ended(response.status_code, response.headers.get("retry-after"))


def _ended(status: int, wish: str | None) -> Ended:
    cause = f"http-{status}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Ended("delivered", cause)
    if status == HTTPStatus.GONE:  # "the endpoint is disabled" (Standard Webhooks)
        return impossible("gone")
    if status < HTTPStatus.BAD_REQUEST:
        return failed("redirected")
    return failed(cause, _pause(wish))


def _pause(wish: str | None) -> timedelta | None:
    """Read Retry-After: seconds or a date (RFC 9110, 10.2.3); what is neither is no wish."""
    if wish is None:
        return None
    if wish.isascii() and wish.isdigit():
        return timedelta(seconds=min(int(wish[:9]), 10**6))
    try:
        until = parsedate_to_datetime(wish)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(aware - clock.now(), timedelta(0))


def _is_tls(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None

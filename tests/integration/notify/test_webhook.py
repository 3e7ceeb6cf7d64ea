"""Does a webhook arrive signed, and does it go nowhere else, whatever the other end does?"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from cli.receiver import WebhookReceiver, listening
from shared.runtime import clock
from shared.runtime.webhooks import network, sending
from shared.runtime.webhooks.attempt import Ended
from shared.runtime.webhooks.network import AddressRefusedError, checked
from shared.runtime.webhooks.secrets import OVERLAP, Safe, Secret, rotated, signing
from shared.runtime.webhooks.sending import Message, client, post

HERE = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
OLD, NEW = "whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 8
BODY = b'{"resourceType":"Bundle","identifier":{"value":"case-1"}}'


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with client() as opened:
        yield opened


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with listening(WebhookReceiver([NEW])) as one:
        yield one


def message(body: bytes = BODY) -> Message:
    return Message("msg_1", body, clock.now(), "00-" + "1" * 32 + "-" + "2" * 16 + "-01")


async def test_it_arrives_signed_with_its_trace(
    http: httpx.AsyncClient, receiver: WebhookReceiver
) -> None:
    ended = await post(http, receiver.url, [NEW], message(), HERE)

    assert ended == Ended("delivered", "http-204")
    assert receiver.arrived["msg_1"].bundle["identifier"]["value"] == "case-1"
    assert receiver.arrived["msg_1"].traceparent.startswith("00-1111")


async def test_during_a_rotation_old_and_new_secret_both_verify(http: httpx.AsyncClient) -> None:
    for held in (OLD, NEW):
        async with listening(WebhookReceiver([held])) as receiver:
            assert (await post(http, receiver.url, [NEW, OLD], message(), HERE)).cause == "http-204"
            [(_, signatures)] = receiver.calls
            assert signatures.count("v1,") == 2


async def test_a_receiver_that_does_not_know_the_secret_refuses(
    http: httpx.AsyncClient, receiver: WebhookReceiver
) -> None:
    ended = await post(http, receiver.url, [OLD], message(), HERE)

    assert ended == Ended("failed", "http-401")


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (Response(status_code=410), Ended("impossible", "gone")),
        (Response(status_code=500), Ended("failed", "http-500")),
        (RedirectResponse("http://127.0.0.1:1/elsewhere"), Ended("failed", "redirected")),
        (
            Response(status_code=503, headers={"Retry-After": "120"}),
            Ended("failed", "http-503", timedelta(minutes=2)),
        ),
        (
            Response(status_code=429, headers={"Retry-After": "soon"}),
            Ended("failed", "http-429"),
        ),
        (
            Response(status_code=429, headers={"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}),
            Ended("failed", "http-429", timedelta(0)),
        ),
    ],
)
async def test_each_answer_has_its_end(
    http: httpx.AsyncClient, receiver: WebhookReceiver, answer: Response, ended: Ended
) -> None:
    receiver.answer = lambda _request, _body: answer

    assert await post(http, receiver.url, [NEW], message(), HERE) == ended
    assert len(receiver.calls) == 1


async def test_an_endless_answer_is_not_read(
    http: httpx.AsyncClient, receiver: WebhookReceiver
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 20
            yield b"x" * (1 << 20)
            await asyncio.sleep(0)  # so that the server notices that nobody listens any more

    receiver.answer = lambda _request, _body: StreamingResponse(endless())

    ended = await post(http, receiver.url, [NEW], message(), HERE)

    assert ended.outcome == "delivered"
    assert sent < 64 << 20


async def test_a_receiver_that_never_answers_is_given_up(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ALL_SECONDS", 0.3)
    hung_up = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    ended = await post(http, f"http://127.0.0.1:{port}/", [NEW], message(), HERE)

    assert ended == Ended("failed", "timeout")
    await asyncio.wait_for(hung_up.wait(), 60)
    server.close()


async def test_nobody_listening_and_nonsense_answers_are_codes(http: httpx.AsyncClient) -> None:
    async def nonsense(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff hello\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    broken = await post(http, f"http://127.0.0.1:{port}/", [NEW], message(), HERE)
    server.close()
    await server.wait_closed()
    refused = await post(http, f"http://127.0.0.1:{port}/", [NEW], message(), HERE)

    assert broken == Ended("failed", "connection-broken")
    assert refused == Ended("failed", "no-connection")


async def test_an_address_of_ones_own_network_is_refused_unless_the_settings_allow_it(
    http: httpx.AsyncClient, receiver: WebhookReceiver
) -> None:
    https = receiver.url.replace("http://", "https://")

    for url in (receiver.url, https, receiver.url.replace("localhost", "127.0.0.1")):
        assert (await post(http, url, [NEW], message())).cause == "address-refused"
    assert (await post(http, "https://no-such.invalid/", [NEW], message())).cause == "name-unknown"
    assert receiver.calls == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",  # noqa: S104 - an example
        "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fd00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)  # fmt: skip
async def test_no_notation_of_a_private_address_passes(address: str) -> None:
    with pytest.raises(AddressRefusedError):
        await checked(address, 443, ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
async def test_public_addresses_pass(address: str) -> None:
    assert await checked(address, 443, ()) == (ip_address(address),)


async def test_a_name_with_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def both(_host: str, _port: int) -> tuple[IPv4Address | IPv6Address, ...]:
        return ip_address("8.8.8.8"), ip_address("10.0.0.1")

    monkeypatch.setattr(network, "_resolved", both)

    with pytest.raises(AddressRefusedError):
        await checked("two-faced.example", 443, ())


async def test_plain_http_to_a_public_address_is_refused(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def public(_host: str, _port: int) -> tuple[IPv4Address | IPv6Address, ...]:
        return (ip_address("8.8.8.8"),)

    monkeypatch.setattr(network, "_resolved", public)

    ended = await post(http, "http://hospital.example/", [NEW], message(), HERE)

    assert ended == Ended("failed", "plain-http-refused")


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate of its own authority for one name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / f"{name}.pem", folder / f"{name}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, private


async def test_tls_is_verified_against_the_name_although_the_address_is_dialled(
    tmp_path: Path,
) -> None:
    for name, expected in (("localhost", "http-204"), ("somebody-else", "tls-refused")):
        pem, key = certificate(tmp_path, name)
        tls: dict[str, Any] = {"ssl_certfile": str(pem), "ssl_keyfile": str(key)}
        async with (
            listening(WebhookReceiver([NEW]), **tls) as receiver,
            client(trust=pem) as trusting,
            client() as doubting,
        ):
            assert (await post(trusting, receiver.url, [NEW], message(), HERE)).cause == expected
            assert (await post(doubting, receiver.url, [NEW], message(), HERE)).cause == (
                "tls-refused"
            )
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED


def test_secrets_are_bound_to_their_partner_and_their_key() -> None:
    safe = Safe(b"k" * 32)
    kept = (Secret(secret=NEW),)

    closed = safe.close("st-brigid", kept)

    assert NEW.encode() not in closed
    assert safe.open("st-brigid", closed) == kept
    assert safe.close("st-brigid", kept) != closed
    for other in ((safe, "st-elsewhere"), (Safe(b"o" * 32), "st-brigid")):
        with pytest.raises(Exception, match=r"^$"):
            other[0].open(other[1], closed)


def test_after_a_rotation_the_old_secret_signs_for_a_day() -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    first = rotated((), now)
    second = rotated(first, now)

    assert signing(second, now) == (second[0].secret, first[0].secret)
    assert signing(second, now + OVERLAP) == (second[0].secret,)
    assert len({first[0].secret, second[0].secret}) == 2
    assert len(rotated(second, now)) == 2


async def test_a_starlette_request_is_what_answers_see(
    http: httpx.AsyncClient, receiver: WebhookReceiver
) -> None:
    seen: list[tuple[str, str]] = []

    def answer(request: Request, body: bytes) -> Response:
        seen.append((request.headers["host"], request.headers["content-type"]))
        assert body == BODY
        return Response(status_code=202)

    receiver.answer = answer

    ended = await post(http, receiver.url, [NEW], message(), HERE)

    assert ended == Ended("delivered", "http-202")
    [(host, media_type)] = seen
    assert host == httpx.URL(receiver.url).netloc.decode()
    assert media_type == "application/fhir+json"

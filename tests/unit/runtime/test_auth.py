"""Is a token believed only when the issuer signed it, for us, for now, with a key we know?"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from shared.runtime import clock
from shared.runtime.auth import Issuer, Principal
from shared.runtime.errors import Problem

URL = "https://issuer.example"
KEY = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
NEXT = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})


@dataclass
class Site:
    """An issuer's web site, with what it shows and how often it was asked."""

    keys: list[Any] = field(default_factory=lambda: [KEY, RSA, ED])
    name: str = URL
    extra: list[Any] = field(default_factory=list)
    away: bool = False
    asked: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json={"issuer": self.name, "jwks_uri": f"{URL}/jwks"})
        self.asked += 1
        public = KeySet(self.keys).as_dict(private=False)["keys"]
        return httpx.Response(200, json={"keys": [*public, *self.extra]})

    @property
    def issuer(self) -> Issuer:
        return Issuer(URL, transport=httpx.MockTransport(self))


def token(
    key: Any = KEY, alg: str = "ES256", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    now = int(clock.now().timestamp())
    claimed = {
        "iss": URL,
        "aud": "overread",
        "sub": "partner-a-client",
        "tenant": "partner-a",
        "scope": "partner",
        "exp": now + 300,
        **claims,
    }
    held = {name: value for name, value in claimed.items() if value is not ...}
    return jwt.encode({"alg": alg, "kid": key.kid, **(header or {})}, held, key, algorithms=[alg])


async def believed(issuer: Issuer, sent: str) -> None:
    assert (await issuer.principal(sent)).subject == "partner-a-client"


async def refused(issuer: Issuer, sent: str) -> Problem:
    with pytest.raises(Problem) as problem:
        await issuer.principal(sent)
    assert problem.value.status_code == 401
    challenge = (problem.value.headers or {})["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="overread", error="invalid_token"')
    return problem.value


@pytest.mark.parametrize(
    ("key", "alg"),
    [(KEY, "ES256"), (RSA, "RS256"), (RSA, "PS256"), (ED, "Ed25519")],
    ids=["EC", "RSA", "PSS", "Ed"],
)
async def test_a_good_token_names_the_principal(key: Any, alg: str) -> None:
    principal = await Site().issuer.principal(token(key, alg, scope="partner other"))

    assert principal == Principal("partner-a-client", "partner-a", frozenset({"partner", "other"}))
    assert principal.partner == "partner-a"


async def test_an_operator_has_no_tenant() -> None:
    principal = await Site().issuer.principal(token(tenant=..., scope="operator"))

    assert principal.tenant is None
    with pytest.raises(Problem) as problem:
        _ = principal.partner
    assert problem.value.status_code == 403


CLAIMS: list[dict[str, Any]] = [
    {"iss": "https://other.example"},
    {"iss": URL + "/"},
    {"iss": ...},
    {"aud": "another"},
    {"aud": ["another", "third"]},
    {"aud": ...},
    {"aud": {"overread": 1}},
    {"sub": ...},
    {"sub": ""},
    {"sub": "  "},
    {"sub": 7},
    {"sub": "a\nb"},
    {"sub": "x" * 256},
    {"exp": ...},
    {"exp": 0},
    {"exp": "never"},
    {"nbf": 99_999_999_999},
    {"scope": ["partner"]},
    {"tenant": ...},
    {"tenant": None},
    {"tenant": ""},
    {"tenant": "Partner A"},
    {"tenant": ["partner-a"]},
]


@pytest.mark.parametrize("claims", CLAIMS, ids=str)
async def test_a_wrong_claim_is_refused(claims: dict[str, Any]) -> None:
    problem = await refused(Site().issuer, token(**claims))

    assert "another" not in str(problem.detail)


async def test_one_of_several_audiences_is_enough() -> None:
    await believed(Site().issuer, token(aud=["other", "overread"]))


async def test_clocks_may_differ_by_half_a_minute_and_no_more() -> None:
    issuer, now = Site().issuer, clock.now()
    sent = token(exp=int(now.timestamp()), nbf=int(now.timestamp()))

    def at(late: int) -> clock.Clock:
        return lambda: now + timedelta(seconds=late)

    for late in (-29, 29):
        with clock.running_on(at(late)):
            await believed(issuer, sent)
    for late in (-32, 32):
        with clock.running_on(at(late)):
            await refused(issuer, sent)


def _segment(content: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


def _with_header(header: object) -> str:
    return ".".join([_segment(header), *token().split(".")[1:]])


def _unsigned() -> str:
    return f"{_segment({'alg': 'none', 'kid': 'one'})}.{token().split('.')[1]}."


def _public_key_as_secret() -> str:
    secret = OctKey.import_key(orjson.dumps(KEY.as_dict(private=False)), {"kid": "one"})
    return token(secret, "HS256")


def _own_key_inside() -> str:
    stranger = ECKey.generate_key("P-256")
    return token(stranger, header={"kid": "one", "jwk": stranger.as_dict(private=False)})


def _other_claims() -> str:
    head, _, signature = token().split(".")
    return ".".join([head, token(tenant="partner-b").split(".")[1], signature])


FORGED: list[Callable[[], str]] = [
    _unsigned,
    _public_key_as_secret,
    _own_key_inside,
    _other_claims,
    lambda: token(ECKey.generate_key("P-256", {"kid": "one"})),
    lambda: token(ECKey.generate_key("P-256", {"kid": "unknown"})),
    lambda: _with_header({"alg": "ES256", "kid": None}),
    lambda: _with_header({"alg": "ES256", "kid": ["one"]}),
    lambda: _with_header({"alg": ["ES256"], "kid": "one"}),
    lambda: _with_header(["alg", "kid"]),
    lambda: _with_header("alg"),
    lambda: _with_header({"alg": "ES256", "kid": "x" * 600}),
    lambda: token(header={"kid": "rsa"}),
    lambda: token(header={"crit": ["b64"], "b64": False}),
    lambda: token()[:-5],
    lambda: "",
    lambda: "a.b.c",
    lambda: "é.é.é",
    lambda: "x" * 1_000_000,
]


@pytest.mark.parametrize("forge", FORGED, ids=range(len(FORGED)))
async def test_a_forged_token_is_refused(forge: Callable[[], str]) -> None:
    await refused(Site().issuer, forge())


async def test_keys_are_fetched_once_and_again_for_an_unknown_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site()
    issuer = site.issuer
    for _ in range(5):
        await issuer.principal(token())
    assert site.asked == 1

    site.keys = [NEXT, KEY]
    await refused(issuer, token(NEXT))  # asked a moment ago: not again for anybody's made-up key
    assert site.asked == 1

    later = clock.ticks() + 31
    monkeypatch.setattr(clock, "ticks", lambda: later)
    await believed(issuer, token(NEXT))
    await believed(issuer, token(KEY))
    assert site.asked == 2


async def test_a_withdrawn_key_is_dropped_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    issuer = site.issuer
    await issuer.principal(token())
    site.keys = [NEXT]

    later = clock.ticks() + 601
    monkeypatch.setattr(clock, "ticks", lambda: later)

    await refused(issuer, token())


async def test_an_outage_of_the_issuer_stops_nobody_whose_key_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site()
    issuer = site.issuer
    await issuer.principal(token())
    site.away = True

    later = clock.ticks() + 10_000
    monkeypatch.setattr(clock, "ticks", lambda: later)

    await believed(issuer, token())


async def test_before_the_first_keys_the_caller_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site(away=True)
    issuer = site.issuer

    with pytest.raises(Problem) as problem:
        await issuer.principal(token())
    assert problem.value.status_code == 503
    assert (problem.value.headers or {})["Retry-After"]

    site.away = False
    later = clock.ticks() + 1.1
    monkeypatch.setattr(clock, "ticks", lambda: later)
    await believed(issuer, token())


@pytest.mark.parametrize(
    "site",
    [
        Site(name="https://evil.example"),
        Site(keys=[], extra=["junk", {"kty": "EC"}, {"kty": "oct", "k": "c2VjcmV0", "kid": "one"}]),
        Site(keys=[], extra=[{"kty": "EC", "kid": "one", "crv": "P-256", "x": "!", "y": "!"}]),
    ],
    ids=["another issuer", "no key to verify with", "a broken key"],
)
async def test_a_site_that_shows_no_key_of_the_issuer_is_as_good_as_away(site: Site) -> None:
    with pytest.raises(Problem) as problem:
        await site.issuer.principal(token())

    assert problem.value.status_code == 503


async def test_a_key_of_a_kind_we_do_not_know_spoils_none() -> None:
    site = Site(extra=[{"kty": "AKP", "kid": "new"}, {"kty": "EC", "kid": "enc", "use": "enc"}])

    await believed(site.issuer, token())


async def test_an_issuer_that_ends_in_a_slash_is_the_same() -> None:
    site = Site(name=URL + "/")

    await believed(site.issuer, token(iss=URL + "/"))

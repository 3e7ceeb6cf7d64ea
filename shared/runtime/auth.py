"""Who is asking, and what may they do? OAuth2 bearer tokens, verified with the issuer's keys.

JWT access tokens (RFC 7519, RFC 8725: algorithms from a list of ours, issuer and audience always
checked). The tenant comes from the token and from nowhere else.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import orjson
from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import Key, import_key
from pydantic import TypeAdapter, ValidationError

from shared.contracts.base import PartnerId
from shared.runtime import clock
from shared.runtime.errors import Problem
from shared.runtime.telemetry import logger

AUDIENCE = "overread"
# Asymmetric only: with a symmetric one the issuer's public key could be taken for a shared secret.
ALGORITHMS = ["ES256", "ES384", "RS256", "PS256", "Ed25519"]
LEEWAY_SECONDS = 30  # between the issuer's clock and ours
REFRESH_SECONDS = 30.0  # an unknown key id asks the issuer at most this often
RETRY_SECONDS = 1.0  # until the first keys are there
KEYS_LAST_SECONDS = 600.0  # then they are fetched anew, so that a withdrawn key goes
_TIMEOUT_SECONDS = 5.0
_LARGEST_ANSWER = 1 << 20  # bytes
_LONGEST_SUBJECT = 255  # RFC 9068 leaves it open; OpenID Connect Core, 2: 255 ASCII characters

LOG = logger(__name__)
_BEARER = HTTPBearer(auto_error=False, bearerFormat="JWT", description="OAuth2 access token")
_PARTNER: TypeAdapter[str] = TypeAdapter(PartnerId)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a verified token speaks for. `tenant` is the partner's id, absent for operators."""

    subject: str
    tenant: str | None
    scopes: frozenset[str]

    @property
    def partner(self) -> str:
        """The tenant, for an edge that partners use."""
        if self.tenant is None:
            raise _forbidden("the token names no tenant", "partner")
        return self.tenant


class Issuer:
    """The one whose tokens are believed, and a cache of its keys that outlives its outages."""

    def __init__(
        self,
        url: str,
        audience: str = AUDIENCE,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.audience = audience
        self._transport = transport
        self._name = self.url
        self._keys: dict[str, Key] = {}
        self._asked = self._fetched = -math.inf
        self._lock = asyncio.Lock()

    async def principal(self, token: str) -> Principal:
        """Verify a token; raises Problem 401, or 503 while no key of the issuer is known."""
        key = await self._key(token)
        try:
            claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
            self._registry().validate(claims)
        except ExpiredTokenError:
            raise unauthorised("the token has expired") from None
        except (JoseError, ValueError, TypeError, OverflowError):
            raise unauthorised("the token is not valid here") from None
        return _principal(claims)

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(clock.now().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._name},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def _key(self, token: str) -> Key:
        kid = _key_id(token)
        old = clock.ticks() - self._fetched > KEYS_LAST_SECONDS
        if kid not in self._keys or (old and not self._lock.locked()):
            await self._refresh()
        if not self._keys:
            raise Problem(
                503,
                "unavailable",
                "The token issuer's keys can't be fetched now.",
                headers={"Retry-After": "5"},
            )
        if kid not in self._keys:
            raise unauthorised("the token is signed with an unknown key")
        return self._keys[kid]

    async def _refresh(self) -> None:
        """Fetch the keys, unless that was tried a moment ago; keep the old ones if it fails."""
        async with self._lock:
            patience = REFRESH_SECONDS if self._keys else RETRY_SECONDS
            if clock.ticks() - self._asked < patience:
                return
            self._asked = clock.ticks()
            try:
                self._name, self._keys = await self._fetch()
                self._fetched = clock.ticks()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
                LOG.warning("issuer_keys_not_fetched", cause=type(error).__name__)

    async def _fetch(self) -> tuple[str, dict[str, Key]]:
        """Give the issuer's name and keys (OpenID Connect Discovery 1.0, section 4)."""
        async with httpx.AsyncClient(
            transport=self._transport, timeout=_TIMEOUT_SECONDS, trust_env=False
        ) as client:
            metadata = await _json(client, f"{self.url}/.well-known/openid-configuration")
            name = str(metadata["issuer"])
            if name.rstrip("/") != self.url:  # section 4.3: it must be the one we asked
                raise ValueError("the metadata is another issuer's")
            jwks = await _json(client, str(metadata["jwks_uri"]))
        keys = dict(_usable(one) for one in jwks["keys"] if _is_usable(one))
        if not keys:
            raise ValueError("no usable key")
        return name, keys


def require(*scopes: str) -> Callable[..., Awaitable[Principal]]:
    """Make a dependency that demands a token with one of the scopes, and gives the principal."""

    async def authorised(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> Principal:
        if bearer is None:
            raise unauthorised()
        issuer: Issuer = request.app.state.issuer
        principal = await issuer.principal(bearer.credentials)
        request.scope["overread.partner"] = principal.tenant
        if principal.scopes.isdisjoint(scopes):
            raise _forbidden(f"this needs a token with the scope {' or '.join(scopes)}", *scopes)
        return principal

    return authorised


def unauthorised(why: str | None = None) -> Problem:
    """Ask for a token (RFC 6750, section 3): with no error code where none was sent."""
    challenge = 'Bearer realm="overread"'
    if why is not None:
        challenge += f', error="invalid_token", error_description="{why}"'
    return Problem(
        401,
        "invalid-token",
        f"A bearer token is needed: {why or 'none was sent'}.",
        headers={"WWW-Authenticate": challenge},
    )


def _forbidden(why: str, *scopes: str) -> Problem:
    challenge = f'Bearer realm="overread", error="insufficient_scope", scope="{" ".join(scopes)}"'
    return Problem(
        403,
        "insufficient-scope",
        f"{why[:1].upper()}{why[1:]}.",
        headers={"WWW-Authenticate": challenge},
    )


def _principal(claims: dict[str, Any]) -> Principal:
    subject, tenant, scope = claims["sub"], claims.get("tenant"), claims.get("scope", "")
    if not isinstance(scope, str):
        raise unauthorised("the claim scope must be a text")
    if not (subject.isprintable() and subject.strip() and len(subject) <= _LONGEST_SUBJECT):
        raise unauthorised("the claim sub must name someone")
    scopes = frozenset(scope.split())
    if tenant is None and "partner" in scopes:
        raise unauthorised("a partner's token must have the claim tenant")
    try:
        return Principal(
            subject, None if tenant is None else _PARTNER.validate_python(tenant), scopes
        )
    except ValidationError:
        raise unauthorised("the claim tenant must be a partner's id") from None


def _key_id(token: str) -> str:
    """Read which key a token says it is signed with; nothing else in it is believed yet."""
    try:
        kid = jws.extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError, TypeError, AttributeError):  # a header that is no object
        raise unauthorised("the token is no JWT") from None
    if not isinstance(kid, str):
        raise unauthorised("the token does not name its key (kid)")
    return kid


async def _json(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    async with client.stream("GET", url) as answer:
        answer.raise_for_status()
        content = b""
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > _LARGEST_ANSWER:
                raise ValueError("the issuer's answer is too large")
    found = orjson.loads(content)
    if not isinstance(found, dict):
        raise TypeError("the issuer's answer is no object")
    return found


def _is_usable(jwk: Any) -> bool:
    """Tell whether it is a public key to verify with; other kinds may stand in the set too."""
    return (
        isinstance(jwk, dict)
        and isinstance(jwk.get("kid"), str)
        and jwk.get("kty") in {"EC", "RSA", "OKP"}
        and jwk.get("use", "sig") == "sig"
    )


def _usable(jwk: dict[str, Any]) -> tuple[str, Key]:
    return jwk["kid"], import_key(jwk)

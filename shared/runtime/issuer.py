"""Who is asking? An OAuth2 issuer for one machine, for those who have none of their own.

Client credentials only (RFC 6749, 4.4), JWT access tokens (RFC 9068) signed with ES256, keys as a
JWK set (RFC 7517), metadata where OpenID Connect Discovery puts it. A site with an identity
provider of its own names that one in OVERREAD_ISSUER, and this program is not started.
"""

import asyncio
import base64
import hmac
import json
import secrets
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Form, Header, Request
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import Field, TypeAdapter
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.runtime import clock
from shared.runtime.http import serve
from shared.runtime.local.clients import RegisteredClient, digest, registered_clients
from shared.runtime.local.files import write_private

AUDIENCE = "overread"
ALGORITHM = "ES256"
TOKEN_SECONDS = 600
KEPT_KEYS = 2  # the newest signs; tokens signed by the one before it are still valid
NO_STORE = {"Cache-Control": "no-store"}  # RFC 6749, 5.1

Jwk = dict[str, Any]
_CLIENTS = TypeAdapter(list[RegisteredClient])


class IssuerSettings(BaseSettings):
    """`url` is the `iss` of every token: the address under which services reach the issuer."""

    model_config = SettingsConfigDict(env_prefix="ISSUER_", frozen=True)

    url: str
    folder: Path
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)


class TokenError(Exception):
    """An error response of RFC 6749, 5.2; the description says what to mend."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


def create_issuer(settings: IssuerSettings) -> FastAPI:
    app = FastAPI(title="Overread's local OAuth2 issuer", version="1", docs_url=None)
    _make_first_key(settings.folder)

    @app.get("/.well-known/openid-configuration")
    def metadata() -> dict[str, Any]:
        return _metadata(settings.url)

    @app.get("/jwks")
    def jwks() -> dict[str, list[Jwk]]:
        return {"keys": [_public(one) for one in _signing_keys(settings.folder)]}

    @app.post("/token")
    def token(
        authorization: Annotated[str | None, Header()] = None,
        grant_type: Annotated[str | None, Form()] = None,
        scope: Annotated[str | None, Form()] = None,
        client_id: Annotated[str | None, Form()] = None,
        client_secret: Annotated[str | None, Form()] = None,
    ) -> JSONResponse:
        if grant_type is None:
            raise TokenError("invalid_request", "grant_type is missing: client_credentials")
        if grant_type != "client_credentials":
            raise TokenError("unsupported_grant_type", "only client_credentials is served here")
        held = _credentials(authorization, client_id, client_secret)
        client = _authenticate(settings.folder, *held)
        return JSONResponse(_grant(settings, client, scope), headers=NO_STORE)

    @app.get("/livez")
    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ok"}

    app.add_exception_handler(TokenError, _refuse)
    return app


def rotate(folder: Path) -> str:
    """Sign with a new key from now on, also in a running issuer; gives its kid.

    The key before stays in the JWK set until the next rotation. Rotate at most once in the
    lifetime of a token, or tokens of the one before that are refused before they expire.
    """
    key = ECKey.generate_key("P-256")
    kid = key.thumbprint()
    newest = key.as_dict(private=True, use="sig", alg=ALGORITHM, kid=kid)
    ring = [newest, *_signing_keys(folder)][:KEPT_KEYS]
    write_private(_ring(folder), json.dumps(ring))
    return kid


def _make_first_key(folder: Path) -> None:
    if not _ring(folder).exists():
        rotate(folder)


def _ring(folder: Path) -> Path:
    return folder / "signing-keys.json"


def _signing_keys(folder: Path) -> list[Jwk]:
    """Read each time, so that a rotation needs no restart; the file is two keys long."""
    if not _ring(folder).exists():
        return []
    ring: list[Jwk] = json.loads(_ring(folder).read_text(encoding="utf-8"))
    return ring


def _public(private: Jwk) -> Jwk:
    return ECKey.import_key(private).as_dict(private=False)


def _metadata(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/jwks",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": ["partner", "reader", "operator"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }


def _credentials(
    authorization: str | None, client_id: str | None, client_secret: str | None
) -> tuple[str, str]:
    """By HTTP Basic or in the form, never both (RFC 6749, 2.3)."""
    if authorization is None:
        if client_id is None or client_secret is None:
            raise TokenError("invalid_client", "no client_id and client_secret were sent", 401)
        return client_id, client_secret
    if client_secret is not None:
        raise TokenError(
            "invalid_request", "send the secret by HTTP Basic or in the form, not both"
        )
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # no base64, no ASCII or no UTF-8
        name = colon = secret = ""
    if scheme.lower() != "basic" or not colon:
        raise TokenError("invalid_client", "the Authorization header is no HTTP Basic", 401)
    return name, secret


def _authenticate(folder: Path, client_id: str, secret: str) -> RegisteredClient:
    """The same answer and the same work for an unknown client as for a wrong secret."""
    clients = _CLIENTS.validate_json(registered_clients(folder).read_bytes())
    client = next((one for one in clients if one.id == client_id), None)
    expected = client.secret_sha256 if client else digest("")
    if hmac.compare_digest(expected, digest(secret)) and client is not None:
        return client
    raise TokenError("invalid_client", "unknown client or wrong secret", 401)


def _grant(settings: IssuerSettings, client: RegisteredClient, scope: str | None) -> dict[str, Any]:
    wanted = scope.split() if scope and scope.strip() else list(client.scopes)
    beyond = sorted(set(wanted) - set(client.scopes))
    if beyond:
        raise TokenError("invalid_scope", f"this client may not ask for {' '.join(beyond)}")
    issued = int(clock.now().timestamp())
    claims = {
        "iss": settings.url,
        "sub": client.id,
        "client_id": client.id,
        "aud": AUDIENCE,
        "iat": issued,
        "nbf": issued,
        "exp": issued + TOKEN_SECONDS,
        "jti": secrets.token_urlsafe(16),
        "scope": " ".join(wanted),
    }
    # A tenant is what partners are; an operator or a reader has none.
    if client.tenant is not None and "partner" in wanted:
        claims["tenant"] = client.tenant
    key = ECKey.import_key(_signing_keys(settings.folder)[0])
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}
    return {
        "access_token": jwt.encode(header, claims, key, algorithms=[ALGORITHM]),
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": " ".join(wanted),
    }


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, TokenError):
        raise error
    headers = dict(NO_STORE)
    if error.status == 401:  # noqa: PLR2004 - RFC 9110's number
        headers["WWW-Authenticate"] = 'Basic realm="overread"'
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, error.status, headers)


def main() -> None:
    settings = IssuerSettings()
    asyncio.run(serve(create_issuer(settings), settings.host, settings.port))


if __name__ == "__main__":
    main()

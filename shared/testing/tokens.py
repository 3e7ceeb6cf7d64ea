"""Whose tokens does a service under test believe? An issuer of the test's own, with real keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.runtime import clock

TOKEN_SECONDS = 600


@dataclass(frozen=True)
class Issuing:
    """An issuer at `url`; it signs whatever a test asks for."""

    url: str
    key: ECKey

    def token(self, subject: str, *scopes: str, tenant: str | None = None, **claims: Any) -> str:
        """Give a token; `claims` replace what it would say by itself."""
        now = int(clock.now().timestamp())
        said = {
            "iss": self.url,
            "aud": "overread",
            "sub": subject,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            **({"tenant": tenant} if tenant else {}),
            **claims,
        }
        header = {"alg": "ES256", "kid": self.key.kid}
        return jwt.encode(header, said, self.key, algorithms=["ES256"])

    def headers(self, subject: str, *scopes: str, tenant: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(subject, *scopes, tenant=tenant)}"}


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuing]:
    """Serve the issuer's metadata and keys on a free port until the block ends."""
    key = ECKey.generate_key("P-256", parameters={"use": "sig"}, auto_kid=True)
    app = FastAPI()
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    issuer = Issuing(f"http://127.0.0.1:{port}", key)
    _serve(app, issuer)
    try:
        yield issuer
    finally:
        server.should_exit = True
        await serving


def _serve(app: FastAPI, issuer: Issuing) -> None:
    @app.get("/.well-known/openid-configuration")
    async def metadata() -> dict[str, str]:
        return {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/jwks"}

    @app.get("/jwks")
    async def keys() -> dict[str, Any]:
        return {"keys": [issuer.key.as_dict(private=False)]}

"""Who may ask the local issuer for a token, and what does each hold?

The seed in git names the clients. Their secrets are made here, once: `clients.json` is what the
clients hold, `issuer/clients.json` what the issuer knows of them, which opens nothing.
"""

import hashlib
import json
import secrets
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from shared.contracts.base import PartnerId
from shared.runtime.local.failure import SetupError
from shared.runtime.local.files import write_private
from shared.runtime.local.places import CHECKOUT, Places

SEED = CHECKOUT / "examples" / "clients.yaml"
ClientId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Scope = Literal["partner", "reader", "operator"]


class Client(BaseModel):
    """A client of the issuer: the token's subject is its id; a partner's has its tenant too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: ClientId
    scopes: tuple[Scope, ...]
    tenant: PartnerId | None = None

    @model_validator(mode="after")
    def _partners_have_a_tenant(self) -> "Client":
        if ("partner" in self.scopes) != (self.tenant is not None):
            raise ValueError("a client has a tenant if, and only if, it has the scope partner")
        return self


class RegisteredClient(Client):
    """`secret_sha256`: plain SHA-256 is enough, as the secret is 32 random bytes, not a word."""

    secret_sha256: str


class _Seed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    clients: tuple[Client, ...]


def read_seed(path: Path = SEED) -> tuple[Client, ...]:
    try:
        return _Seed.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).clients
    except FileNotFoundError:
        raise SetupError(f"{path} is missing", mend="restore it from git") from None
    except (yaml.YAMLError, ValidationError) as error:
        raise SetupError(f"{path} is not a list of clients", quote=str(error)) from None


def make_clients(places: Places, seed: Path = SEED) -> dict[str, str]:
    """Give each client of the seed a secret, unless it has one; gives id -> secret."""
    clients = read_seed(seed)
    held = _held(places.clients)
    kept = {one.id: held.get(one.id) or secrets.token_urlsafe(32) for one in clients}
    if kept != held:
        write_private(places.clients, json.dumps(kept, indent=2))
    registered = [
        RegisteredClient(**one.model_dump(), secret_sha256=digest(kept[one.id])).model_dump()
        for one in clients
    ]
    write_private(registered_clients(places.issuer), json.dumps(registered, indent=2))
    return kept


def registered_clients(issuer_folder: Path) -> Path:
    return issuer_folder / "clients.json"


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _held(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    held: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return held

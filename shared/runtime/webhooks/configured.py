"""What may be set of webhooks? The key of their secrets, and which private networks they reach."""

from base64 import b64decode
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from shared.runtime.webhooks.network import Network


def _networks(value: object) -> object:
    if isinstance(value, str):
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    return value


def _aes_key(value: SecretStr) -> SecretStr:
    if len(b64decode(value.get_secret_value(), validate=True)) != 32:  # noqa: PLR2004 - AES-256
        raise ValueError("must be 32 bytes in base64")
    return value


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
StoreKey = Annotated[SecretStr, AfterValidator(_aes_key)]

"""Everything deid reads from its environment."""

import base64
import binascii
from pathlib import Path
from typing import Annotated, Any

from joserfc.errors import JoseError
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import SettingsConfigDict

from services.deid.domain.identity import Key, Keyring
from shared.runtime.sealing import seal
from shared.runtime.settings import ServiceSettings

KEY_BYTES = 32
MIB = 1 << 20
VERSION = r"^[A-Za-z0-9._-]{1,32}$"


def _key(value: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(value.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None
    if len(key) < KEY_BYTES:
        raise ValueError(f"must hold at least {KEY_BYTES} bytes")
    return value


Secret = Annotated[SecretStr, AfterValidator(_key)]


class OlderKey(BaseModel):
    """A key that was DEID_KEY before: patients whom it named keep their names."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: str = Field(pattern=VERSION)
    key: Secret

    @property
    def as_key(self) -> Key:
        return Key(self.version, base64.b64decode(self.key.get_secret_value()))


class Settings(ServiceSettings):
    """Read once, in __main__, then passed on as plain values."""

    model_config = SettingsConfigDict(env_prefix="DEID_")

    key: Secret = Field(
        description="base64 of 32 random bytes: the key of all pseudonyms, UIDs and date shifts",
        repr=False,
    )
    key_version: str = Field(
        default="1",
        pattern=VERSION,
        description="a name for the key, which stands in each certificate",
    )
    older_keys: tuple[OlderKey, ...] = Field(
        default=(),
        repr=False,
        description='the keys before it, newest first: [{"version": "1", "key": "<base64>"}]',
    )
    notify_public_key: Json[dict[str, Any]] | None = Field(
        default=None,
        description="notify's public key, a JWK in JSON: the way back from new UIDs is sealed to"
        " it; without it no way back is kept",
    )
    policies: Path | None = Field(
        default=None,
        description="a policy file for all partners, or a folder with default.yaml and"
        " <partner>.yaml",
    )
    workers: int = Field(
        default=2, ge=1, le=64, description="child processes that open files, one per core"
    )
    seconds: float = Field(
        default=60, gt=0, description="how long one file may take before it is held"
    )
    memory_mib: int = Field(
        default=512, ge=64, description="memory one file may take before it is held, in MiB"
    )
    spool: Path | None = Field(
        default=None,
        description="a folder on an encrypted disk for instances while they are cleaned",
    )

    @field_validator("notify_public_key")
    @classmethod
    def _seals(cls, key: dict[str, Any] | None) -> dict[str, Any] | None:
        """Find out now, and not at the first case, whether one can seal to it."""
        if key is not None:
            try:
                seal(key, {})
            except (JoseError, ValueError, TypeError, KeyError):
                raise ValueError("must be a public JWK of the curve P-256") from None
            if "d" in key:
                raise ValueError("must be the public half alone")
        return key

    @field_validator("older_keys")
    @classmethod
    def _each_once(cls, older: tuple[OlderKey, ...], info: ValidationInfo) -> tuple[OlderKey, ...]:
        """Two keys of one version, or one key twice, would make certificates lie."""
        newest = (info.data.get("key_version"), info.data.get("key"))
        pairs = [newest, *((one.version, one.key) for one in older)]
        versions, keys = zip(*pairs, strict=True)
        if len(set(versions)) < len(pairs) or len(set(keys)) < len(pairs):
            raise ValueError("a version or a key stands twice, DEID_KEY included")
        return older

    @property
    def keyring(self) -> Keyring:
        newest = Key(self.key_version, base64.b64decode(self.key.get_secret_value()))
        return Keyring((newest, *(one.as_key for one in self.older_keys)))

    @property
    def memory(self) -> int:
        """Bytes a child may take for one file."""
        return self.memory_mib * MIB

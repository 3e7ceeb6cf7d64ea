"""Everything deid reads from its environment."""

import base64
import binascii
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.deid.domain.identity import Key
from shared.runtime.settings import ServiceSettings

KEY_BYTES = 32
MIB = 1 << 20


def _key(value: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(value.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None
    if len(key) < KEY_BYTES:
        raise ValueError(f"must hold at least {KEY_BYTES} bytes")
    return value


class Settings(ServiceSettings):
    """Read once, in __main__, then passed on as plain values."""

    model_config = SettingsConfigDict(env_prefix="DEID_")

    key: Annotated[SecretStr, AfterValidator(_key)] = Field(
        description="base64 of 32 random bytes: the key of all pseudonyms, UIDs and date shifts",
        repr=False,
    )
    key_version: str = Field(
        default="1",
        pattern=r"^[A-Za-z0-9._-]{1,32}$",
        description="a name for the key, which stands in each certificate",
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

    @property
    def pseudonym_key(self) -> Key:
        return Key(self.key_version, base64.b64decode(self.key.get_secret_value()))

    @property
    def memory(self) -> int:
        """Bytes a child may take for one file."""
        return self.memory_mib * MIB

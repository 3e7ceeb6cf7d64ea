"""Everything intake reads from its environment."""

import base64
import binascii
import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from services.intake.domain.waiting import Patience
from shared.runtime.settings import ServiceSettings

DIGEST_KEY_BYTES = 32
GIB = 1 << 30


def _digest_key(value: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(value.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None
    if len(key) < DIGEST_KEY_BYTES:
        raise ValueError(f"must hold at least {DIGEST_KEY_BYTES} bytes")
    return value


def _public_key(value: str) -> str:
    try:
        key = json.loads(value)
    except ValueError:
        raise ValueError("must be a JWK in JSON") from None
    if not isinstance(key, dict) or key.get("kty") != "EC" or "d" in key:
        raise ValueError("must be the public half of an EC key, without d")
    return value


class Settings(ServiceSettings):
    """Read once, in __main__, then passed on as plain values."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_")

    notify_public_key: Annotated[str, NoDecode, AfterValidator(_public_key)] = Field(
        description="notify's public key, a JWK in JSON: identities are sealed to it"
    )
    digest_key: Annotated[SecretStr, AfterValidator(_digest_key)] = Field(
        description="base64 of 32 random bytes: the key of all digests of identifiers",
        repr=False,
    )
    seed: Path | None = Field(
        default=None, description="a YAML file of partners, loaded at each start"
    )
    spool: Path | None = Field(
        default=None,
        description="a folder on an encrypted disk for instances on their way to the vault",
    )
    collect_hours: float = Field(
        default=24, gt=0, description="how long a case may collect before the partner is asked"
    )
    remind_hours: float = Field(
        default=24, gt=0, description="how long after that the first reminder is due"
    )
    quiet_seconds: float = Field(
        default=10,
        gt=0,
        description="how long a study must be quiet to be complete when no number was announced",
    )
    event_bytes: int = Field(
        default=1 << 20, gt=0, description="the largest event that POST /v1/events takes, in bytes"
    )
    stow_bytes: int = Field(
        default=8 * GIB, gt=0, description="the largest STOW-RS request, in bytes"
    )
    instance_bytes: int = Field(
        default=2 * GIB, gt=0, description="the largest DICOM instance, in bytes"
    )
    instances_at_once: int = Field(
        default=10_000, gt=0, description="the most instances in one STOW-RS request"
    )
    sandbox_workers: int = Field(
        default=2, gt=0, description="how many processes look at arriving instances"
    )

    @property
    def public_jwk(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.notify_public_key)
        return found

    @property
    def digest_bytes(self) -> bytes:
        return base64.b64decode(self.digest_key.get_secret_value())

    @property
    def patience(self) -> Patience:
        return Patience(
            collect=timedelta(hours=self.collect_hours),
            remind_after=timedelta(hours=self.remind_hours),
            quiet=timedelta(seconds=self.quiet_seconds),
        )

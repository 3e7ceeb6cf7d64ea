"""What does notify read from its environment?"""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, FilePath, Json, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import HttpUrl, ServiceSettings
from shared.runtime.webhooks.configured import Networks, StoreKey

_SMTP = re.compile(r"(smtp|smtp\+starttls|smtps)://(([^:@/]+):([^@/]+)@)?[^:@/]+:\d{1,5}")


def _smtp(value: SecretStr) -> SecretStr:
    if not _SMTP.fullmatch(value.get_secret_value()):
        raise ValueError(
            "must be smtp://host:port, smtp+starttls:// or smtps://user:word@host:port"
        )
    return value


class Settings(ServiceSettings):
    """Read once, in __main__, then passed on as plain values."""

    model_config = SettingsConfigDict(env_prefix="NOTIFY_")

    private_keys: Json[list[dict[str, Any]]] = Field(
        description="a JSON list of private JWKs, the newest first, that open sealed identities",
        repr=False,
        min_length=1,
    )
    store_key: StoreKey = Field(
        description="32 random bytes in base64, with which webhook secrets are encrypted at rest"
    )
    smtp: Annotated[SecretStr, AfterValidator(_smtp)] = Field(
        description="the mail server, smtp://host:port, smtp+starttls://user:password@host:port"
    )
    mail_from: str = Field(
        default="results@overread.invalid",
        description="the sender's address of mails",
        pattern=r"^[^@\s]+@[^@\s]+$",
    )
    case_link: HttpUrl = Field(
        description="the page, behind a login, that a mail links to; the case id is added to it"
    )
    allow_private: Networks = Field(
        default=(),
        description="networks that webhooks may reach although private, and by plain http",
    )
    trust: FilePath | None = Field(
        default=None, description="a PEM file of further certificate authorities for webhooks"
    )
    seed: Path | None = Field(default=None, description="a YAML file of partners to begin with")

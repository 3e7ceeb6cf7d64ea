"""What does matching read from its environment?"""

from pathlib import Path

from pydantic import Field, FilePath
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings
from shared.runtime.webhooks.configured import Networks, StoreKey


class Settings(ServiceSettings):
    """Read once, in __main__, then passed on as plain values."""

    model_config = SettingsConfigDict(env_prefix="MATCHING_")

    policy: Path | None = Field(
        default=None, description="a YAML file: how cases are handed out; the default if unset"
    )
    seed: Path | None = Field(
        default=None, description="a YAML file of readers and contracts, loaded at each start"
    )
    store_key: StoreKey | None = Field(
        default=None,
        description="32 random bytes in base64, with which the secrets of readers' webhooks are "
        "encrypted at rest; without it there are no webhooks",
    )
    allow_private: Networks = Field(
        default=(),
        description="networks that webhooks may reach although private, and by plain http",
    )
    trust: FilePath | None = Field(
        default=None, description="a PEM file of further certificate authorities for webhooks"
    )

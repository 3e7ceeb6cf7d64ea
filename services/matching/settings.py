"""What does matching read from its environment?"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read once, in __main__, then passed on as plain values."""

    model_config = SettingsConfigDict(env_prefix="MATCHING_")

    seed: Path | None = Field(
        default=None, description="a YAML file of readers and contracts, loaded at each start"
    )

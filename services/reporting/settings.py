"""What does reporting read from the environment?"""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything reporting needs is common to all services; only the prefix is its own."""

    model_config = SettingsConfigDict(env_prefix="REPORTING_")

"""What does the environment say? Read once, at the start, into one frozen object, or not at all.

A service's settings are a subclass with its prefix; a program that lacks a setting, has a wrong
one, or has one it doesn't know (a typing error) stops with a list of all of them at once.
"""

import difflib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

EX_CONFIG = 78  # sysexits.h: something was found in an unconfigured or misconfigured state
COMMON = "OVERREAD_"


def _url(*schemes: str) -> AfterValidator:
    """Demand one of the schemes; the message never quotes the value, which may hold a password."""

    def check(value: str) -> str:
        if urlsplit(value).scheme not in schemes:
            raise ValueError(f"must start with {' or '.join(f'{one}://' for one in schemes)}")
        return value.rstrip("/")

    return AfterValidator(check)


def _bootstrap(value: str) -> str:
    if not all(re.fullmatch(r"[^\s:]+:\d{1,5}", server) for server in value.split(",")):
        raise ValueError("must be host:port, or several of them with commas between")
    return value


PostgresUrl = Annotated[str, _url("postgresql", "postgres")]
HttpUrl = Annotated[str, _url("https", "http")]
KafkaServers = Annotated[str, AfterValidator(_bootstrap)]
Member = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,100}$")]
TopicPrefix = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,100}$")]


def _common(name: str, description: str, **rest: Any) -> Any:
    return Field(validation_alias=f"{COMMON}{name}", description=description, **rest)


class ServiceSettings(BaseSettings):
    """What every service reads. A subclass adds `SettingsConfigDict(env_prefix="MATCHING_")`.

    A field's description is what a person reads when it is missing: say what to put there. Give
    secrets `repr=False` and a type of `SecretStr`.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,  # docker compose passes what is unset as an empty string
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    postgres: PostgresUrl = Field(
        description="the service's own database login, postgresql://role:password@host:port/name",
        repr=False,
    )
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(description="the port to listen on", ge=1, le=65535)
    member: Member | None = Field(
        default=None,
        description="a name of this replica's own that outlives its restarts: Kafka then gives it"
        " its partitions back at once, and not after the dead one's session has timed out",
    )

    kafka: KafkaServers = _common("KAFKA", "the Kafka servers, host:port[,host:port]")
    objects: str = _common("OBJECTS", "the object store: s3://bucket/prefix or a folder")
    issuer: HttpUrl = _common("ISSUER", "the OAuth2 issuer's URL, whose tokens are accepted")
    topic_prefix: TopicPrefix = _common(
        "TOPIC_PREFIX", "what all topic names begin with", default="overread"
    )
    telemetry: Path | None = _common(
        "TELEMETRY", "a folder to write traces to, as JSON lines", default=None
    )
    failpoints: str = _common(
        "FAILPOINTS", "for tests only: where to fail, see shared/runtime/failpoints.py", default=""
    )
    otlp: HttpUrl | None = Field(
        default=None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="where OpenTelemetry's collector listens, http://host:4318",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - named so by the library
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ditto
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ditto
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls)


class _Environment(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Leave what is no JSON as it is, so that it joins the list of what is wrong."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


S = TypeVar("S", bound=ServiceSettings)


def read(kind: type[S]) -> S:
    """Read the settings, or stop the program (EX_CONFIG) with one list of what to mend."""
    faults = [*_unknown(kind)]
    try:
        settings = kind()
    except ValidationError as error:
        _stop(kind, [*(_fault(kind, one) for one in error.errors(include_input=False)), *faults])
    if faults:
        _stop(kind, faults)
    return settings


def _variables(kind: type[ServiceSettings]) -> dict[str, FieldInfo]:
    prefix = kind.model_config.get("env_prefix", "")
    return {
        str(field.validation_alias or f"{prefix}{name}").upper(): field
        for name, field in kind.model_fields.items()
    }


def _unknown(kind: type[ServiceSettings]) -> Iterator[str]:
    """Name each variable of ours that nobody reads.

    All that begin with the service's prefix; of the common ones, which other programs read too,
    only those that look like a typing error.
    """
    known = _variables(kind)
    prefix = kind.model_config.get("env_prefix", "").upper()
    for name in sorted(os.environ):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        own = bool(prefix) and name.startswith(prefix)
        if name in known or not (own or (name.startswith(COMMON) and near)):
            continue
        yield f"{name} is unknown: " + (f"did you mean {near[0]}?" if near else "remove it")


def _fault(kind: type[ServiceSettings], error: ErrorDetails) -> str:
    """Say in one line which variable is wrong and how to mend it, without its value."""
    where, *inside = (str(part) for part in error["loc"])
    known = _variables(kind)
    prefix = kind.model_config.get("env_prefix", "")
    variable = (where if where in known else f"{prefix}{where}").upper()
    wanted = known[variable].description or "see the service's settings.py"
    if error["type"] == "missing":
        return f"{variable} is missing: set it to {wanted}"
    at = f" (at {'.'.join(inside)})" if inside else ""
    return f"{variable} is wrong{at}: {error['msg'].removeprefix('Value error, ')}; it is {wanted}"


def _stop(kind: type[ServiceSettings], faults: list[str]) -> NoReturn:
    service = kind.model_config.get("env_prefix", "").rstrip("_").lower() or "the program"
    lines = [f"{service} can't start, {len(faults)} setting(s) to mend:"]
    sys.stderr.write("\n  ".join([*lines, *faults]) + "\n")
    raise SystemExit(EX_CONFIG)

"""Does a program with wrong settings stop, with one list that says how to mend them?"""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import EX_CONFIG, ServiceSettings, read

RIGHT = {
    "SAMPLE_POSTGRES": "postgresql://sample:s3cr3t@127.0.0.1:15432/overread",
    "SAMPLE_PORT": "8103",
    "SAMPLE_KEY": "k3y",
    "OVERREAD_KAFKA": "127.0.0.1:19092",
    "OVERREAD_OBJECTS": "s3://bucket/prefix",
    "OVERREAD_ISSUER": "http://127.0.0.1:8100/",
}


class Sample(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")

    key: SecretStr = Field(description="the key of the sample", repr=False)
    rungs: tuple[int, ...] = Field(default=(15, 30), description="minutes, as a JSON list")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in RIGHT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def faults(capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit) as stopped:
        read(Sample)
    assert stopped.value.code == EX_CONFIG
    return [line.strip() for line in capsys.readouterr().err.splitlines()[1:]]


def test_what_the_environment_says_is_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SAMPLE_RUNGS", "[1, 2]")
    environment.setenv("OVERREAD_TELEMETRY", "traces")

    settings = read(Sample)

    assert settings.port == 8103
    assert settings.issuer == "http://127.0.0.1:8100"
    assert settings.rungs == (1, 2)
    assert settings.telemetry == Path("traces")
    assert settings.topic_prefix == "overread"


def test_a_test_may_build_them_by_field_name(environment: pytest.MonkeyPatch) -> None:
    assert read(Sample).model_copy(update={"port": 1}).port == 1
    assert Sample(kafka="a:1", objects="memory:", issuer="http://i").kafka == "a:1"


def test_they_are_frozen_and_show_no_secret(environment: pytest.MonkeyPatch) -> None:
    settings = read(Sample)

    assert "s3cr3t" not in repr(settings)
    assert "k3y" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc] # the claim itself


def test_everything_wrong_is_one_list_without_values(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv("OVERREAD_ISSUER")
    environment.setenv("SAMPLE_KEY", "")
    environment.setenv("SAMPLE_PORT", "eighty")
    environment.setenv("SAMPLE_POSTGRES", "mysql://sample:s3cr3t@host/db")
    environment.setenv("SAMPLE_RUNGS", "fifteen")
    environment.setenv("SAMPLE_PROT", "1")
    environment.setenv("SAMPLE_COLOUR", "blue")
    environment.setenv("OVERREAD_TELEMTRY", "folder")

    told = faults(capsys)

    assert len(told) == 8
    text = "\n".join(told)
    assert "SAMPLE_KEY is missing: set it to the key of the sample" in told
    assert "OVERREAD_ISSUER is missing" in text
    assert "SAMPLE_PORT is wrong: " in text
    assert "SAMPLE_POSTGRES is wrong: must start with postgresql://" in text
    assert "SAMPLE_RUNGS is wrong: " in text
    assert "SAMPLE_PROT is unknown: did you mean SAMPLE_PORT?" in told
    assert "SAMPLE_COLOUR is unknown: remove it" in told
    assert "OVERREAD_TELEMTRY is unknown: did you mean OVERREAD_TELEMETRY?" in told
    assert not any(value in text for value in ("s3cr3t", "eighty", "fifteen", "blue", "folder"))


@pytest.mark.parametrize("servers", ["localhost", "localhost:", ":9092", "a:1,b", "a:1 b:2"])
def test_kafka_servers_are_host_and_port(
    servers: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("OVERREAD_KAFKA", servers)

    (fault,) = faults(capsys)

    assert fault.startswith("OVERREAD_KAFKA is wrong: must be host:port, or several of them")


def test_a_variable_of_another_program_is_left_alone(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OVERREAD_FAILPOINTS", "runner.after_save")
    environment.setenv("OVERREAD_POSTGRES", "postgresql://admin@127.0.0.1/postgres")

    assert read(Sample).port == 8103

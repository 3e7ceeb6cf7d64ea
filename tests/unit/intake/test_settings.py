"""What the environment and the seed file must say, and what is said when they don't."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.gateways import seed
from services.intake.gateways.seed import SeedBroken
from services.intake.settings import Settings
from shared.runtime.sealing import new_key_pair

PRIVATE, PUBLIC = new_key_pair()
KEY = base64.b64encode(bytes(32)).decode()
EXAMPLE = Path(__file__).parents[3] / "examples" / "intake.yaml"


def settings(**changed: Any) -> Settings:
    fields: dict[str, Any] = {
        "postgres": "postgresql://u:p@host/db",
        "port": 1,
        "kafka": "host:9092",
        "objects": "memory:",
        "issuer": "http://issuer",
        "notify_public_key": json.dumps(PUBLIC),
        "digest_key": KEY,
    }
    return Settings(**{**fields, **changed})


def test_hours_and_keys_are_understood() -> None:
    read = settings(collect_hours=2, quiet_seconds=3)

    assert read.patience.collect.total_seconds() == 7200
    assert read.patience.quiet.total_seconds() == 3
    assert read.public_jwk == PUBLIC
    assert read.digest_bytes == bytes(32)
    assert KEY not in repr(read)


@pytest.mark.parametrize(
    "wrong",
    [
        {"digest_key": "short"},
        {"digest_key": base64.b64encode(bytes(8)).decode()},
        {"notify_public_key": "{"},
        {"notify_public_key": "[]"},
        {"notify_public_key": json.dumps(PRIVATE)},
        {"collect_hours": 0},
        {"instance_bytes": -1},
    ],
)
def test_a_wrong_setting_stops_the_start_without_showing_the_value(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**wrong)

    assert [str(error["loc"][0]) for error in caught.value.errors()] == list(wrong)
    assert PRIVATE["d"] not in str(caught.value)


def test_the_example_is_a_seed() -> None:
    assert "urgent" in seed.read(EXAMPLE).partners["st-brigid"].service_levels


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("partners: [", "line 1"),
        ("partners:\n  UPPER: {}", "UPPER"),
        ("partners:\n  a:\n    name: A\n    patient_issuer: A", "partners.a.service_levels"),
        (
            "partners:\n  a:\n    name: A\n    patient_issuer: A\n    service_levels: [now]",
            "partners.a.service_levels.0",
        ),
        ("partner: {}", "partners"),
        ("", "seed.yaml"),
    ],
)
def test_a_broken_seed_is_named_by_line_or_field(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text(text)

    with pytest.raises(SeedBroken) as caught:
        seed.read(file)

    assert named in str(caught.value)


def test_a_missing_seed_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeedBroken, match=r"absent\.yaml"):
        seed.read(tmp_path / "absent.yaml")

"""Does notify start only with settings it can work with, and name the ones it can't?"""

import json
from base64 import b64encode
from ipaddress import ip_network
from pathlib import Path

import pytest

from services.notify.__main__ import main
from services.notify.gateways.seed import SeedBroken
from services.notify.gateways.seed import read as read_seed
from services.notify.settings import Settings
from shared.runtime.sealing import new_key_pair
from shared.runtime.settings import read

GOOD = {
    "OVERREAD_KAFKA": "127.0.0.1:9092",
    "OVERREAD_OBJECTS": "memory:",
    "OVERREAD_ISSUER": "http://127.0.0.1:8100",
    "NOTIFY_POSTGRES": "postgresql://u:p@127.0.0.1/overread",
    "NOTIFY_PORT": "8105",
    "NOTIFY_PRIVATE_KEYS": json.dumps([new_key_pair()[0]]),
    "NOTIFY_STORE_KEY": b64encode(b"k" * 32).decode(),
    "NOTIFY_SMTP": "smtp://127.0.0.1:25",
    "NOTIFY_CASE_LINK": "https://edge.example/cases",
    "NOTIFY_ALLOW_PRIVATE": "127.0.0.0/8, ::1/128",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_good_settings_are_read() -> None:
    settings = read(Settings)

    assert settings.private_keys[0]["kty"] == "EC"
    assert settings.allow_private == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.seed is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOTIFY_PRIVATE_KEYS", "[]"),
        ("NOTIFY_PRIVATE_KEYS", "not-json-canary"),
        ("NOTIFY_STORE_KEY", "c2hvcnQtY2FuYXJ5"),
        ("NOTIFY_SMTP", "http://canary:25"),
        ("NOTIFY_ALLOW_PRIVATE", "canary"),
        ("NOTIFY_CASE_LINK", "canary"),
        ("NOTIFY_STOREKEY", "canary"),
        ("NOTIFY_TRUST", "no-such-canary.pem"),
    ],
)
def test_a_wrong_one_stops_the_start_by_name_and_without_its_value(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    environment.setenv(name, value)

    with pytest.raises(SystemExit) as stopped:
        read(Settings)

    assert stopped.value.code == 78
    said = capsys.readouterr().err
    assert name in said
    if name not in ("NOTIFY_ALLOW_PRIVATE", "NOTIFY_CASE_LINK"):
        assert value not in said.replace("NOTIFY_STOREKEY", "")


def test_the_example_seed_can_be_planted() -> None:
    seed = read_seed(Path("examples/notify.yaml"))

    assert [(one.partner, one.mail) for one in seed.partners] == [("st-brigid", True)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("partners: [", "line 1"),
        ("partners:\n  - partner: St. Brigid\n", "partners.0.partner"),
        ("partners:\n  - partner: a\n    webhok: x\n", "partners.0.webhok"),
        ("partners:\n  - partner: a\n    webhook: ftp://x\n", "partners.0.webhook"),
        ("- a\n", "seed.yaml"),
    ],
)
def test_a_broken_seed_names_the_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text)

    with pytest.raises(SeedBroken, match=said):
        read_seed(path)


def test_a_broken_seed_stops_the_program_with_one_sentence(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    environment.setenv("NOTIFY_SEED", str(tmp_path / "gone.yaml"))

    with pytest.raises(SystemExit) as stopped:
        main()

    assert stopped.value.code == 78
    said = capsys.readouterr().err
    assert said == "notify can't start: gone.yaml can't be read: No such file or directory\n"


def test_a_seed_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeedBroken, match=r"gone\.yaml can't be read"):
        read_seed(tmp_path / "gone.yaml")

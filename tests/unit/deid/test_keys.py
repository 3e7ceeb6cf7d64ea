"""Keys have versions: a new one names new patients, an old one goes on naming its own."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.keys import app
from services.deid.domain.dates import shift_datetime
from services.deid.domain.identity import Identity, Key, Keyring
from services.deid.settings import Settings
from shared.runtime.local.environment import Addresses, service_environment
from shared.runtime.local.failure import SetupError
from shared.runtime.local.keys import read_keys, read_or_make_keys, rotate_pseudonyms
from shared.runtime.local.places import Places
from shared.runtime.sealing import new_key_pair
from shared.runtime.settings import read
from tests.unit.deid.files import KEY, PARTNER, Writer, cleaned, task

NEWER = Key("2", b"a newer key of thirty-two bytes!!")
RING = Keyring((NEWER, KEY))
ADDRESSES = Addresses(
    kafka="127.0.0.1:1",
    postgres={"deid": "postgresql://deid@127.0.0.1/nowhere"},
    objects="memory:",
    issuer="http://127.0.0.1:1",
    ports={"deid": 1},
)


@given(st.text(min_size=1, max_size=64), st.from_regex(r"[1-9][0-9.]{5,60}", fullmatch=True))
def test_what_an_older_key_made_stays_as_it_is(patient_id: str, uid: str) -> None:
    old, new = Identity(KEY, PARTNER), RING.identity(NEWER, PARTNER)
    subject = old.subject(patient_id, "case")

    assert new.subject(subject.pseudonym, "case").pseudonym == subject.pseudonym
    assert new.subject(subject.pseudonym, "case").shift_days == 0
    assert new.uid(old.uid(uid)) == old.uid(uid)
    assert new.accession(old.accession("A1")) == old.accession("A1")


def test_a_new_key_gives_everything_a_new_name() -> None:
    old, new = RING.identity(KEY, PARTNER), RING.identity(NEWER, PARTNER)

    assert new.subject("MRN1", "c") != old.subject("MRN1", "c")
    assert new.uid("1.2.3.4.5") != old.uid("1.2.3.4.5")
    assert new.accession("A1") != old.accession("A1")


def test_a_pseudonym_tells_which_version_made_it() -> None:
    names = RING.names(PARTNER, " mrn1 ")

    assert [key.version for key, _ in names] == ["2", "1"]
    assert [RING.maker(PARTNER, name) for _, name in names] == [NEWER, KEY]
    assert RING.maker("another-partner", names[0][1]) is None
    assert Keyring((NEWER,)).maker(PARTNER, names[1][1]) is None
    assert RING.maker(PARTNER, "OV-NOBODY") is None
    assert RING.names(PARTNER, "  ") == ()


def test_a_file_cleaned_under_an_older_key_does_not_change_again(tmp_path: Path) -> None:
    once, _ = cleaned(Writer().file([]), tmp_path)
    ring = RING.identity(NEWER, PARTNER)

    kept = ring.uid(once[once.index(b"2.25.") :][:44].split(b"\0")[0].decode())

    assert kept.encode() in once
    assert task().key == KEY


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("20240301-20240305", "20240229-20240304"),
        ("20240301-", "20240229-"),
        ("-20240301", "-20240229"),
        ("20240301120000+0100-20240305", "20240229120000+0100-20240304"),
        ("20240301120000-0500-20240305120000-0500", "20240229120000-0500-20240304120000-0500"),
        ("20240301-0500", "20240229-0500"),  # a zone: what reads as one DT is one
        ("20240301-1200", "20240229-1200"),  # likewise, the westernmost
        ("2024-2025", "2023-2024"),  # no zone: two years
        ("20240301-20241301", None),
        ("-", None),
        ("20240301--20240305", None),
    ],
)
def test_a_range_of_datetimes_moves_at_both_ends(text: str, moved: str | None) -> None:
    assert shift_datetime(text, -1) == moved


SERVERS = {
    "DEID_POSTGRES": "postgresql://deid@127.0.0.1/nowhere",
    "DEID_PORT": "1",
    "OVERREAD_KAFKA": "127.0.0.1:1",
    "OVERREAD_OBJECTS": "memory:",
    "OVERREAD_ISSUER": "http://127.0.0.1:1",
    "DEID_KEY": base64.b64encode(NEWER.secret).decode(),
    "DEID_KEY_VERSION": "2",
}


def older(*keys: tuple[str, bytes]) -> str:
    listed = [{"version": name, "key": base64.b64encode(raw).decode()} for name, raw in keys]
    return json.dumps(listed)


def test_the_service_reads_a_ring_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVERS.items():
        monkeypatch.setenv(name, value)
    assert read(Settings).keyring == Keyring((NEWER,))

    monkeypatch.setenv("DEID_OLDER_KEYS", older(("1", KEY.secret)))
    assert read(Settings).keyring == RING
    assert "thirty-two" not in repr(read(Settings).keyring)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (older(("2", KEY.secret)), "a version or a key stands twice"),
        (older(("1", NEWER.secret)), "a version or a key stands twice"),
        (older(("1", KEY.secret), ("1", b"k" * 32)), "a version or a key stands twice"),
        (older(("1", b"short")), "DEID_OLDER_KEYS is wrong (at 0.key): must hold at least 32"),
        (older(("a b", KEY.secret)), "DEID_OLDER_KEYS is wrong (at 0.version)"),
        ('[{"version": "1"}]', "DEID_OLDER_KEYS is missing"),
        ("secret-by-mistake", "DEID_OLDER_KEYS is wrong"),
    ],
)
def test_a_ring_that_makes_no_sense_stops_the_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keys: str, fault: str
) -> None:
    for name, value in {**SERVERS, "DEID_OLDER_KEYS": keys}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit):
        read(Settings)

    said = capsys.readouterr().err
    assert fault in said
    assert "by-mistake" not in said


def test_rotating_keeps_the_older_keys_and_hands_deid_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first = read_or_make_keys(path)
    rotate_pseudonyms(path)
    third = rotate_pseudonyms(path)

    assert read_keys(path) == third
    assert [one.version for one in third.deid_older] == ["2", "1"]
    assert third.deid_older[-1].key == first.deid_pseudonym
    told = service_environment("deid", ADDRESSES, third)
    assert told["DEID_KEY_VERSION"] == "3"
    assert [one["version"] for one in json.loads(told["DEID_OLDER_KEYS"])] == ["2", "1"]
    assert path.stat().st_mode & 0o077 == 0


def test_keys_of_a_set_up_before_rotation_are_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    read_or_make_keys(path)
    content = json.loads(path.read_text())
    del content["deid_version"], content["deid_older"]
    path.write_text(json.dumps(content))

    assert rotate_pseudonyms(path).deid_version == "2"


def test_the_command_lists_versions_and_never_a_secret(tmp_path: Path) -> None:
    places = Places(tmp_path)
    keys = read_or_make_keys(places.keys)
    folder = ["--folder", str(tmp_path)]

    rotated = CliRunner().invoke(app, ["rotate-pseudonyms", *folder])
    listed = CliRunner().invoke(app, ["list", *folder])

    assert rotated.output.startswith("new patients get key 2")
    assert listed.output.splitlines()[0].split() == ["pseudonyms", "2", "1"]
    assert keys.sealing_public["kid"] in listed.output
    assert keys.deid_pseudonym not in listed.output


def test_there_is_nothing_to_list_before_the_set_up(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is missing"):
        read_keys(tmp_path / "keys.json")


@pytest.mark.parametrize("private", [True, False])
def test_the_way_back_is_sealed_to_a_public_key_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], private: bool
) -> None:
    for name, value in SERVERS.items():
        monkeypatch.setenv(name, value)
    wrong = new_key_pair()[0] if private else {"kty": "EC", "crv": "P-256"}
    monkeypatch.setenv("DEID_NOTIFY_PUBLIC_KEY", json.dumps(wrong))

    with pytest.raises(SystemExit):
        read(Settings)

    assert "DEID_NOTIFY_PUBLIC_KEY is wrong" in capsys.readouterr().err
    monkeypatch.setenv("DEID_NOTIFY_PUBLIC_KEY", json.dumps(new_key_pair()[1]))
    assert read(Settings).notify_public_key

"""`overread deid --report`: a text is cleaned by what its images know, or held with its reason."""

import base64
import json
from pathlib import Path

import pytest

from cli.keyring import read_keyring
from examples.phantom import BARTHOLOMEW
from services.deid.domain.identity import Key, Keyring
from services.deid.gateways.instance import Task, clean_instance
from services.deid.gateways.policies import SHIPPED, load_policy
from shared.runtime.local.failure import SetupError
from shared.runtime.local.keys import read_or_make_keys, rotate_pseudonyms
from tests.integration.cli.test_deid import ct, held, key, overread

__all__ = ["key"]  # a fixture
FAMILY = BARTHOLOMEW.family
CLEAN = f"CT chest of {FAMILY}, no effusion. Discussed with Dr. Jankowski."


@pytest.fixture
def image(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "one.dcm").write_bytes(ct(1))
    return folder


def test_a_report_is_cleaned_by_what_the_images_know(
    image: Path, key: Path, tmp_path: Path
) -> None:
    report, out = tmp_path / "report.txt", tmp_path / "out"
    report.write_text(CLEAN, encoding="utf-8")

    done = overread(image, out, "--key", key, "--report", report, "--json")

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["files"], summary["released"], summary["reports"]) == (2, 2, 1)
    (text,) = out.rglob("report-1.txt")
    assert text.read_text("utf-8") == (
        "CT chest of [NAME], no effusion. Discussed with Dr. [NAME]."
    )
    assert text.parent == next(out.rglob("*.dcm")).parent.parent  # the patient's folder
    assert report.read_text("utf-8") == CLEAN


def test_a_report_in_doubt_waits_and_the_rest_goes(image: Path, key: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    texts = {
        "doubt.txt": b"Reviewed Xylqvarth, no effusion.",
        "page.pdf": b"%PDF-1.7 (Hartigan)",
        "latin.txt": b"L\xe4sion",
        "long.txt": b"no effusion. " * 40_000,
    }
    arguments: list[str | Path] = []
    for name, content in texts.items():
        (tmp_path / name).write_bytes(content)
        arguments += ["--report", tmp_path / name]

    done = overread(image, out, "--key", key, *arguments)

    assert done.returncode == 3, done.stderr
    reasons = {Path(name).name: codes for name, codes in held(out).items()}
    assert reasons == {
        "doubt.txt": ["possible_name"],
        "page.pdf": ["not_plain_text"],
        "latin.txt": ["unreadable_characters"],
        "long.txt": ["text_too_long"],
    }
    assert len(list((out / "quarantine").glob("*.held"))) == 4
    assert len(list(out.rglob("*.dcm"))) == 1
    assert not list(out.rglob("report-*"))


@pytest.mark.parametrize(("patients", "code"), [(2, "several_patients"), (0, "identifier_unknown")])
def test_a_report_of_nobody_knows_whom_waits(
    image: Path, key: Path, tmp_path: Path, patients: int, code: str
) -> None:
    (image / "one.dcm").write_bytes(ct(1) if patients else b"no image")
    (image / "two.dcm").write_bytes(ct(2, "somebody else") if patients else b"none either")
    (tmp_path / "report.txt").write_text(CLEAN, encoding="utf-8")

    done = overread(image, tmp_path / "out", "--key", key, "--report", tmp_path / "report.txt")

    assert done.returncode == 3, done.stderr
    assert held(tmp_path / "out")[f"--report {tmp_path / 'report.txt'}"] == [code]


def test_what_an_older_key_of_the_ring_cleaned_stays_as_it_is(image: Path, tmp_path: Path) -> None:
    keys, once, again = tmp_path / "keys.json", tmp_path / "once", tmp_path / "again"
    older = Key("1", base64.b64decode(read_or_make_keys(keys).deid_pseudonym))
    once.mkdir()
    task = Task(older, "local", None, load_policy(SHIPPED))
    clean_instance(image / "one.dcm", once / "one.dcm", task)
    rotate_pseudonyms(keys)

    assert overread(once, again, "--key", keys).returncode == 0

    (file,) = again.rglob("*.dcm")
    assert file.read_bytes() == (once / "one.dcm").read_bytes()
    proof = json.loads((file.parent / "certificate.json").read_text())
    assert proof["key_version"] == "2"  # what names new patients
    newest, before = read_keyring(keys).keys
    assert (newest.version, before) == ("2", older)


def test_a_broken_ring_names_the_field_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text('{"deid_pseudonym": "c2hvcnQ=", "deid_version": "7"}')
    with pytest.raises(SetupError, match="version 7 holds fewer than 32 bytes"):
        read_keyring(file)

    file.write_text('{"deid_pseudonym": "hush"}')
    with pytest.raises(SetupError, match="deid_version is wrong") as told:
        read_keyring(file)
    assert "hush" not in str(told.value)


def test_one_secret_is_a_ring_of_one(key: Path) -> None:
    assert read_keyring(key) == Keyring((Key("1", bytes(range(32))),))

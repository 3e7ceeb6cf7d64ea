"""`overread deid`: everything released or quarantined with its reason, the input as it was."""

import base64
import hashlib
import json
import os
import stat
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from pydicom import dcmread

from examples.phantom import BARTHOLOMEW, MARIPOSA, Shot, as_bytes, hand_radiograph, scanner_image

PEOPLE = (MARIPOSA, BARTHOLOMEW)


def overread(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """The command as a person gives it."""
    program = [sys.executable, "-m", "cli", "deid", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=110)  # noqa: S603


def ct(number: int = 1, patient: str = "") -> bytes:
    dataset = scanner_image("CT_small.dcm", BARTHOLOMEW)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPInstanceUID = f"2.999.5.{number}"
    dataset.PatientID = patient or dataset.PatientID
    return as_bytes(dataset)


def radiograph() -> bytes:
    """One whose sender says that text is burned in: a person has to look."""
    image = hand_radiograph(shot=Shot(rows=375, columns=300))
    image.BurnedInAnnotation = "YES"
    return as_bytes(image)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_bytes(base64.b64encode(bytes(range(32))))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    given = tmp_path / "MARIPOSA hand"
    (given / "deep").mkdir(parents=True)
    for number in range(3):
        (given / "deep" / f"{number}.dcm").write_bytes(ct(number))
    return given


def state(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        str(one): (one.read_bytes(), one.stat().st_mtime_ns, one.stat().st_mode)
        for one in folder.rglob("*")
        if one.is_file()
    }


def held(output: Path) -> dict[str, list[str]]:
    """Source -> codes, from the reasons in quarantine."""
    told = [json.loads(one.read_text()) for one in (output / "quarantine").glob("*.json")]
    return {one["source"]: [reason["code"] for reason in one["reasons"]] for one in told}


def test_what_one_file_names_is_in_no_other_of_the_patient(tmp_path: Path, key: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(2):
        dataset = scanner_image("CT_small.dcm", BARTHOLOMEW)
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.SOPInstanceUID = f"2.999.5.{number}"
        if number:
            dataset.AcquisitionProtocolName = dataset.SequenceName = "KOWALCZYK"
        else:
            dataset.OtherPatientNames = "Kowalczyk^Anna"
        (folder / f"{number}.dcm").write_bytes(as_bytes(dataset))

    assert overread(folder, tmp_path / "out", "--key", key).returncode == 0

    clean = [one.read_bytes() for one in (tmp_path / "out").rglob("*.dcm")]
    assert len(clean) == 2
    assert not any(b"kowalczyk" in one.lower() for one in clean)


def test_a_folder_is_released_named_by_pseudonyms_and_the_input_stays(
    folder: Path, key: Path, tmp_path: Path
) -> None:
    before, out = state(folder), tmp_path / "out"

    done = overread(folder, out, "--key", key, "--jobs", "2", "--json")

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["files"], summary["released"], summary["quarantined"]) == (3, 3, 0)
    assert state(folder) == before
    everything = b"".join(one.read_bytes() for one in out.rglob("*") if one.is_file())
    names = "\n".join(str(one.relative_to(out)) for one in out.rglob("*"))
    for person in PEOPLE:
        for word in person.identifiers():
            assert word.encode().lower() not in everything.lower()
            assert word.lower() not in names.lower()
    assert {len(one.relative_to(out).parts) for one in out.rglob("*.dcm")} == {3}
    assert not list(out.glob(".work-*"))


def test_the_same_key_gives_the_same_bytes_and_no_key_joins_with_nothing(
    folder: Path, key: Path, tmp_path: Path
) -> None:
    runs = []
    for name, options in (("a", ("--key", key)), ("b", ("--key", key)), ("c", ())):
        assert overread(folder, tmp_path / name, *options).returncode == 0
        found = sorted((tmp_path / name).rglob("*.dcm"))
        runs.append({str(one.relative_to(tmp_path / name)): one.read_bytes() for one in found})

    assert runs[0] == runs[1]
    assert not runs[0].keys() & runs[2].keys()


def test_what_is_in_doubt_is_quarantined_with_its_reason_and_the_rest_released(
    folder: Path, key: Path, tmp_path: Path
) -> None:
    (folder / "hand.dcm").write_bytes(radiograph())
    (folder / "autorun.inf").write_bytes(b"[autorun]")
    (folder / "empty").touch()
    (folder / "cut.dcm").write_bytes(ct(9)[:-500])
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "again.dcm").write_bytes(ct(1))
    (folder / "other.dcm").write_bytes(ct(1, "somebody else"))
    os.mkfifo(folder / "pipe")
    out = tmp_path / "out"

    done = overread(folder, out, "--key", key)

    assert done.returncode == 3, done.stderr
    reasons = held(out)
    assert reasons["hand.dcm"] == ["burned_in_text_flagged"]
    assert {reasons[one][0] for one in ("autorun.inf", "empty", "cut.dcm")} == {"unreadable"}
    assert reasons["loop"] == reasons["pipe"] == ["not_opened"]
    assert len(list(out.rglob("*.dcm"))) == 4  # another patient's, under another name
    copies = {one.read_bytes() for one in (out / "quarantine").glob("*.held")}
    assert radiograph() in copies
    assert stat.S_IMODE((out / "quarantine").stat().st_mode) == 0o700
    assert "burned_in_text_flagged" in done.stdout


def test_two_files_with_one_instance_uid_are_not_both_released(
    folder: Path, key: Path, tmp_path: Path
) -> None:
    changed = dcmread(BytesIO(ct(1)))
    changed.SliceLocation = 7
    (folder / "twin.dcm").write_bytes(as_bytes(changed))

    done = overread(folder, tmp_path / "out", "--key", key)

    assert done.returncode == 3
    assert list(held(tmp_path / "out").values()) == [["duplicate_instance"]]


def test_a_zip_of_a_patients_disc(tmp_path: Path, key: Path) -> None:
    archive, out = tmp_path / "disc.zip", tmp_path / "out"
    with ZipFile(archive, "w", ZIP_DEFLATED) as opened:
        opened.writestr("../../etc/one.dcm", ct(1))
        opened.writestr("IMG/two.dcm", ct(2))
        opened.writestr("README.TXT", "burn by HARTIGAN")

    done = overread(archive, out, "--key", key)

    assert done.returncode == 3
    assert len(list(out.rglob("*.dcm"))) == 2
    assert held(out) == {"disc.zip, file 3": ["unreadable"]}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["disc.zip", "key", "out"]


def test_a_bomb_is_not_unpacked(tmp_path: Path, key: Path) -> None:
    archive, out = tmp_path / "bomb.zip", tmp_path / "out"
    with ZipFile(archive, "w", ZIP_DEFLATED) as opened:
        opened.writestr("zero", bytes(200 << 20))

    done = overread(archive, out, "--key", key)

    assert done.returncode == 3
    assert list(held(out).values()) == [["not_opened"]]
    assert list((out / "quarantine").glob("*.held")) == []


def test_one_file_alone(tmp_path: Path, key: Path) -> None:
    (tmp_path / "one").write_bytes(ct())

    assert overread(tmp_path / "one", tmp_path / "out", "--key", key).returncode == 0


def test_the_certificate_names_each_file_and_verify_sees_one_changed_byte(
    folder: Path, key: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    overread(folder, out, "--key", key)
    (certificate,) = out.rglob("certificate.json")
    files = sorted(out.rglob("*.dcm"))
    hashes = {hashlib.sha256(one.read_bytes()).hexdigest() for one in files}
    proof = json.loads(certificate.read_text())

    assert {one["sha256"] for one in proof["instances"]} == hashes
    assert (proof["edition"], proof["policy"]) == ("2026c", "second-opinion-2")
    assert overread("--verify", certificate, files[0]).returncode == 0
    assert overread("--verify", certificate, certificate.parent).returncode == 0

    with_key = ("--verify", certificate, files[0], "--key", key)
    assert "sealed by key 1" in overread(*with_key).stdout
    certificate.write_text(certificate.read_text().replace("second-opinion-2", "second-opinion-3"))
    forged = overread(*with_key)
    assert forged.returncode == 1
    assert "changed, or sealed by another key" in forged.stdout
    assert overread("--verify", certificate, files[0]).returncode == 0  # bytes alone

    content = bytearray(files[0].read_bytes())
    content[-100] ^= 1
    files[0].write_bytes(content)

    assert overread("--verify", certificate, files[0]).returncode == 1
    assert "changed" in overread("--verify", certificate, certificate.parent).stdout
    assert overread("--verify", certificate, files[1]).returncode == 0
    files[1].unlink()
    assert "missing" in overread("--verify", certificate, certificate.parent).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere", "out"), "INPUT: nowhere does not exist"),
        (("given", "given/out"), "OUTPUT lies inside INPUT"),
        (("given", "full"), "OUTPUT: full is not empty"),
        (("given", "out", "--key", "nokey"), "--key: nokey is no file"),
        (("given", "out", "--key", "short"), "--key: short holds fewer than 32 bytes"),
        (("given", "out", "--policy", "short"), "--policy: short"),
        (("given", "out", "--report", "nothing"), "--report: nothing is no file"),
        (("--verify", "short", "given"), "CERT: short is no certificate"),
    ],
)
def test_a_wrong_argument_is_named_with_its_mend(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("given", "full"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one").write_bytes(b"1")
    (tmp_path / "short").write_bytes(base64.b64encode(b"short"))
    root = Path(__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.chdir(tmp_path)

    done = overread(*arguments)

    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()

"""The patient's identity is nowhere but in the vault and under the seal."""

import json
from pathlib import Path
from typing import Any

import pytest

from examples.phantom import BARTHOLOMEW, MARIPOSA
from shared.runtime.sealing import open_sealed
from tests.integration.intake.conftest import Intake
from tests.integration.intake.sending import about, hand, stow, submission

TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'intake'"
CLINICIAN = ("h.abernethy@clinic.example", "Horatio")


def canaries() -> list[str]:
    return [*MARIPOSA.identifiers(), *BARTHOLOMEW.identifiers(), *CLINICIAN]


def found(text: str) -> list[str]:
    """Give the identifiers that a text holds, in any case of letters."""
    return [one for one in canaries() if one.lower() in text.lower()]


async def everything_happens(intake: Intake) -> list[str]:
    """Run a case through its good and its bad days; give all answers as text."""
    answers = [await intake.post_event(submission()) for _ in range(2)]
    case_id = answers[0].json()["case_id"]
    wrong = submission()["data"]["patient"] | {"sex": MARIPOSA.family, "birth_date": "Mariposa"}
    answers += [
        await intake.post_event(submission(service_level="routine")),
        await intake.post_event({**submission(patient=wrong), "id": "2"}),
        await intake.post_event({**submission(), "id": MARIPOSA.mrn, "source": MARIPOSA.family}),
        await stow(intake, hand(1, BARTHOLOMEW), hand(1)[:-50], b"MARIPOSA VANTERPOOL"),
        await stow(intake, hand(1), study=MARIPOSA.study_uid),
        await stow(intake, hand(1, note="other")),
        await intake.post_event(
            about("document.attach", case_id, "3", kind="history", text=f"{MARIPOSA.name} fell.")
        ),
        await intake.http.get(f"/v1/cases/{case_id}", headers=intake.partner()),
        await intake.http.get("/v1/cases", headers=intake.operator()),
        await intake.http.get("/v1/admin/unannounced", headers=intake.operator()),
        await intake.http.get("/metrics"),
    ]
    return [answer.text for answer in answers]


async def rows(intake: Intake) -> dict[str, list[dict[str, Any]]]:
    tables = [row["table_name"] for row in await intake.rows(TABLES)]
    return {
        table: [dict(row) for row in await intake.rows(f'SELECT * FROM "{table}"')]  # noqa: S608 - names from the catalogue
        for table in tables
    }


async def test_no_table_no_answer_and_no_log_names_the_patient(
    intake: Intake, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = await everything_happens(intake)
    logged = capfd.readouterr()
    tables = await rows(intake)
    own_uids = {MARIPOSA.study_uid, BARTHOLOMEW.study_uid}  # told back to who sent them

    assert [one for text in answers for one in found(text) if one not in own_uids] == []
    assert found(logged.out + logged.err) == []
    assert {name for name, kept in tables.items() if found(str(kept))} == set()
    assert len(tables["cases"]) == 2
    assert tables["outbox"]


async def test_the_same_search_finds_the_patient_in_the_vault_and_under_the_seal(
    intake: Intake,
) -> None:
    await everything_happens(intake)
    vault = b"".join(file.read_bytes() for file in _files(intake.folder))
    (sealed, *_) = [
        json.loads(row["payload"])["sealed_identity"]
        for row in await intake.rows("SELECT payload FROM outbox WHERE type LIKE '%submitted%'")
    ]

    assert MARIPOSA.name in found(vault.decode("latin-1"))
    assert MARIPOSA.family in found(json.dumps(open_sealed([intake.private_key], sealed)))


async def test_no_address_in_the_vault_names_the_patient(intake: Intake) -> None:
    await everything_happens(intake)

    addresses = [str(file.relative_to(intake.folder)) for file in _files(intake.folder)]

    assert found("\n".join(addresses)) == []
    assert all(address.startswith("raw/") for address in addresses)


async def test_nothing_is_left_in_the_spool(intake: Intake, tmp_path: Path) -> None:
    await everything_happens(intake)

    assert _spooled(tmp_path) == []


def _spooled(folder: Path) -> list[Path]:
    return list(folder.glob("overread-stow-*"))


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]

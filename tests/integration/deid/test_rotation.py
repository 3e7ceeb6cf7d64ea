"""Whose key and whose policy? A new key, or a partner's own policy, while everything goes on."""

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from examples.phantom import BARTHOLOMEW, MARIPOSA, Patient, as_bytes, scanner_image
from services.deid.domain.certificate import Certificate
from services.deid.gateways.policies import SHIPPED
from shared.contracts.base import CaseId
from shared.contracts.deid import CaseDeidentified, DeidentificationFailed
from shared.runtime.sealing import open_sealed
from shared.testing.fixtures import Database
from tests.integration.deid.lab import KEY, PRIVATE, Lab, case, lab
from tests.unit.deid.cases import PARTNER

NEWER = base64.b64encode(b"the key after, of thirty-two bytes").decode()
ROTATED: dict[str, Any] = {
    "key": NEWER,
    "key_version": "2",
    "older_keys": [{"version": "1", "key": KEY}],
}
FORGOTTEN: dict[str, Any] = {"key": NEWER, "key_version": "2"}


async def cleaned(at_work: Lab, name: str, person: Patient) -> tuple[CaseDeidentified, Certificate]:
    case_id = case(name)
    await send(at_work, case_id, person)
    event = await at_work.hear(CaseDeidentified, case_id)
    proof = await at_work.store.get(event.studies[0].certificate)
    return event, Certificate.model_validate_json(proof)


async def send(at_work: Lab, case_id: CaseId, person: Patient, study: str = "study-1") -> None:
    ct = as_bytes(scanner_image("CT_small.dcm", person))
    await at_work.accept(case_id, await at_work.study(case_id, study, ct))


async def way_back(at_work: Lab, event: CaseDeidentified) -> dict[str, Any]:
    """What only notify can open."""
    ref = event.studies[0].way_back
    assert ref is not None
    (token,) = json.loads(await at_work.store.get(ref))["sealed"]
    return open_sealed([PRIVATE], token)


def anew(path: Path) -> Path:
    shipped = SHIPPED.read_text(encoding="utf-8")
    path.write_text(shipped.replace("rotation: patient", "rotation: case"), encoding="utf-8")
    return path


@pytest.fixture
def place(postgres: Database, kafka: str, topics: str, tmp_path: Path) -> dict[str, Any]:
    folder = tmp_path / "objects"
    return {"postgres": postgres, "kafka": kafka, "topics": topics, "folder": folder}


async def test_a_known_patient_keeps_the_name_and_a_new_one_gets_the_new_key(
    place: dict[str, Any],
) -> None:
    async with lab(**place) as before:
        first, proof = await cleaned(before, "before", BARTHOLOMEW)
    assert proof.key_version == "1"

    async with lab(**place, **ROTATED) as after:
        again, again_proof = await cleaned(after, "after", BARTHOLOMEW)
        other, other_proof = await cleaned(after, "other", MARIPOSA)

    assert again.pseudonym == first.pseudonym
    assert again_proof.key_version == "1"
    assert (await way_back(after, again))["shift_days"] == (await way_back(after, first))[
        "shift_days"
    ]
    assert (await way_back(after, other))["patient_id"] == MARIPOSA.mrn
    assert other.pseudonym != first.pseudonym
    assert other_proof.key_version == "2"


async def test_a_policy_may_begin_a_new_life_with_the_next_case(
    place: dict[str, Any], tmp_path: Path
) -> None:
    async with lab(**place) as before:
        first, _ = await cleaned(before, "before", BARTHOLOMEW)

    async with lab(**place, **ROTATED, policies=anew(tmp_path / "policy.yaml")) as after:
        again, proof = await cleaned(after, "after", BARTHOLOMEW)

    assert again.pseudonym != first.pseudonym
    assert proof.key_version == "2"


async def test_a_partners_own_policy_is_used_for_its_cases(
    place: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    shipped = SHIPPED.read_text(encoding="utf-8")
    strict = shipped.replace("true", "false").replace("second-opinion", "strict")
    (folder / f"{PARTNER}.yaml").write_text(strict, encoding="utf-8")

    async with lab(**place, policies=folder) as at_work:
        event, proof = await cleaned(at_work, "strict", BARTHOLOMEW)
        (content,) = await at_work.clean(event)

    assert proof.policy == "strict-2"
    assert [code.value for code in proof.codes] == ["113100"]
    dataset = dcmread(BytesIO(content))
    assert dataset.StudyDate == ""
    assert "PatientAge" not in dataset


async def test_a_case_whose_key_is_gone_fails_aloud_and_can_be_tried_again(
    place: dict[str, Any],
) -> None:
    async with lab(**place) as before:
        first, _ = await cleaned(before, "before", BARTHOLOMEW)
    case_id = case("before")

    async with lab(**place, **FORGOTTEN) as without:
        await send(without, case_id, BARTHOLOMEW, study="study-2")
        failed = await without.hear(DeidentificationFailed, case_id)
        assert failed.reason == "pseudonym_key_missing"

    async with lab(**place, **ROTATED) as mended:
        answer = await mended.post(f"/v1/quarantine/{case_id}/retry")
        assert answer.status_code == 200, answer.text
        while (event := await mended.hear(CaseDeidentified, case_id)).supplement == 0:
            pass

    assert event.pseudonym == first.pseudonym
    assert len(event.studies) == 2

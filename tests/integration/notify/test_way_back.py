"""deid seals what things were called; notify alone can tell, and each time it is written down."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from examples.phantom import BARTHOLOMEW, as_bytes, scanner_image
from services.deid.domain.events import WorkPlanned
from services.deid.domain.identity import Key, Keyring
from services.deid.domain.inputs import StudiesCleaned
from services.deid.gateways.sealing import Sealing
from services.deid.gateways.vault import Vault
from services.deid.performers import Cleaning
from shared.contracts.base import CaseId
from shared.contracts.deid import CaseDeidentified
from shared.contracts.intake import RawStudy
from shared.runtime.jobs import ClaimedJob, Lease
from shared.runtime.objects import NoRight, ObjectStore
from shared.runtime.sandbox import Sandbox
from shared.runtime.sealing import UnknownKey, new_key_pair, open_sealed
from tests.integration.deid.lab import REFS
from tests.integration.notify.post_room import PostRoom, a_case
from tests.unit.notify.cases import PARTNER

JOB = UUID(int=1)
REASON = {"reason": "partner_asked"}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=1, seconds=30) as opened:
        yield opened


async def cleaned(room: PostRoom, case_id: CaseId, sandbox: Sandbox) -> StudiesCleaned:
    """What deid makes of a CT of Bartholomew, in the store that notify reads."""
    store = room.store.with_rights(reads={"raw", "clean"}, writes={"raw", "clean", "sealed"})
    ct = await store.put("raw", case_id, as_bytes(scanner_image("CT_small.dcm", BARTHOLOMEW)))
    manifest = await store.put("raw", case_id, REFS.dump_json((ct,)))
    study = RawStudy(study="study-1", modality="CT", instance_count=1, manifests=(manifest,))
    plan = WorkPlanned(
        case_id=case_id,
        partner=PARTNER,
        round=1,
        studies=(study,),
        patient=study,
        pseudonym=None,
        decisions=(),
    )
    vault, keys = Vault(store), Keyring((Key("1", b"k" * 32),))
    performer = Cleaning(vault, sandbox, keys, workers=1, sealing=Sealing(vault, room.public_key))
    payload = plan.model_dump(mode="json")
    job = ClaimedJob(JOB, case_id, "clean", payload, 1, "", Lease(JOB, UUID(int=2)))
    result = await performer.perform(job)
    assert isinstance(result, StudiesCleaned)
    return result


async def deidentified(
    room: PostRoom, name: str, sandbox: Sandbox
) -> tuple[CaseId, dict[str, str]]:
    """A case that notify knows, and what its UIDs were called."""
    case_id = a_case(name)
    await room.accept(case_id)
    result = await cleaned(room, case_id, sandbox)
    event = CaseDeidentified(
        case_id=case_id,
        partner=PARTNER,
        pseudonym=result.pseudonym,
        studies=result.clean,
        documents=(),
        instances_cleaned=1,
    )
    await room.tell(event)
    return case_id, expected(result, room)


def expected(result: StudiesCleaned, room: PostRoom) -> dict[str, str]:
    identity = Keyring((Key("1", b"k" * 32),)).identity(Key("1", b"k" * 32), PARTNER)
    image = scanner_image("CT_small.dcm", BARTHOLOMEW)
    old = (image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID)
    return {
        **{identity.uid(str(uid)): str(uid) for uid in old},
        identity.accession(image.AccessionNumber): image.AccessionNumber,
    }


async def asked(room: PostRoom, case_id: CaseId, body: dict[str, Any]) -> Any:
    return await room.operate("POST", f"/v1/admin/cases/{case_id}/originals", json=body)


async def test_the_way_back_is_found_and_each_use_is_recorded(
    room: PostRoom, sandbox: Sandbox
) -> None:
    case_id, names = await deidentified(room, "way back", sandbox)

    answer = await asked(room, case_id, {"names": [*names, "2.25.1"], **REASON})

    assert answer.status_code == 200, answer.text
    assert answer.json()["originals"] == names
    assert len(names) == 4
    assert answer.headers["cache-control"] == "no-store"
    trail = await room.operate("GET", f"/v1/admin/cases/{case_id}/openings")
    assert [one["why"] for one in trail.json()] == ["originals:partner_asked"]


async def test_nobody_else_can_open_it(room: PostRoom, sandbox: Sandbox) -> None:
    result = await cleaned(room, a_case("sealed"), sandbox)
    ref = result.clean[0].way_back
    assert ref is not None
    assert room.store.root is not None
    content = (room.store.root / ref.address).read_bytes()

    assert not [one for one in BARTHOLOMEW.identifiers() if one.encode() in content]
    assert b"2.25." not in content
    token = content.decode().split('"')[3]
    with pytest.raises(UnknownKey):
        open_sealed([new_key_pair()[0]], token)
    for rights in ({"reads": {"clean", "raw"}}, {"reads": {"reports"}}):
        store = ObjectStore.open(str(room.store.root), **rights)  # type: ignore[arg-type] # a table
        with pytest.raises(NoRight):
            await store.get(ref)


@pytest.mark.parametrize(
    ("scope", "status"), [("partner", 403), ("reader", 403), ("operator", 404)]
)
async def test_only_an_operator_may_ask_and_only_of_a_known_case(
    room: PostRoom, scope: str, status: int
) -> None:
    token = room.issuer.headers("somebody", scope, tenant=PARTNER if scope == "partner" else None)

    answer = await room.http.post(
        f"/v1/admin/cases/{a_case('nobody')}/originals",
        json={"names": ["2.25.1"], **REASON},
        headers=token,
    )

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"names": [], **REASON}, "/names"),
        ({"names": ["Bartholomew"], **REASON}, "/names/0"),
        ({"names": ["2.25.1"]}, "/reason"),
        ({"names": ["2.25.1"], "reason": "curiosity"}, "/reason"),
    ],
)
async def test_a_question_without_a_reason_is_refused(
    room: PostRoom, body: dict[str, Any], field: str
) -> None:
    answer = await asked(room, a_case("refused"), body)

    assert answer.status_code == 422
    assert field in answer.text


def rot(room: PostRoom, case_id: CaseId) -> None:
    assert room.store.root is not None
    for one in (room.store.root / "sealed" / str(case_id)).iterdir():
        one.write_bytes(b"x" * one.stat().st_size)


async def test_a_map_that_rotted_is_said_and_was_recorded(room: PostRoom, sandbox: Sandbox) -> None:
    case_id, names = await deidentified(room, "rotten", sandbox)
    rot(room, case_id)

    answer = await asked(room, case_id, {"names": [*names], **REASON})

    assert answer.status_code == 503
    assert "restore the object" in answer.text
    trail = await room.operate("GET", f"/v1/admin/cases/{case_id}/openings")
    assert len(trail.json()) == 1

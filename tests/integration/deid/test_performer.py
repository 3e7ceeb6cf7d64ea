"""The performer: done twice it is done once, and a child's limits hold a file, not the service."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from examples.phantom import BARTHOLOMEW, as_bytes, scanner_image
from services.deid.domain.events import WorkPlanned
from services.deid.domain.identity import Key, Keyring
from services.deid.domain.inputs import StudiesCleaned
from services.deid.gateways.vault import Vault
from services.deid.performers import Cleaning
from shared.contracts.base import CaseId
from shared.contracts.intake import RawStudy
from shared.runtime.jobs import ClaimedJob, Lease
from shared.runtime.objects import ObjectStore
from shared.runtime.sandbox import Sandbox
from tests.integration.deid.lab import REFS, case

CASE = case("performer")
JOB = UUID(int=1)
KEYS = Keyring((Key("1", b"k" * 32),))


@pytest.fixture
async def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore.open(
        str(tmp_path / "objects"), reads={"raw", "clean"}, writes={"raw", "clean"}
    )


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=2, seconds=30) as opened:
        yield opened


def cleaning(store: ObjectStore, sandbox: Sandbox) -> Cleaning:
    return Cleaning(Vault(store), sandbox, KEYS, workers=2)


async def planned(store: ObjectStore, *files: bytes, case_id: CaseId = CASE) -> ClaimedJob:
    refs = [await store.put("raw", case_id, one, "application/dicom") for one in files]
    manifest = await store.put("raw", case_id, REFS.dump_json((*refs, *refs)))
    study = RawStudy(
        study="study-1", modality="CT", instance_count=len(files), manifests=(manifest, manifest)
    )
    plan = WorkPlanned(
        case_id=case_id,
        partner="st-elsewhere",
        round=1,
        studies=(study,),
        sources=(study,),
        patient=study,
        pseudonym=None,
        decisions=(),
    )
    return ClaimedJob(
        JOB, case_id, "clean", plan.model_dump(mode="json"), 1, "", Lease(JOB, UUID(int=2))
    )


def ct() -> bytes:
    return as_bytes(scanner_image("CT_small.dcm", BARTHOLOMEW))


async def test_work_done_twice_gives_the_same_result_and_the_same_objects(
    store: ObjectStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    job = await planned(store, ct())

    first = await cleaning(store, sandbox).perform(job)
    objects = sorted((tmp_path / "objects" / "clean").rglob("*"))
    again = await cleaning(store, sandbox).perform(job)

    assert again == first
    assert sorted((tmp_path / "objects" / "clean").rglob("*")) == objects
    assert isinstance(first, StudiesCleaned)
    assert first.clean[0].instance_count == 1  # listed four times, cleaned once


async def test_what_one_file_of_a_case_names_is_in_no_other(
    store: ObjectStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    one, other = (scanner_image("CT_small.dcm", BARTHOLOMEW) for _ in range(2))
    one.OtherPatientNames = "Zzumbraela^Ada"
    other.SOPInstanceUID = "2.999.5.2"
    other.SeriesDescription = "lateral zzumbraela"
    other.ImageType = one.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]

    result = await cleaning(store, sandbox).perform(
        await planned(store, as_bytes(one), as_bytes(other))
    )

    assert isinstance(result, StudiesCleaned)
    assert result.clean[0].instance_count == 2
    clean = [
        file.read_bytes() for file in (tmp_path / "objects" / "clean").rglob("*") if file.is_file()
    ]
    assert any(b"lateral [NAME]" in content for content in clean)
    assert not any(b"zzumbraela" in content.lower() for content in clean)


async def test_the_name_in_any_one_of_many_files_is_in_no_other(
    store: ObjectStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    files = [scanner_image("CT_small.dcm", BARTHOLOMEW) for _ in range(7)]
    for number, one in enumerate(files):
        one.SOPInstanceUID = f"2.999.5.{number}"
        one.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        one.SequenceName = "ZZUMBRAELA"
    files[1].OtherPatientNames = "Zzumbraela^Ada"

    await cleaning(store, sandbox).perform(await planned(store, *map(as_bytes, files)))

    clean = [
        file.read_bytes() for file in (tmp_path / "objects" / "clean").rglob("*") if file.is_file()
    ]
    assert len(clean) > len(files)
    assert not any(b"zzumbraela" in content.lower() for content in clean)


async def test_a_file_that_takes_too_long_is_held(store: ObjectStore) -> None:
    job = await planned(store, ct())

    async with Sandbox(workers=1, seconds=0) as hasty:
        result = await cleaning(store, hasty).perform(job)

    assert isinstance(result, StudiesCleaned)
    assert result.clean == ()
    assert [finding.code for finding in result.held[0].findings] == ["unreadable"]


async def test_nothing_is_left_in_the_spool(
    store: ObjectStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    performer = Cleaning(Vault(store, spool), sandbox, KEYS, workers=2)

    await performer.perform(await planned(store, ct(), b"no DICOM at all"))

    assert list(spool.iterdir()) == []


async def test_nothing_held_is_in_the_clean_zone(
    store: ObjectStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    dataset = scanner_image("MR_small.dcm", BARTHOLOMEW)
    dataset.BurnedInAnnotation = "YES"
    mr = as_bytes(dataset)

    result = await cleaning(store, sandbox).perform(await planned(store, mr))

    assert isinstance(result, StudiesCleaned)
    assert [finding.code for finding in result.held[0].findings] == ["burned_in_text_flagged"]
    assert not (tmp_path / "objects" / "clean").exists()

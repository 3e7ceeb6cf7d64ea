"""Who goes on working in the storm? A hospital and its readers, over HTTP, who never give up.

Each request is sent again until it is answered, as an integrator's client would: every one of them
carries a key or a revision that makes the repetition harmless.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pydicom
from pydicom.uid import UID

from cli.players import Answered, Partner, Reader
from examples.phantom import as_bytes
from shared.runtime.patience import Patience
from shared.testing import chest
from shared.testing.chest import OPINION, tiny_image

T = TypeVar("T")
# In flight at once; more only make each other slow on a small machine.
AT_ONCE = 24
# So many send their submission twice at once; it must still be one case.
DOUBLE_CLICK_ONE_IN = 7
WORKLIST_SECONDS = 0.5
ROOT = "2.999.77"
# The case is still on its way to the service that was asked, or moved on meanwhile.
LATER = {404, 409, 412, 425, 429}
MENDABLE = 500


@dataclass
class Hospital:
    """Submits cases at an even pace; readers take what they are offered."""

    partner: Partner
    readers: list[Reader]
    seed: int
    accepted: list[str] = field(default_factory=list)
    signed: set[str] = field(default_factory=set)
    repeats: int = 0
    _taken: set[str] = field(default_factory=set)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def work(self, cases: int, seconds: float) -> None:
        """Submit all cases within so many seconds, each until it is accepted with its images."""
        async with asyncio.TaskGroup() as group:
            for number in range(cases):
                group.create_task(self._submit(number))
                await asyncio.sleep(seconds / cases)

    async def read_for_ever(self) -> None:
        async with asyncio.TaskGroup() as group:
            for reader in self.readers:
                group.create_task(self._keep_reading(reader, group))

    async def _submit(self, number: int) -> None:
        async with self._room:
            key = f"storm-{self.seed}-{number}"
            body = submission(self.seed, number)
            clicks = 2 if number % DOUBLE_CLICK_ONE_IN == 0 else 1
            asked = [self._persist(lambda: self.partner.submit(key, body)) for _ in range(clicks)]
            # Two cases here would be a doubled effect: each of them wants its images.
            self.accepted += {str(one["case_id"]) for one in await asyncio.gather(*asked)}
            image = instance(self.seed, number)
            await self._persist(lambda: self.partner.store([image]))

    async def _keep_reading(self, reader: Reader, group: asyncio.TaskGroup) -> None:
        while True:
            worklist = await self._persist(reader.worklist)
            for offer in worklist["offers"]:
                if offer["assignment"] not in self._taken:
                    self._taken.add(offer["assignment"])
                    group.create_task(self._read(reader, offer))
            await asyncio.sleep(WORKLIST_SECONDS)

    async def _read(self, reader: Reader, offer: Mapping[str, Any]) -> None:
        case, assignment = str(offer["case_id"]), str(offer["assignment"])
        async with self._room:
            await self._persist(lambda: reader.accept(assignment))
            await self._persist(lambda: reader.start(case, 10))
            await self._persist(lambda: self._opine(reader, case))
            await self._persist(lambda: reader.reveal(case))
            await self._persist(lambda: reader.finalize(case))
            self.signed.add(case)

    async def _opine(self, reader: Reader, case: str) -> None:
        """Draft and lock. A repetition may find it locked by the attempt that was not answered."""
        if (await reader.view(case))["state"] in {"assigned", "reading"}:
            await reader.draft(case, OPINION)
            await reader.lock(case)

    async def _persist(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it again until it is answered; what is refused for good is a bug and flies."""
        patience = Patience(first=0.2, longest=2.0)
        while True:
            try:
                return await act()
            except (httpx.TransportError, TimeoutError):
                pass
            except Answered as answered:
                if answered.status < MENDABLE and answered.status not in LATER:
                    raise
            self.repeats += 1
            await patience.pause()


def submission(seed: int, number: int) -> dict[str, Any]:
    patient = {
        "name": {"family": f"Storm{number}", "given": "Wendy"},
        "id": f"MRN-{seed}-{number}",
        "issuer": "STORM-ADT",
    }
    study = {
        "study_instance_uid": study_uid(seed, number),
        "accession_number": f"ST{seed}-{number}",
        "issuer": "STORM-RIS",
    }
    clinician = {"name": "Dr. Gale", "email": "gale@clinic.example"}
    return chest.submission(patient, clinician, study)


def study_uid(seed: int, number: int) -> str:
    return f"{ROOT}.{seed}.{number}"


def instance(seed: int, number: int) -> bytes:
    """A real scanner's image under this case's identity, with sixteen pixels left of it."""
    dataset = pydicom.dcmread(io.BytesIO(tiny_image()))
    study = study_uid(seed, number)
    dataset.StudyInstanceUID = study
    dataset.SeriesInstanceUID = f"{study}.1"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"{study}.1.1")
    dataset.PatientID = f"MRN-{seed}-{number}"
    dataset.IssuerOfPatientID = "STORM-ADT"
    dataset.PatientName = f"Storm{number}^Wendy"
    dataset.AccessionNumber = f"ST{seed}-{number}"
    return as_bytes(dataset)


def of(
    urls: Mapping[str, str], secrets: Mapping[str, str], names: Sequence[str], seed: int
) -> Hospital:
    """Give a hospital with a reader for each name."""
    readers = [Reader(urls, name, secrets[name]) for name in names]
    return Hospital(Partner(urls, "st-brigid", secrets["st-brigid"]), readers, seed)

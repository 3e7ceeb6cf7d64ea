"""Who keeps working through the storm? A hospital and readers, who try again until it is done.

Every action is sent twice at once now and then, as by a nervous double click: the second one, with
an Idempotency-Key of its own, must change nothing.
"""

import asyncio
import random
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from cli.players import Answered, Partner, Reader
from examples.phantom import Patient, as_bytes, scanner_image

T = TypeVar("T")
AGAIN = {401, 408, 412, 425, 429, 500, 502, 503, 504}
# To a second click: it is done already, or not this reader's any more.
DONE = {404, 409, 422}
PAUSE_SECONDS = 0.3
GIVE_UP_SECONDS = 600.0
IN_FLIGHT = 24


@dataclass
class People:
    """Drives cases to their end; `accepted` grows with each 202 that a hospital got."""

    urls: Mapping[str, str]
    secrets: Mapping[str, str]
    readers: tuple[str, ...]
    seed: int
    partner_id: str = "st-brigid"
    accepted: list[str] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    retried: int = 0
    double_clicks: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.offers: dict[str, tuple[Reader, dict[str, Any]]] = {}
        self.news = asyncio.Event()

    async def work(self, cases: int, seconds: float) -> None:
        """Submit cases evenly over the time, and read each until it is signed."""
        async with Partner(self.urls, self.partner_id, self.secrets[self.partner_id]) as partner:
            readers = [Reader(self.urls, one, self.secrets[one]) for one in self.readers]
            watching = [asyncio.create_task(self._watch(reader)) for reader in readers]
            free = asyncio.Semaphore(IN_FLIGHT)
            try:
                async with asyncio.TaskGroup() as group:
                    for number in range(cases):
                        await free.acquire()
                        group.create_task(self._one(number, partner, free))
                        await asyncio.sleep(seconds / cases)
            finally:
                for task in watching:
                    task.cancel()
                await asyncio.gather(*watching, return_exceptions=True)
                for reader in readers:
                    await reader.http.aclose()

    async def _one(self, number: int, partner: Partner, free: asyncio.Semaphore) -> None:
        patient = Patient.invented(self.seed * 1_000_000 + number)
        event = submission(patient)
        try:
            key = f"storm-{self.seed}-{number}"
            answer = await self._insist(lambda: partner.submit(key, event))
            case_id = str(answer["case_id"])
            self.accepted.append(case_id)
            image = await asyncio.to_thread(tiny_ct, patient)
            await self._insist(lambda: partner.store([image]))
            await self._read(case_id)
            self.signed.append(case_id)
        finally:
            free.release()

    async def _read(self, case_id: str) -> None:
        while case_id not in self.offers:
            self.news.clear()
            await self.news.wait()
        reader, offer = self.offers[case_id]
        path = f"/v1/offers/{offer['assignment']}/accept"
        await self._twice(reader, "matching", path)
        await self._insist(lambda: reader.start(case_id, GIVE_UP_SECONDS))
        opinion = OPINION | {"narrative": f"Case {len(self.signed)}."}
        await self._insist(lambda: reader.draft(case_id, opinion))
        for step in ("lock", "reveal", "finalize"):
            await self._twice(reader, "reporting", f"/v1/cases/{case_id}/{step}")

    async def _twice(self, reader: Reader, service: str, path: str) -> None:
        """Act, and act again at the same moment: one effect."""
        if self.dice.random() < 0.5:
            await self._insist(lambda: reader.act(service, path))
            return
        self.double_clicks += 1
        again = {"Idempotency-Key": f"again-{zlib.crc32(path.encode())}"}
        await asyncio.gather(
            self._click(lambda: reader.act(service, path)),
            self._click(lambda: reader.ask("POST", service, path, headers=again)),
        )

    async def _watch(self, reader: Reader) -> None:
        """Look at the worklist again and again."""
        while True:
            for offer in (await self._insist(reader.worklist))["offers"]:
                self.offers[offer["case_id"]] = (reader, offer)
            self.news.set()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _click(self, act: Callable[[], Awaitable[Any]]) -> None:
        try:
            await self._insist(act)
        except Answered as answered:
            if answered.status not in DONE:
                raise

    async def _insist(self, act: Callable[[], Awaitable[T]]) -> T:
        """Try until it is answered."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while True:
                try:
                    return await act()
                except Answered as answered:
                    if answered.status not in AGAIN:
                        raise
                except httpx.TransportError:
                    pass
                self.retried += 1
                await asyncio.sleep(PAUSE_SECONDS * self.dice.uniform(0.5, 1.5))


def tiny_ct(patient: Patient) -> bytes:
    """A real scanner's CT with 8 by 8 pixels: the events matter here, not the pixels."""
    image = scanner_image("CT_small.dcm", patient)
    image.Rows = image.Columns = 8
    image.PixelData = image.PixelData[: 8 * 8 * 2]
    return as_bytes(image)


def submission(patient: Patient) -> dict[str, Any]:
    """A case without a first report, so that nobody has to release its text."""
    return {
        "patient": {
            "name": {"family": patient.family, "given": patient.given},
            "id": patient.mrn,
            "issuer": patient.issuer,
            "birth_date": patient.birth_date.isoformat(),
            "sex": patient.sex,
        },
        "clinician": {"name": "Dr. Storm", "email": "storm@clinic.invalid"},
        "service_level": "routine",
        "reason_for_review": "not_read_by_subspecialist",
        "body_region": "CHEST",
        "modality": "CT",
        "jurisdiction": "US-VT",
        "studies": [
            {
                "study_instance_uid": patient.study_uid,
                "modality": "CT",
                "number_of_instances": 1,
            }
        ],
        "first_report": {"status": "missing"},
    }


OPINION: dict[str, Any] = {
    "technique": "CT, one slice.",
    "comparison": "None.",
    "narrative": "Lungs clear.",
    "impression": "No abnormality on the slice provided.",
    "adequacy": "adequate",
    "claims": [
        {
            "id": "s1",
            "finding": "consolidation",
            "anatomic_site": "lungs",
            "laterality": "B",
            "certainty": "excluded",
            "text": "No consolidation.",
        }
    ],
}
